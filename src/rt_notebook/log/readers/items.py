"""Readers of conversation items and of the words that the user is heard to say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rt_notebook.log.fields import as_dict, as_number, as_text
from rt_notebook.log.records import Item, Words

if TYPE_CHECKING:
    from rt_notebook.core.events import Event
    from rt_notebook.log.accounts import Accounts
    from rt_notebook.log.readers import Reader


def item_of(accounts: Accounts, event: Event, role: str | None = None) -> Item | None:
    """Return the item that an event names, or None if it names none."""
    return None if event.item_id is None else accounts.item(event.item_id, role)


def _sent_item(accounts: Accounts, event: Event) -> None:
    accounts.sent_items.append((event.t_s, as_dict(event.data.get("item"))))


def _added(accounts: Accounts, event: Event) -> None:
    item = item_of(accounts, event)
    if item is None:
        return
    payload = as_dict(event.data.get("item"))
    describe(item, payload)
    if not item.placed and item.sent_s is None and item.response_id is None:
        item.sent_s = _claim_sent(accounts, payload)
    if item.is_user and item.committed_s is None:
        item.committed_s = event.t_s
    if item.response_id is None or event.type.endswith(".done"):
        read_content(item, payload)
    accounts.place(item, as_text(event.data.get("previous_item_id")))


def describe(item: Item, payload: dict[str, object]) -> None:
    """Take what kind of item it is from its payload."""
    item.type = as_text(payload.get("type")) or item.type
    item.role = item.role or as_text(payload.get("role"))
    item.call_id = item.call_id or as_text(payload.get("call_id"))
    item.name = item.name or as_text(payload.get("name"))
    if item.type == "message" and item.role == "user":
        content = payload.get("content")
        kinds = [as_dict(part).get("type") for part in content] if isinstance(content, list) else []
        item.spoken = item.spoken or "input_audio" in kinds
        item.typed = item.typed or "input_text" in kinds


def _claim_sent(accounts: Accounts, payload: dict[str, object]) -> float | None:
    """When the client sent an item: by its id, or by what it says if the endpoint chose the id."""
    for index, (t_s, sent) in enumerate(accounts.sent_items):
        same_id = "id" in sent and sent["id"] == payload.get("id")
        if same_id or ("id" not in sent and _identity(sent) == _identity(payload)):
            del accounts.sent_items[index]
            return t_s
    return None


def _identity(payload: dict[str, object]) -> tuple[object, ...]:
    texts = [text for _, text in _content_texts(payload)]
    return payload.get("type"), payload.get("role"), payload.get("call_id"), texts


def _content_texts(payload: dict[str, object]) -> list[tuple[int, str]]:
    content = payload.get("content")
    parts = [as_dict(part) for part in content] if isinstance(content, list) else []
    texts = [as_text(part.get("transcript")) or as_text(part.get("text")) for part in parts]
    return [(index, text) for index, text in enumerate(texts) if text]


def read_content(item: Item, payload: dict[str, object]) -> None:
    """Take the words of a payload, where they are not known yet."""
    for index, text in _content_texts(payload):
        words = item.words.setdefault(index, Words())
        words.final = words.final or text


def _deleted(accounts: Accounts, event: Event) -> None:
    item = item_of(accounts, event)
    if item is not None:
        item.deleted = True


def _truncated(accounts: Accounts, event: Event) -> None:
    item = item_of(accounts, event)
    if item is not None and item.truncated_s is None:
        item.truncated_s = event.t_s
        item.truncated_ms = as_number(event.data.get("audio_end_ms"))


def words_of(item: Item, event: Event) -> Words:
    """Return the content part that an event is about."""
    index = event.data.get("content_index")
    return item.words.setdefault(index if isinstance(index, int) else 0, Words())


def _transcription(accounts: Accounts, event: Event) -> None:
    item = item_of(accounts, event, "user")
    if item is None:
        return
    words = words_of(item, event)
    if event.type.endswith(".delta"):
        words.deltas += as_text(event.data.get("delta")) or ""
    else:
        words.final = as_text(event.data.get("transcript"))
        item.transcribed_s = event.t_s if item.transcribed_s is None else item.transcribed_s
        usage = as_dict(event.data.get("usage"))
        item.transcription_s = as_number(usage.get("seconds")) or item.transcription_s
        item.transcription_tokens = int(as_number(usage.get("total_tokens")) or item.transcription_tokens)


READERS: dict[str, Reader] = {
    "conversation.item.create": _sent_item,
    "conversation.item.added": _added,
    "conversation.item.done": _added,
    "conversation.item.deleted": _deleted,
    "conversation.item.truncate": _truncated,
    "conversation.item.input_audio_transcription.delta": _transcription,
    "conversation.item.input_audio_transcription.completed": _transcription,
}
