"""Readers of responses: their state, words, audio and calls of tools."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rt_notebook.core.usage import tokens
from rt_notebook.log.fields import as_dict, as_text
from rt_notebook.log.readers.items import describe, read_content, words_of

if TYPE_CHECKING:
    from rt_notebook.core.events import Event
    from rt_notebook.log.accounts import Accounts
    from rt_notebook.log.readers import Reader
    from rt_notebook.log.records import Item


def _requested(accounts: Accounts, event: Event) -> None:
    accounts.sent_request_s = event.t_s
    accounts.sent_request_id = as_text(event.data.get("event_id"))


def _response_created(accounts: Accounts, event: Event) -> None:
    response = accounts.response(event)
    if response is not None and response.created_s is None:
        response.created_s = event.t_s
        response.requested_s, accounts.sent_request_s = accounts.sent_request_s, None
        response.request_id, accounts.sent_request_id = accounts.sent_request_id, None


def _response_done(accounts: Accounts, event: Event) -> None:
    response = accounts.response(event)
    if response is None or response.done_s is not None:
        return
    response.done_s = event.t_s
    response.tokens = tokens(event)
    payload = as_dict(event.data.get("response"))
    response.status = as_text(payload.get("status")) or "completed"
    details = as_dict(payload.get("status_details"))
    error = as_dict(details.get("error"))
    reasons = (details.get("reason"), error.get("code"), error.get("type"), error.get("message"))
    response.reason = next((text for text in map(as_text, reasons) if text), None)
    output = payload.get("output")
    for index, entry in enumerate(output if isinstance(output, list) else []):
        item_id = as_text(as_dict(entry).get("id"))
        if item_id is not None:
            item = accounts.item(item_id)
            describe(item, as_dict(entry))
            read_content(item, as_dict(entry))
            _belongs(item, response.id, response.item_ids, index)


def _belongs(item: Item, response_id: str, item_ids: list[str], output_index: int) -> None:
    if item.response_id is None:
        item.response_id = response_id
        item.output_index = output_index
        item_ids.append(item.id)


def _output_item(accounts: Accounts, event: Event) -> Item | None:
    """Return the item of a response that an event is about."""
    response, item_id = accounts.response(event), event.item_id
    if response is None or item_id is None:
        return None
    item = accounts.item(item_id)
    if item.response_id is None:
        index = event.data.get("output_index")
        place = index if isinstance(index, int) else len(response.item_ids)
        _belongs(item, response.id, response.item_ids, place)
    return item


def _output(accounts: Accounts, event: Event) -> None:
    item = _output_item(accounts, event)
    if item is not None:
        payload = as_dict(event.data.get("item"))
        describe(item, payload)
        if event.type.endswith(".done"):
            read_content(item, payload)


def _output_text(accounts: Accounts, event: Event) -> None:
    item = _output_item(accounts, event)
    if item is None:
        return
    words = words_of(item, event)
    if event.type.endswith(".delta"):
        words.deltas += as_text(event.data.get("delta")) or ""
        item.first_text_s = event.t_s if item.first_text_s is None else item.first_text_s
    else:
        words.final = as_text(event.data.get("transcript")) or as_text(event.data.get("text")) or words.final


def _output_audio(accounts: Accounts, event: Event) -> None:
    item = _output_item(accounts, event)
    if item is not None and event.audio_samples > 0:
        item.deltas.append((event.audio_samples, event.level_dbfs))
        item.first_audio_s = event.t_s if item.first_audio_s is None else item.first_audio_s


def _tool_call(accounts: Accounts, event: Event) -> None:
    call_id = as_text(event.data.get("call_id"))
    if call_id is not None:
        accounts.calls[call_id] = event


READERS: dict[str, Reader] = {
    "response.create": _requested,
    "response.created": _response_created,
    "response.done": _response_done,
    "response.output_item.added": _output,
    "response.output_item.done": _output,
    "response.output_text.delta": _output_text,
    "response.output_text.done": _output_text,
    "response.output_audio_transcript.delta": _output_text,
    "response.output_audio_transcript.done": _output_text,
    "response.output_audio.delta": _output_audio,
    "response.function_call_arguments.delta": _output_item,
    "response.function_call_arguments.done": _output_item,
    "local.tool_call": _tool_call,
}
