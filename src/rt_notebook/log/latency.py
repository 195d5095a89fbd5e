"""Where the time between the end of the user's speech and the answer's first sound went."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rt_notebook.log.frames import frame_of
from rt_notebook.log.latency_path import PARTS, latency_path
from rt_notebook.log.ledger import Ledger
from rt_notebook.log.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd

    from rt_notebook.core.events import Event
    from rt_notebook.log.latency_path import Moment
    from rt_notebook.log.turns import Turn

__all__ = ["ERRORS", "PARTS", "Latency", "fold_latency", "latency_of", "latency_table"]

ERRORS: Final = tuple(part.removesuffix("_ms") + "_error_ms" for part in PARTS)
"""The names of the error bounds, in the order of `PARTS`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """The latency of one turn, in milliseconds; NaN for a part that the turn does not have.

    It begins with the last sample of speech, as found in the audio that was sent (`core.speech_end`); for a
    typed turn and for push-to-talk, where the client sent the item or the commit. It ends with the first
    sample that is heard. A part whose end is not in the log is counted in the one after it, so that the parts
    always sum to the total, exactly. Without a page, `capture_ms`, `mic_carrier_ms`, `speaker_carrier_ms` and
    `jitter_buffer_ms` do not exist.

    Attributes
    ----------
    turn, kind
        As in `Turn`.
    capture_ms
        Until the page sends the chunk that holds the last sample: the microphone's own latency, the rest of
        the chunk, the page.
    mic_carrier_ms
        From the page to the kernel.
    socket_ms
        Until the chunk is written to the socket (without a page: until it is full), and one round trip to the
        endpoint: the chunk's way there and the decision's way back. The round trip is the shortest of the
        last pings; while there was none, it is in `vad_wait_ms`.
    vad_wait_ms
        To the arrival of ``speech_stopped``: the silence waited for and the decision.
    commit_ms
        To the item's place in the conversation.
    response_ms
        To ``response.created``.
    first_text_ms
        To the first words, of an answer that has no audio.
    first_audio_ms
        To the first piece of audio.
    speaker_carrier_ms
        From the kernel to the page.
    jitter_buffer_ms
        Until the page gives the first sample to the device.
    output_ms
        Until it is heard: the page's `baseLatency` and `outputLatency` (the latter is not asked of Firefox,
        which may freeze). Of a speaker that is no page, from the first piece of audio on. NaN if no speaker
        reported.
    total_ms
        All of it; NaN while nothing of the answer has arrived.
    capture_error_ms, ..., total_error_ms
        By how much the part may be off; NaN where nothing bounds it. Times of this process have no error.
        What is on the page's clock is known to half a round trip of the best exchange of times, the end of
        speech to a step of its envelope (to a chunk in `capture_ms` and `vad_wait_ms`, if it lies at the edge
        of one), a round trip to the endpoint to its half. What the browser claims of its devices counts as an
        error in full for the microphone, whose latency few browsers know, and to one buffer for the speaker.
    pipecat_user_to_bot_ms
        As pipecat's `UserBotLatencyObserver` has it: from the detector's decision minus its silence to the
        bot's first audio leaving the agent. Nothing of the page is in it.
    pipecat_ttfb_ms
        As pipecat's service for this API has its TTFB: from ``speech_stopped`` to the first audio delta. The
        wait for the silence is not in it.
    livekit_e2e_ms
        As LiveKit's ``e2e_latency``: from the detector's end of speech (its silence taken off) to the first
        frame that the agent hands to its output. With the endpoint's turn detection these are the moments of
        `pipecat_user_to_bot_ms`.
    livekit_ttft_ms
        As the ``ttft`` of LiveKit's `RealtimeModelMetrics`: from ``response.created`` to the first token, of
        audio or, for an answer without audio, of text.

    Notes
    -----
    Sources: pipecat ``observers/user_bot_latency_observer.py`` and ``services/openai/realtime/llm.py``
    (1.14.0); livekit-agents ``voice/agent_activity.py``, ``metrics/base.py`` and the plugin's
    ``_realtime/openai.py`` (1.8.9).
    """

    turn: int
    kind: str
    capture_ms: float = math.nan
    mic_carrier_ms: float = math.nan
    socket_ms: float = math.nan
    vad_wait_ms: float = math.nan
    commit_ms: float = math.nan
    response_ms: float = math.nan
    first_text_ms: float = math.nan
    first_audio_ms: float = math.nan
    speaker_carrier_ms: float = math.nan
    jitter_buffer_ms: float = math.nan
    output_ms: float = math.nan
    total_ms: float = math.nan
    capture_error_ms: float = math.nan
    mic_carrier_error_ms: float = math.nan
    socket_error_ms: float = math.nan
    vad_wait_error_ms: float = math.nan
    commit_error_ms: float = math.nan
    response_error_ms: float = math.nan
    first_text_error_ms: float = math.nan
    first_audio_error_ms: float = math.nan
    speaker_carrier_error_ms: float = math.nan
    jitter_buffer_error_ms: float = math.nan
    output_error_ms: float = math.nan
    total_error_ms: float = math.nan
    pipecat_user_to_bot_ms: float = math.nan
    pipecat_ttfb_ms: float = math.nan
    livekit_e2e_ms: float = math.nan
    livekit_ttft_ms: float = math.nan


def fold_latency(events: Iterable[Event]) -> list[Latency]:
    """Fold events into the latency of each turn."""
    return latency_of(Turns(Ledger(events)))


def latency_of(turns: Turns) -> list[Latency]:
    """Return the latency of each turn, in the order of the conversation."""
    return [_latency(turn, turns.ledger) for turn in turns.fold()]


def latency_table(rows: Sequence[Latency]) -> pd.DataFrame:
    """Return one row a turn. The columns are the fields of `Latency`."""
    return frame_of(Latency, rows)


def _latency(turn: Turn, ledger: Ledger) -> Latency:
    begin, path = latency_path(turn, ledger)
    values: dict[str, float] = {}
    first = last = begin
    for part, moment in path:
        if first is None or last is None:
            first = moment
        else:
            values[part] = _ms(moment.t_s) - _ms(last.t_s)
            values[part.removesuffix("_ms") + "_error_ms"] = _error_ms(last, moment)
        last = moment
    answered = turn.first_audio_s is not None or turn.first_text_s is not None
    if answered and first is not None and last is not None:
        values["total_ms"] = _ms(last.t_s) - _ms(first.t_s)
        values["total_error_ms"] = _error_ms(first, last)
    return Latency(turn=turn.turn, kind=turn.kind, **values, **_elsewhere(turn, ledger))


def _ms(t_s: float) -> float:
    """Milliseconds, to an eighth: a binary fraction, so that sums and differences are exact in any order."""
    return round(t_s * 8000) / 8


def _error_ms(a: Moment, b: Moment) -> float:
    """By how much the time between two moments may be off.

    Between two on one clock its offset does not matter, nor of what chunk they are if they are of the same.
    """
    clocks_s = 0.0 if a.clock == b.clock else a.clock_error_s + b.clock_error_s
    chunk_s = abs(a.chunk_error_s - b.chunk_error_s)
    return 1000 * (a.error_s + b.error_s + clocks_s + chunk_s)


def _elsewhere(turn: Turn, ledger: Ledger) -> dict[str, float]:
    """Return the turn's latency by the definitions of others."""
    user = ledger.items.get(turn.user_item_id or "")
    silence_s = None if user is None else user.silence_s
    stopped_s = turn.speech_stopped_s
    ended_s = None if stopped_s is None or silence_s is None else stopped_s - silence_s
    first_s = turn.first_audio_s
    token_s = turn.first_text_s if first_s is None else first_s
    return {
        "pipecat_user_to_bot_ms": _between(ended_s, first_s),
        "pipecat_ttfb_ms": _between(stopped_s, first_s),
        "livekit_e2e_ms": _between(ended_s, first_s),
        "livekit_ttft_ms": _between(turn.response_created_s, token_s),
    }


def _between(begin_s: float | None, end_s: float | None) -> float:
    return math.nan if begin_s is None or end_s is None else _ms(end_s) - _ms(begin_s)
