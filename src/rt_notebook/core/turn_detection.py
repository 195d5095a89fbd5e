"""Turn detection over a stream of speech probabilities: one state machine for live use and for the lab.

The rule is that of a ``server_vad`` as far as public sessions reveal it: a 32 ms grid, hysteresis with an
exit threshold 0.15 below the entry, an end that counts the silence itself, and prefix padding that moves the
reported start but no decision. All times are in ms of audio since the session began; the clock never resets.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from rt_notebook.core.config import ServerVad

__all__ = ["FRAME_MS", "FRAME_SAMPLES", "Transition", "TurnDetector"]

FRAME_MS = 32
"""Hop of the probability grid: 512 samples at 16 kHz, the frame of the Silero detector."""

FRAME_SAMPLES = FRAME_MS * 24
"""The same hop in samples of the wire's 24 kHz."""

_HYSTERESIS = 0.15
_LOWEST_EXIT = 0.01


@dataclass(frozen=True, slots=True)
class Transition:
    """The user started or stopped to speak.

    Parameters
    ----------
    kind
        ``"started"`` or ``"stopped"``.
    at_ms
        For a start: the onset's frame less the prefix padding, not before the end of the last turn.
        For a stop: the end of the frame that completed the silence.
    decision_ms
        End of the frame on which the decision fell.
    """

    kind: Literal["started", "stopped"]
    at_ms: int
    decision_ms: int


class TurnDetector:
    """Feed one probability a frame, get the transitions.

    Settings may change between frames; they act from the next frame on.
    """

    def __init__(self, vad: ServerVad) -> None:
        self.vad = vad
        self.speaking = False
        self._frames = 0
        self._floor_ms = 0
        self._low_since: int | None = None

    @property
    def position_ms(self) -> int:
        """Audio that has been judged or skipped so far; audio that arrives in a burst waits to be judged."""
        return self._frames * FRAME_MS

    def push(self, probability: float) -> Transition | None:
        """Take the probability of the next frame."""
        frame = self._frames
        self._frames += 1
        decision_ms = self._frames * FRAME_MS
        enter = self.vad.threshold
        leave = min(enter, max(enter - _HYSTERESIS, _LOWEST_EXIT))
        if not self.speaking:
            if probability < enter:
                return None
            self.speaking = True
            self._low_since = None
            start_ms = max(self._floor_ms, frame * FRAME_MS - self.vad.prefix_padding_ms)
            return Transition("started", start_ms, decision_ms)
        if probability >= enter:
            self._low_since = None
            return None
        if probability < leave and self._low_since is None:
            self._low_since = frame
        # A frame between the thresholds neither begins a silence nor breaks one off; it cannot end a turn.
        if probability >= leave or self._low_since is None:
            return None
        silent_frames = frame - self._low_since + 1
        if silent_frames < max(1, math.ceil(self.vad.silence_duration_ms / FRAME_MS)):
            return None
        self.stop(decision_ms)
        return Transition("stopped", decision_ms, decision_ms)

    def skip(self) -> None:
        """Pass over a frame that nobody judges, so that the clock goes on while detection is off."""
        self._frames += 1
        self.speaking = False
        self._low_since = None

    def stop(self, at_ms: int) -> None:
        """End an open turn from outside, as a commit by the client does."""
        self.speaking = False
        self._low_since = None
        self._floor_ms = at_ms
