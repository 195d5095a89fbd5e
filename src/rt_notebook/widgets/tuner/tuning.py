"""What the tuner works on: a sound, its labels, and what settings make of both. Safe on any thread."""

from __future__ import annotations

import itertools
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rt_notebook.vad.plane.sweep import Sweep, sweep
from rt_notebook.widgets.tuner.sound import NO_LABELS
from rt_notebook.widgets.tuner.turns import find_turns, judged

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from rt_notebook.core.config import ServerVad
    from rt_notebook.widgets.tuner.sound import Sound

__all__ = ["Heard", "Tuning"]

_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """A sound, what was decided over it before, and when somebody speaks in it.

    Attributes
    ----------
    number
        Grows with every sound; messages name it, so that nothing is drawn over another sound.
    before, before_name
        The turns of a real server, or else those of the settings that were in force; and which of the two.
    """

    sound: Sound
    before: npt.NDArray[np.int32]
    before_name: str
    labels: npt.NDArray[np.float64] = field(default_factory=lambda: NO_LABELS)
    number: int = field(default_factory=lambda: next(_numbers))


class Tuning:
    """Keeps what is heard, and the sweep over it for as long as it is true."""

    def __init__(self, sound: Sound, labels: npt.NDArray[np.float64], known: ServerVad) -> None:
        self._lock = threading.Lock()
        self._sweep: tuple[tuple[object, ...], Sweep] | None = None
        self.heard = _heard(sound, labels, known)

    def take(self, sound: Sound, labels: npt.NDArray[np.float64], known: ServerVad) -> None:
        """Listen to another sound; `known` are the settings to compare with where no server has decided."""
        self.heard = _heard(sound, labels, known)

    def label(self, labels: npt.NDArray[np.float64]) -> None:
        """Take other labels for the same sound."""
        old = self.heard
        self.heard = Heard(old.sound, old.before, old.before_name, labels, old.number)

    def decide(self, vad: ServerVad, exit_threshold: float | None) -> npt.NDArray[np.int32]:
        """Return the turns at these settings, with what the labels say about each."""
        heard = self.heard
        return judged(find_turns(heard.sound.parts, vad, exit_threshold), heard.labels)

    def sweep(self, prefix_padding_ms: int, exit_threshold: float | None) -> Sweep:
        """Return the plane of all thresholds and silences; made once for what it depends on."""
        heard = self.heard
        key = (heard, prefix_padding_ms, exit_threshold)
        with self._lock:
            if self._sweep is None or self._sweep[0] != key:
                made = sweep(
                    [heard.sound.trace],
                    prefix_padding_ms=[prefix_padding_ms],
                    labels=[heard.labels] if len(heard.labels) else None,
                    exit_threshold=exit_threshold,
                )
                self._sweep = key, made
            return self._sweep[1]

    def score(self, vad: ServerVad, exit_threshold: float | None) -> dict[str, float]:
        """Return all metrics at one setting, which need not be on the plane."""
        heard = self.heard
        found = sweep(
            [heard.sound.trace],
            threshold=[vad.threshold],
            silence_duration_ms=[vad.silence_duration_ms],
            prefix_padding_ms=[vad.prefix_padding_ms],
            labels=[heard.labels] if len(heard.labels) else None,
            exit_threshold=exit_threshold,
        )
        return found.at(vad)


def _heard(sound: Sound, labels: npt.NDArray[np.float64], known: ServerVad) -> Heard:
    if sound.recorded is not None:
        return Heard(sound, sound.recorded, "Server", labels)
    return Heard(sound, find_turns(sound.parts, known), "Before", labels)
