"""Turn detection over a stream of speech probabilities: one state machine for live use and for the lab.

The rule is that of a ``server_vad`` as far as public sessions reveal it: a 32 ms grid, hysteresis with an
exit threshold 0.15 below the entry, an end that counts the silence itself, and prefix padding that moves the
reported start but no decision. All times are in ms of audio since the session began; the clock never resets.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rt_notebook.core.config import ServerVad

__all__ = [
    "FRAME_MS",
    "FRAME_SAMPLES",
    "Reset",
    "Transition",
    "TurnDetector",
    "exit_of",
    "frames_of",
    "simulate",
]

FRAME_MS = 32
"""Hop of the probability grid: 512 samples at 16 kHz, the frame of the Silero detector."""

FRAME_SAMPLES = FRAME_MS * 24
"""The same hop in samples of the wire's 24 kHz."""

Reset = Literal["high", "not_low"]
"""What breaks a silence off: a frame of speech (Silero's rule), or any that is not silent (LiveKit's)."""

_HYSTERESIS = 0.15
_LOWEST_EXIT = 0.01


@dataclass(frozen=True, slots=True)
class Transition:
    """The user started or stopped to speak.

    Parameters
    ----------
    kind
        ``"started"`` or ``"stopped"``.
    onset_ms
        Beginning of the turn's first frame of speech.
    audio_start_ms
        The onset less the prefix padding, not before the end of the last turn: where the turn's audio begins.
    decision_ms
        End of the frame on which the decision fell.
    speech_end_ms
        Beginning of the silence that ended the turn; None for a start.
    audio_end_ms
        End of the turn's audio, the silence included; None for a start.
    """

    kind: Literal["started", "stopped"]
    onset_ms: int
    audio_start_ms: int
    decision_ms: int
    speech_end_ms: int | None = None
    audio_end_ms: int | None = None

    @property
    def at_ms(self) -> int:
        """What the wire's event says: ``audio_start_ms`` of a start, ``audio_end_ms`` of a stop."""
        return self.audio_start_ms if self.audio_end_ms is None else self.audio_end_ms


class TurnDetector:
    """Feed one probability a frame, get the transitions.

    Parameters
    ----------
    vad
        The settings. They may change between frames; they act from the next frame on.
    exit_threshold
        Below it a frame is silent; never above the threshold itself. None: 0.15 below that, at least 0.01.
    reset
        What breaks a silence off. Frames between the thresholds never begin a silence nor end a turn; under
        ``"not_low"`` they break it off too.
    min_speech_ms
        A turn starts after this much speech without a silent frame; its onset stays the first frame.
    frame_ms
        Hop of the probabilities; other detectors have other grids. Times are whole ms all the same.
    """

    def __init__(
        self,
        vad: ServerVad,
        *,
        exit_threshold: float | None = None,
        reset: Reset = "high",
        min_speech_ms: int = 0,
        frame_ms: float = FRAME_MS,
    ) -> None:
        self.vad = vad
        self._exit_threshold = exit_threshold
        self._reset = reset
        self._min_speech_frames = frames_of(min_speech_ms, frame_ms)
        self._frame_ms = frame_ms
        self._frames = 0
        self._floor_ms = 0
        self._onset: int | None = None
        self._started: Transition | None = None
        self._low_since: int | None = None

    @property
    def speaking(self) -> bool:
        """Whether a turn is open."""
        return self._started is not None

    @property
    def turn_start_ms(self) -> int | None:
        """Where the open turn's audio begins; None where no turn is open."""
        return None if self._started is None else self._started.audio_start_ms

    @property
    def position_ms(self) -> int:
        """Audio that has been judged or skipped so far; audio that arrives in a burst waits to be judged."""
        return round(self._frames * self._frame_ms)

    @property
    def silence_ms(self) -> int:
        """How long the silence lasts that may end the turn; 0 where there is none.

        `position_ms` less this is where the speech has ended, if no more follows.
        """
        if self._low_since is None:
            return 0
        return self.position_ms - round(self._low_since * self._frame_ms)

    def push(self, probability: float) -> Transition | None:
        """Take the probability of the next frame."""
        frame = self._frames
        self._frames += 1
        enter = self.vad.threshold
        high, low = probability >= enter, probability < exit_of(enter, self._exit_threshold)
        if self._started is None:
            return self._wait(frame, high=high, low=low)
        if high or (self._reset == "not_low" and not low):
            self._low_since = None
        if not low:
            return None
        if self._low_since is None:
            self._low_since = frame
        if frame - self._low_since + 1 < frames_of(self.vad.silence_duration_ms, self._frame_ms):
            return None
        return self.end()

    def end(self) -> Transition:
        """End the open turn with the last judged frame, however short its silence is."""
        assert self._started is not None  # noqa: S101 - whoever ends a turn has looked at `speaking`
        end_ms = self.position_ms
        stopped = replace(
            self._started,
            kind="stopped",
            decision_ms=end_ms,
            speech_end_ms=end_ms - self.silence_ms,
            audio_end_ms=end_ms,
        )
        self.stop(end_ms)
        return stopped

    def _wait(self, frame: int, *, high: bool, low: bool) -> Transition | None:
        if low:
            self._onset = None
        elif high and self._onset is None:
            self._onset = frame
        if self._onset is None or frame - self._onset + 1 < self._min_speech_frames:
            return None
        onset_ms = round(self._onset * self._frame_ms)
        start_ms = max(self._floor_ms, onset_ms - self.vad.prefix_padding_ms)
        self._started = Transition("started", onset_ms, start_ms, self.position_ms)
        return self._started

    def skip(self) -> None:
        """Pass over a frame that nobody judges, so that the clock goes on while detection is off."""
        self._frames += 1
        self._forget_turn()

    def stop(self, at_ms: int) -> None:
        """End an open turn from outside, as a commit by the client does."""
        self._forget_turn()
        self._floor_ms = at_ms

    def _forget_turn(self) -> None:
        self._onset = None
        self._started = None
        self._low_since = None


def exit_of(threshold: float, exit_threshold: float | None = None) -> float:
    """Return below what a frame is silent; None stands for 0.15 below the threshold, at least 0.01."""
    leave = max(threshold - _HYSTERESIS, _LOWEST_EXIT) if exit_threshold is None else exit_threshold
    return min(threshold, leave)


def frames_of(duration_ms: float, frame_ms: float = FRAME_MS) -> int:
    """Return how many frames it takes until `duration_ms` have passed; at least one."""
    return max(1, math.ceil(duration_ms / frame_ms))


def simulate(
    probabilities: Iterable[float],
    vad: ServerVad,
    *,
    exit_threshold: float | None = None,
    reset: Reset = "high",
    min_speech_ms: int = 0,
    frame_ms: float = FRAME_MS,
) -> list[Transition]:
    """Return what the detector decides over a whole recording; for the options see `TurnDetector`.

    A turn that is open at the end stays open: the list then ends with a start. To close it, let as many
    zeros follow as the silence needs (`frames_of`).
    """
    detector = TurnDetector(
        vad, exit_threshold=exit_threshold, reset=reset, min_speech_ms=min_speech_ms, frame_ms=frame_ms
    )
    return [
        found for probability in probabilities if (found := detector.push(float(probability))) is not None
    ]
