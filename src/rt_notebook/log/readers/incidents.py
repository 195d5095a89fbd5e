"""Readers of what went wrong or stood still: each notes incidents."""

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
    accounts.incidents.append(Incident(event.t_s, event.type, event.data, event.item_id, event.response_id))


def _finished(accounts: Accounts, event: Event) -> None:
    status = as_text(as_dict(event.data.get("response")).get("status"))
    if status in {"failed", "incomplete"}:
        _note(accounts, event)


def _closed(accounts: Accounts, event: Event) -> None:
    if not event.data.get("expected"):
        _note(accounts, event)


def _sent_audio(accounts: Accounts, event: Event) -> None:
    state, before_s = accounts.microphone_event, accounts.microphone_sent_s
    if state is None or state.type != "local.mic_opened":
        return
    accounts.microphone_sent_s = event.t_s
    if before_s is not None:
        missing_s = event.t_s - before_s - event.audio_ms / 1000
        if missing_s > STALL_S:
            told = {"length_s": missing_s}
            accounts.incidents.append(Incident(before_s, "microphone.stall", told, None, None))


def _playback(accounts: Accounts, event: Event) -> None:
    # What is thrown away at a flush was meant to be.
    if (as_number(event.data.get("dropped_samples")) or 0) > 0 and event.data.get("state") != "flushed":
        _note(accounts, event)


def _recording(accounts: Accounts, event: Event) -> None:
    if event.data.get("state") == "failed":
        _note(accounts, event)


READERS: dict[str, Reader] = {
    "error": _note,
    "conversation.item.input_audio_transcription.failed": _note,
    "response.done": _finished,
    "input_audio_buffer.append": _sent_audio,
    "local.closed": _closed,
    "local.gap": _note,
    "local.gave_up": _note,
    "local.limit": _note,
    "local.invalid_frame": _note,
    "local.error": _note,
    "local.recording": _recording,
    "local.mic_gap": _note,
    "local.playback": _playback,
}
