"""Readers of what went wrong or stood still: errors, losses, the state of connection and microphone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rt_notebook.log.fields import as_dict, as_number, as_text
from rt_notebook.log.records import Incident

if TYPE_CHECKING:
    from rt_notebook.core.events import Event
    from rt_notebook.log.accounts import Accounts
    from rt_notebook.log.readers import Reader

STALL_S = 0.25
"""An open microphone that gives nothing for this long has stalled; chunks come every 40 to 100 ms."""


def _note(accounts: Accounts, event: Event) -> None:
    accounts.incidents.append(
        Incident(event.t_s, event.type, event.data, event.item_id, event.response_id, len(accounts.incidents))
    )


def _finished(accounts: Accounts, event: Event) -> None:
    status = as_dict(event.data.get("response")).get("status")
    if status in {"failed", "incomplete"}:
        _note(accounts, event)


def _connection(accounts: Accounts, event: Event) -> None:
    accounts.connection = event
    if (event.type == "local.closed" and not event.data.get("expected")) or event.type in {
        "local.gap",
        "local.gave_up",
        "local.limit",
    }:
        _note(accounts, event)


def _session(accounts: Accounts, event: Event) -> None:
    if accounts.connection is None:
        accounts.connection = event  # a log of the wire alone


def _microphone_state(accounts: Accounts, event: Event) -> None:
    accounts.microphone_event = event
    accounts.microphone_sent_s = None


def _sent_audio(accounts: Accounts, event: Event) -> None:
    state, before_s = accounts.microphone_event, accounts.microphone_sent_s
    if state is None or state.type != "local.mic_opened":
        return
    accounts.microphone_sent_s = event.t_s
    if before_s is not None:
        missing_s = event.t_s - before_s - event.audio_ms / 1000
        if missing_s > STALL_S:
            told = {"length_s": missing_s}
            accounts.incidents.append(
                Incident(before_s, "microphone.stall", told, None, None, len(accounts.incidents))
            )


def _playback(accounts: Accounts, event: Event) -> None:
    # What is thrown away at a flush was meant to be.
    if (as_number(event.data.get("dropped_samples")) or 0) > 0 and event.data.get("state") != "flushed":
        _note(accounts, event)


def _recording(accounts: Accounts, event: Event) -> None:
    if event.data.get("state") == "failed":
        _note(accounts, event)


def _transcribed(accounts: Accounts, event: Event) -> None:
    usage = as_dict(event.data.get("usage"))
    item = None if event.item_id is None else accounts.item(event.item_id)
    if item is not None:
        item.transcription_s = as_number(usage.get("seconds")) or item.transcription_s
        item.transcription_tokens = int(as_number(usage.get("total_tokens")) or item.transcription_tokens)


def _called(accounts: Accounts, event: Event) -> None:
    item = None if event.item_id is None else accounts.item(event.item_id)
    if item is not None:
        item.name = item.name or as_text(as_dict(event.data.get("item")).get("name"))


def _tool_call(accounts: Accounts, event: Event) -> None:
    call_id = as_text(event.data.get("call_id"))
    if call_id is not None:
        accounts.calls[call_id] = event


READERS: dict[str, Reader] = {
    "error": _note,
    "conversation.item.input_audio_transcription.failed": _note,
    "conversation.item.input_audio_transcription.completed": _transcribed,
    "response.done": _finished,
    "response.output_item.added": _called,
    "response.output_item.done": _called,
    "session.created": _session,
    "input_audio_buffer.append": _sent_audio,
    "local.connected": _connection,
    "local.closed": _connection,
    "local.reconnecting": _connection,
    "local.resting": _connection,
    "local.gap": _connection,
    "local.gave_up": _connection,
    "local.limit": _connection,
    "local.invalid_frame": _note,
    "local.error": _note,
    "local.recording": _recording,
    "local.tool_call": _tool_call,
    "local.mic_gap": _note,
    "local.mic_opened": _microphone_state,
    "local.mic_closed": _microphone_state,
    "local.playback": _playback,
}
