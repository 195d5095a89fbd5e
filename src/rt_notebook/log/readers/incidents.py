"""Readers of what went wrong or stood still: errors, losses, the state of connection and microphone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rt_notebook.log.fields import as_dict, as_number, as_text
from rt_notebook.log.records import Incident

if TYPE_CHECKING:
    from rt_notebook.core.events import Event
    from rt_notebook.log.ledger import Ledger
    from rt_notebook.log.readers import Reader

STALL_S = 0.25
"""An open microphone that gives nothing for this long has stalled; chunks come every 40 to 100 ms."""


def _note(ledger: Ledger, event: Event) -> None:
    ledger.incidents.append(
        Incident(event.t_s, event.type, event.data, event.item_id, event.response_id, len(ledger.incidents))
    )


def _finished(ledger: Ledger, event: Event) -> None:
    status = as_dict(event.data.get("response")).get("status")
    if status in {"failed", "incomplete"}:
        _note(ledger, event)


def _connection(ledger: Ledger, event: Event) -> None:
    ledger.connection = event
    if (event.type == "local.closed" and not event.data.get("expected")) or event.type in {
        "local.gap",
        "local.gave_up",
        "local.limit",
    }:
        _note(ledger, event)


def _session(ledger: Ledger, event: Event) -> None:
    if ledger.connection is None:
        ledger.connection = event  # a log of the wire alone


def _microphone_state(ledger: Ledger, event: Event) -> None:
    ledger.microphone_event = event
    ledger.microphone_sent_s = None


def _sent_audio(ledger: Ledger, event: Event) -> None:
    state, before_s = ledger.microphone_event, ledger.microphone_sent_s
    if state is None or state.type != "local.mic_opened":
        return
    ledger.microphone_sent_s = event.t_s
    if before_s is not None:
        missing_s = event.t_s - before_s - event.audio_ms / 1000
        if missing_s > STALL_S:
            told = {"length_s": missing_s}
            ledger.incidents.append(
                Incident(before_s, "microphone.stall", told, None, None, len(ledger.incidents))
            )


def _playback(ledger: Ledger, event: Event) -> None:
    # What is thrown away at a flush was meant to be.
    if (as_number(event.data.get("dropped_samples")) or 0) > 0 and event.data.get("state") != "flushed":
        _note(ledger, event)


def _recording(ledger: Ledger, event: Event) -> None:
    if event.data.get("state") == "failed":
        _note(ledger, event)


def _transcribed(ledger: Ledger, event: Event) -> None:
    usage = as_dict(event.data.get("usage"))
    item = None if event.item_id is None else ledger.item(event.item_id)
    if item is not None:
        item.transcription_s = as_number(usage.get("seconds")) or item.transcription_s
        item.transcription_tokens = int(as_number(usage.get("total_tokens")) or item.transcription_tokens)


def _called(ledger: Ledger, event: Event) -> None:
    item = None if event.item_id is None else ledger.item(event.item_id)
    if item is not None:
        item.name = item.name or as_text(as_dict(event.data.get("item")).get("name"))


def _tool_call(ledger: Ledger, event: Event) -> None:
    call_id = as_text(event.data.get("call_id"))
    if call_id is not None:
        ledger.calls[call_id] = event


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
