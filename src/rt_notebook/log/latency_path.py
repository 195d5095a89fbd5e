"""The moments that a turn passes, from the last sample said to the first one heard."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rt_notebook.core.audio import SAMPLE_RATE_HZ

if TYPE_CHECKING:
    from rt_notebook.log.ledger import Ledger
    from rt_notebook.log.mic_track import SpokenEnd
    from rt_notebook.log.pages import Pages
    from rt_notebook.log.records import Item
    from rt_notebook.log.turns import Turn

__all__ = ["PARTS", "Moment", "latency_path"]

PARTS: Final = (
    *("capture_ms", "mic_carrier_ms", "socket_ms", "vad_wait_ms", "commit_ms", "response_ms"),
    *("first_text_ms", "first_audio_ms", "speaker_carrier_ms", "jitter_buffer_ms", "output_ms"),
)
"""The parts of a turn's latency, in the order in which they pass."""

QUANTUM_S: Final = 128 / SAMPLE_RATE_HZ
"""Browsers handle audio in blocks of 128 samples; within one, nothing tells when."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment on the session clock.

    Attributes
    ----------
    t_s
        Session seconds.
    error_s
        By how much it may be off, as measured where it was.
    clock
        The page on whose clock it was measured; None for this process.
    clock_error_s
        By how much it may be off besides, because that clock was mapped.
    chunk_error_s
        By how much it may be off because it may be that of the chunk beside.
    """

    t_s: float
    error_s: float = 0.0
    clock: str | None = None
    clock_error_s: float = 0.0
    chunk_error_s: float = 0.0


Path = list[tuple[str, Moment]]


def latency_path(turn: Turn, ledger: Ledger) -> tuple[Moment | None, Path]:
    """Return where a turn's latency begins, and the end of each part that the log tells of, in order."""
    user = ledger.items.get(turn.user_item_id or "")
    spoken = user.spoken_end if user is not None and turn.speech_stopped_s is not None else None
    begin: Moment | None
    if spoken is not None:
        begin, path = _said(spoken, ledger.pages, turn.speech_stopped_s)
    else:
        start_s = turn.speech_end_s if turn.speech_end_s is not None else turn.sent_s
        begin, path = (None if start_s is None else Moment(start_s)), []
    silent = turn.first_audio_s is None
    ends_s = {
        "vad_wait_ms": turn.speech_stopped_s,
        "commit_ms": turn.committed_s,
        "response_ms": turn.response_created_s,
        "first_text_ms": turn.first_text_s if silent else None,
        "first_audio_ms": turn.first_audio_s,
    }
    path += [(part, Moment(end_s)) for part, end_s in ends_s.items() if end_s is not None]
    answer = ledger.items.get(turn.assistant_item_id or "")
    heard = None if answer is None else _heard(answer, ledger.pages)
    if heard is None and turn.playback_started_s is not None:
        heard = [("output_ms", Moment(turn.playback_started_s))]
    return begin, path + (heard or [])


def _said(spoken: SpokenEnd, pages: Pages, stopped_s: float | None) -> tuple[Moment, Path]:
    """Return the last sample of speech, and its way onto the socket."""
    chunk, chunk_error_s, path = spoken.chunk, spoken.chunk_error_s, Path()
    begin = Moment(spoken.recorded_s, spoken.error_s)
    clock = pages.clocks.get(chunk.client or "")
    if clock is not None and None not in (chunk.page_recorded_s, chunk.page_sent_s, chunk.arrived_s):
        recorded_s = (chunk.page_recorded_s or 0.0) - (chunk.end - spoken.position) / SAMPLE_RATE_HZ
        recorded, sent = clock.here(recorded_s), clock.here(chunk.page_sent_s or 0.0)
        if recorded is not None and sent is not None:
            arrived_s = chunk.arrived_s or 0.0
            latency_s = pages.input_latency_s.get(chunk.client or "", 0.0)
            # It cannot have been sent after it arrived, nor recorded after it was sent.
            sent_s = min(sent.t_s, arrived_s)
            error_s = spoken.error_s + QUANTUM_S + latency_s
            begin_s = min(recorded.t_s, sent_s) - latency_s
            begin = Moment(begin_s, error_s, chunk.client, recorded.error_s)
            path.append(("capture_ms", Moment(sent_s, 0.0, chunk.client, sent.error_s, chunk_error_s)))
            path.append(("mic_carrier_ms", Moment(arrived_s, chunk_error_s=chunk_error_s)))
    there_and_back_s = spoken.round_trip_s or 0.0
    if stopped_s is not None:
        there_and_back_s = max(0.0, min(there_and_back_s, stopped_s - chunk.sent_s))
    on_socket_s = chunk.sent_s + there_and_back_s
    path.append(("socket_ms", Moment(on_socket_s, there_and_back_s / 2, chunk_error_s=chunk_error_s)))
    return begin, path


def _heard(answer: Item, pages: Pages) -> Path | None:
    """Return the first sample's way from the kernel to the ear; None if no page tells of it."""
    start = answer.page_start
    clock = None if start is None else pages.clocks.get(start.client)
    if start is None or clock is None:
        return None
    arrived, started = clock.here(start.arrived_s), clock.here(start.started_s)
    if arrived is None or started is None:
        return None
    # It cannot have arrived before it was sent, nor begun before it arrived.
    arrived_s = arrived.t_s if answer.first_audio_s is None else max(arrived.t_s, answer.first_audio_s)
    started_s = max(started.t_s, arrived_s)
    heard_s = started_s + start.base_latency_s + start.output_latency_s
    page, error_s = start.client, QUANTUM_S + start.base_latency_s
    return [
        ("speaker_carrier_ms", Moment(arrived_s, 0.0, page, arrived.error_s)),
        ("jitter_buffer_ms", Moment(started_s, QUANTUM_S, page, started.error_s)),
        ("output_ms", Moment(heard_s, error_s, page, started.error_s)),
    ]
