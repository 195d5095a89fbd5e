"""Every setting of one recording at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rt_notebook.core.turn_detection import exit_of, frames_of
from rt_notebook.errors import ConfigError
from rt_notebook.vad.plane.gaps import find_gaps
from rt_notebook.vad.plane.score import BINS, COUNTS, PADDED, Truth, Turns
from rt_notebook.vad.traces.simulate import check_rules

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from rt_notebook.core.turn_detection import Reset
    from rt_notebook.vad.traces.trace import Trace

    Int64 = npt.NDArray[np.int64]

__all__ = ["Counted", "Plane", "add_up", "count", "plane"]


@dataclass(frozen=True, slots=True)
class Plane:
    """The settings that are tried: every threshold with every silence duration and padding.

    Made by `plane`, which checks them.
    """

    threshold: tuple[float, ...]
    silence_duration_ms: tuple[int, ...]
    prefix_padding_ms: tuple[int, ...]
    exit_threshold: float | None
    reset: Reset

    @property
    def thresholds(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Entry and exit thresholds."""
        enter = np.array(self.threshold, np.float64)
        return enter, np.array([exit_of(each, self.exit_threshold) for each in self.threshold])


def plane(
    threshold: npt.ArrayLike,
    silence_duration_ms: npt.ArrayLike,
    prefix_padding_ms: npt.ArrayLike,
    exit_threshold: float | None,
    reset: Reset,
) -> Plane:
    """Return the settings in order, each once.

    Raises
    ------
    ConfigError
        There is none, or one is out of range.
    """
    check_rules(exit_threshold, reset)
    return Plane(
        _axis("threshold", threshold, 1.0, float),
        _axis("silence_duration_ms", silence_duration_ms, 10_000, int),
        _axis("prefix_padding_ms", prefix_padding_ms, 10_000, int),
        exit_threshold,
        reset,
    )


def _axis(name: str, values: npt.ArrayLike, most: float, kind: type[Any]) -> tuple[Any, ...]:
    found = np.unique(np.asarray(values, np.float64))
    whole = kind is float or bool(np.all(found == np.rint(found)))
    if not found.size or not whole or not bool(np.all((found >= 0) & (found <= most))):
        raise ConfigError(f"{name}={values!r} is not usable.", f"Give numbers from 0 to {most:g}.")
    return tuple(kind(value) for value in found)


@dataclass(frozen=True, slots=True)
class Counted:
    """What was counted over one or more recordings: whole numbers, added up in any order.

    Attributes
    ----------
    counts
        Shape (`COUNTS`, thresholds, silences).
    padded
        Shape (`PADDED`, thresholds, silences, paddings).
    latencies
        Shape (thresholds, silences, `BINS`).
    truths, duration_ms, recordings
        Labelled turns, length and number of the recordings.
    """

    counts: Int64
    padded: Int64
    latencies: npt.NDArray[np.int32]
    truths: int
    duration_ms: int
    recordings: int = 1

    def __add__(self, other: Counted) -> Counted:
        return Counted(
            self.counts + other.counts,
            self.padded + other.padded,
            self.latencies + other.latencies,
            self.truths + other.truths,
            self.duration_ms + other.duration_ms,
            self.recordings + other.recordings,
        )


def count(trace: Trace, settings: Plane, labels: npt.NDArray[np.float64] | None) -> Counted:
    """Count over one recording, for every setting, what its turns get right and wrong."""
    enter, leave = settings.thresholds
    silences, paddings = settings.silence_duration_ms, settings.prefix_padding_ms
    at_ms = np.rint(np.arange(len(trace) + 1) * trace.hop_ms).astype(np.int64)
    truth = Truth(labels, at_ms, list(paddings))
    counts = np.zeros((len(COUNTS), enter.size, len(silences)), np.int64)
    padded = np.zeros((len(PADDED), enter.size, len(silences), len(paddings)), np.int64)
    latencies = np.zeros((enter.size, len(silences), BINS), np.int32)
    silent_frames = [frames_of(silence_ms, trace.hop_ms) for silence_ms in silences]
    gaps = find_gaps(trace.probabilities, enter, leave, settings.reset)
    for at, frames in enumerate(silent_frames):
        if at and frames == silent_frames[at - 1]:
            for counted in (counts, padded, latencies.transpose(2, 0, 1)):
                counted[:, :, at] = counted[:, :, at - 1]
            continue
        gap, silent_from, end = gaps.ends(frames)
        turns = Turns(gaps.row[gap], gaps.onsets(gap), silent_from, end, silent_from == gaps.frames)
        found = truth.score(turns, enter.size)
        counts[:, :, at] = found[0]
        padded[:, :, at] = found[1].transpose(0, 2, 1)
        latencies[:, at] = found[2]
    return Counted(counts, padded, latencies, truth.count, int(at_ms[-1]))


def add_up(parts: Sequence[Counted]) -> Counted:
    """Add the counts of several recordings."""
    total = parts[0]
    for part in parts[1:]:
        total += part
    return total
