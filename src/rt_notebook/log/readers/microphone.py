"""Readers of the microphone: whether it is open, its audio, and what turn detection makes of that."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rt_notebook.core.audio import SAMPLE_RATE_HZ, SAMPLES_PER_MS, SILENCE_DBFS
from rt_notebook.log.fields import as_number, as_text
from rt_notebook.log.mic_track import SpokenEnd
from rt_notebook.log.readers.items import item_of
from rt_notebook.log.records import AudioPiece

if TYPE_CHECKING:
    from rt_notebook.core.events import Event
    from rt_notebook.log.accounts import Accounts
    from rt_notebook.log.readers import Reader
    from rt_notebook.log.records import Item

LONGEST_SAMPLES = 30 * SAMPLE_RATE_HZ
"""Speech whose beginning is not known is looked at so far back."""


def _opened(accounts: Accounts, event: Event) -> None:
    accounts.pages.opened(event)
    _state(accounts, event)


def _state(accounts: Accounts, event: Event) -> None:
    accounts.microphone_event = event
    accounts.microphone_sent_s = None


def _append(accounts: Accounts, event: Event) -> None:
    start_s, end_s = accounts.microphone_clock.advance(event.audio_samples, event.t_s)
    level_dbfs = SILENCE_DBFS if event.level_dbfs is None else event.level_dbfs
    accounts.microphone.append(AudioPiece(start_s, end_s, level_dbfs))
    accounts.track.add(event, accounts.pages.microphone)
    if accounts.uncommitted_s is None:
        accounts.uncommitted_s = start_s


def _cleared(accounts: Accounts, _: Event) -> None:
    accounts.uncommitted_s = None


def _heard_s(accounts: Accounts, position_ms: float | None, event: Event) -> float | None:
    """Session seconds of a position that the endpoint names; None if the log lacks its session's start."""
    if position_ms is None or not accounts.counts_from_start:
        return None
    t_s = accounts.microphone_clock.session_s(position_ms * SAMPLES_PER_MS)
    return None if t_s is None else min(t_s, event.t_s)  # it cannot name what it has not been sent yet


def _speech_started(accounts: Accounts, event: Event) -> None:
    item = item_of(accounts, event, "user")
    if item is None or item.speech_started_s is not None:
        return
    item.spoken, item.speech_started_s = True, event.t_s
    start_ms = as_number(event.data.get("audio_start_ms"))
    padding_ms = as_number(accounts.turn_detection.get("prefix_padding_ms"))
    item.padding_start_s = _heard_s(accounts, start_ms, event)
    if start_ms is not None and padding_ms is not None:
        item.speech_start_s = _heard_s(accounts, start_ms + padding_ms, event)
    if start_ms is not None:
        item.speech_begin = round((start_ms + (padding_ms or 0)) * SAMPLES_PER_MS)


def _speech_stopped(accounts: Accounts, event: Event) -> None:
    item = item_of(accounts, event, "user")
    if item is None or item.speech_stopped_s is not None:
        return
    item.spoken, item.speech_stopped_s = True, event.t_s
    end_ms = as_number(event.data.get("audio_end_ms"))
    silence_ms = as_number(accounts.turn_detection.get("silence_duration_ms"))
    item.silence_s = None if silence_ms is None else silence_ms / 1000
    if end_ms is not None and silence_ms is not None:
        item.speech_end_s = _heard_s(accounts, end_ms - silence_ms, event)
    if end_ms is not None and accounts.counts_from_start:
        item.spoken_end = _spoken_end(accounts, item, end_ms, silence_ms)
        if item.speech_end_s is None and item.spoken_end is not None:
            # A semantic VAD does not say how long it waited; the audio tells where the voice ended.
            item.speech_end_s = min(event.t_s, item.spoken_end.recorded_s)


def _spoken_end(accounts: Accounts, item: Item, end_ms: float, silence_ms: float | None) -> SpokenEnd | None:
    """Find the end of speech in the audio; where that does not tell, the endpoint's word counts."""
    decided = round(end_ms * SAMPLES_PER_MS)
    guess = None if silence_ms is None else round((end_ms - silence_ms) * SAMPLES_PER_MS)
    begin = item.speech_begin if item.speech_begin is not None else (guess or decided) - LONGEST_SAMPLES
    found = accounts.track.speech_end(max(0, begin), guess, decided)
    position = guess if found is None else found.position
    chunk = None if position is None else accounts.track.chunk(position)
    recorded_s = None if position is None else accounts.microphone_clock.session_s(position)
    if position is None or chunk is None or recorded_s is None:
        return None
    if found is None:
        return SpokenEnd(position, math.nan, recorded_s, chunk, math.nan, accounts.track.round_trip_s)
    chunk_error_s = accounts.track.chunk_error_s(position, found.error_samples)
    error_s = found.error_samples / SAMPLE_RATE_HZ
    return SpokenEnd(position, error_s, recorded_s, chunk, chunk_error_s, accounts.track.round_trip_s)


def _timed_out(accounts: Accounts, event: Event) -> None:
    item = item_of(accounts, event, "user")
    if item is not None:
        item.timed_out = True


def _sent_commit(accounts: Accounts, event: Event) -> None:
    accounts.sent_commit_s = event.t_s


def _committed(accounts: Accounts, event: Event) -> None:
    item = item_of(accounts, event, "user")
    if item is None:
        return
    item.spoken = True
    if item.committed_s is None:
        item.committed_s = event.t_s
        if item.speech_stopped_s is None and accounts.sent_commit_s is not None:
            item.sent_s, accounts.sent_commit_s = accounts.sent_commit_s, None
            item.push_to_talk_start_s = accounts.uncommitted_s
    accounts.uncommitted_s = None
    accounts.place(item, as_text(event.data.get("previous_item_id")))


READERS: dict[str, Reader] = {
    "local.mic_opened": _opened,
    "local.mic_closed": _state,
    "input_audio_buffer.append": _append,
    "input_audio_buffer.commit": _sent_commit,
    "input_audio_buffer.cleared": _cleared,
    "input_audio_buffer.speech_started": _speech_started,
    "input_audio_buffer.speech_stopped": _speech_stopped,
    "input_audio_buffer.timeout_triggered": _timed_out,
    "input_audio_buffer.committed": _committed,
}
