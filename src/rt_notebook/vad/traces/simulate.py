"""What a server would have decided over a trace, by the state machine that the local server runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rt_notebook.core import turn_detection
from rt_notebook.core.config import ServerVad
from rt_notebook.core.turn_detection import frames_of
from rt_notebook.errors import ConfigError
from rt_notebook.log.frames import frame_of
from rt_notebook.vad.traces.trace import as_trace

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    from rt_notebook.core.turn_detection import Reset
    from rt_notebook.vad.traces.trace import Trace

__all__ = ["SimulatedTurn", "check_rules", "simulate", "simulated_turns"]


@dataclass(frozen=True, slots=True)
class SimulatedTurn:
    """A turn as a ``server_vad`` would see it, in ms of audio since the recording began.

    Attributes
    ----------
    onset_ms
        Beginning of the first frame of speech.
    started_ms
        When the start was decided: the end of that frame, or later if a minimum of speech is asked for.
    speech_end_ms
        Beginning of the silence that ended the turn.
    decision_ms
        When the end was decided.
    audio_start_ms, audio_end_ms
        What the wire's events say, and the audio that the model would get: from the onset less the padding to
        the decision.
    open
        The recording ends before the turn does; then the three times of its end are missing.
    """

    onset_ms: int
    started_ms: int
    speech_end_ms: int | None
    decision_ms: int | None
    audio_start_ms: int
    audio_end_ms: int | None
    open: bool


def simulate(
    trace: Trace | npt.ArrayLike,
    vad: ServerVad | None = None,
    *,
    exit_threshold: float | None = None,
    reset: Reset = "high",
    min_speech_ms: int = 0,
    trailing_silence_ms: int = 0,
) -> pd.DataFrame:
    """Return the turns of a recording at these settings, one row each; the columns are `SimulatedTurn`'s.

    Parameters
    ----------
    trace
        A trace, or probabilities in frames of 32 ms.
    vad
        The settings; None: the API's defaults.
    exit_threshold
        Below it a frame is silent. None: 0.15 below the threshold, at least 0.01.
    reset
        What breaks a silence off: ``"high"``, a frame of speech (Silero), or ``"not_low"``, any frame that is
        not silent (LiveKit).
    min_speech_ms
        A turn starts after this much speech without a silent frame.
    trailing_silence_ms
        Silence that is thought to follow the recording, so that a turn at its end can end.

    Raises
    ------
    ConfigError
        A setting is out of range, `vad` is no `ServerVad`, or a path is given instead of its trace.
    """
    turns = simulated_turns(
        trace,
        vad,
        exit_threshold=exit_threshold,
        reset=reset,
        min_speech_ms=min_speech_ms,
        trailing_silence_ms=trailing_silence_ms,
    )
    return frame_of(SimulatedTurn, turns)


def simulated_turns(
    trace: Trace | npt.ArrayLike,
    vad: ServerVad | None = None,
    *,
    exit_threshold: float | None = None,
    reset: Reset = "high",
    min_speech_ms: int = 0,
    trailing_silence_ms: int = 0,
) -> list[SimulatedTurn]:
    """Return the turns as objects; see `simulate`."""
    check_rules(exit_threshold, reset)
    if min_speech_ms < 0 or trailing_silence_ms < 0:
        raise ConfigError("A length of time is negative.", "Give 0 or more.")
    if vad is not None and not isinstance(vad, ServerVad):
        raise ConfigError(f"vad={vad!r} is no ServerVad.", "Give ServerVad(threshold=0.5), say.")
    heard = as_trace(trace)
    silent = frames_of(trailing_silence_ms, heard.hop_ms) if trailing_silence_ms else 0
    found = turn_detection.simulate(
        [*heard.probabilities.tolist(), *[0.0] * silent],
        vad or ServerVad(),
        exit_threshold=exit_threshold,
        reset=reset,
        min_speech_ms=min_speech_ms,
        frame_ms=heard.hop_ms,
    )
    turns: list[SimulatedTurn] = []
    for at in found:
        if at.kind == "started":
            turns.append(
                SimulatedTurn(at.onset_ms, at.decision_ms, None, None, at.audio_start_ms, None, open=True)
            )
        else:
            turns[-1] = SimulatedTurn(
                at.onset_ms,
                turns[-1].started_ms,
                at.speech_end_ms,
                at.decision_ms,
                at.audio_start_ms,
                at.audio_end_ms,
                open=False,
            )
    return turns


def check_rules(exit_threshold: float | None, reset: str) -> None:
    """Refuse an exit threshold or a reset rule that does not exist."""
    if exit_threshold is not None and not 0 <= exit_threshold <= 1:
        raise ConfigError(f"exit_threshold={exit_threshold!r} is out of range.", "Give 0 to 1, or None.")
    if reset not in {"high", "not_low"}:
        raise ConfigError(f"reset={reset!r} is unknown.", 'Use "high" or "not_low".')
