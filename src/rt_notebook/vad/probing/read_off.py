"""Read a detector's settings off the turns that it told, over the trace of the audio that it was sent.

The state machine run backwards. Where each turn began and ended is known; so, for one guess of the
thresholds, every turn says by itself which padding and which silence it was made with. A guess is right if
they all say the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rt_notebook.core.turn_detection import exit_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from rt_notebook.core.turn_detection import Reset

    Probabilities = npt.NDArray[np.float64]

__all__ = ["Onsets", "Range", "Silences", "Told", "read_onsets", "read_silences"]

THRESHOLDS = np.arange(1, 201) / 200
"""Guesses: the resolution of a threshold that is read off."""

EXITS = (0.01, 0.02, 0.03, *(number / 20 for number in range(1, 20)))

RESETS: tuple[Reset, ...] = ("high", "not_low")

_UNDERSTOOD = 0.75
_FAR_MS = 500.0


@dataclass(frozen=True, slots=True)
class Told:
    """A turn as an endpoint told it, in ms of audio; it ends at None while it is open."""

    start_ms: int
    end_ms: int | None


@dataclass(frozen=True, slots=True)
class Range:
    """What a number is, and between what it lies."""

    estimate: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Onsets:
    """What the beginnings of turns say.

    Attributes
    ----------
    threshold, padding_ms
        The threshold is one of this trace's probabilities, whatever the endpoint's own detector says.
    agreement
        The share of beginnings, and of sounds that began none, that the best guess explains to the
        millisecond.
    """

    threshold: Range
    padding_ms: Range
    agreement: float


@dataclass(frozen=True, slots=True)
class Silences:
    """What the ends of turns say: the silence in whole frames, and the share of ends that say so."""

    frames: Range
    agreement: float


def read_onsets(heard: Probabilities, hop_ms: float, turns: Sequence[Told], begin: int, end: int) -> Onsets:
    """Find the thresholds and the padding under which the turns begin where they were told to.

    Parameters
    ----------
    heard
        Probabilities of the whole stream, shape (n,).
    turns
        In their order, all between the frames `begin` and `end`; no turn is open at either.
    """
    floors_ms = [begin * hop_ms, *[turn.end_ms or turn.start_ms for turn in turns]]
    floors = np.rint(np.array(floors_ms) / hop_ms).astype(np.int64)
    starts_ms = np.array([turn.start_ms for turn in turns], np.float64)
    # A start at the end of the turn before it was cut off there: the padding is at least so long.
    free = starts_ms > np.array(floors_ms[:-1])
    ends_ms = np.array([np.inf if turn.end_ms is None else turn.end_ms for turn in turns])
    agreed, strayed, paddings = [], [], []
    for threshold in THRESHOLDS:
        high = np.append(np.flatnonzero(heard[:end] >= threshold), end)
        onsets_ms = high[np.searchsorted(high, floors)] * hop_ms
        silent_after = bool(onsets_ms[-1] >= end * hop_ms)
        padding_ms = onsets_ms[:-1] - starts_ms
        values, counts = np.unique(padding_ms[free], return_counts=True)
        usual_ms = float(values[np.argmax(counts)]) if values.size else float(padding_ms.max(initial=0))
        right = np.where(free, padding_ms == usual_ms, padding_ms <= usual_ms)
        right &= onsets_ms[:-1] < ends_ms
        agreed.append((usual_ms >= 0) * (int(right.sum()) + silent_after))
        off_ms = np.abs(padding_ms - np.median(padding_ms[free])) if values.size else np.zeros(0)
        strayed.append(float(np.minimum(off_ms, _FAR_MS).sum() + _FAR_MS * (not silent_after)))
        paddings.append(padding_ms[free] if values.size else np.array([usual_ms]))
    best = np.array(agreed)
    agreement = float(best.max()) / (len(turns) + 1)
    if agreement >= _UNDERSTOOD:
        chosen = np.flatnonzero(best == best.max())
        modes = [_mode(paddings[at]) for at in chosen]
        padding = Range(float(np.median(modes)), min(modes), max(modes) if free.any() else 10_000.0)
    else:
        # Another detector than ours: the guess that strays least, and all that stray little more.
        cost = np.array(strayed)
        chosen = np.flatnonzero(cost <= 1.25 * cost.min() + hop_ms)
        near = np.concatenate([paddings[at] for at in chosen])
        near = near[np.abs(near - np.median(near)) <= _FAR_MS]
        padding = Range(float(np.median(near)), float(near.min()), float(near.max()))
    step = float(THRESHOLDS[0])
    low, high_ = float(THRESHOLDS[chosen[0]]) - step, float(THRESHOLDS[chosen[-1]]) + step
    threshold = Range((low + high_) / 2, max(low, 0.0), min(high_, 1.0))
    return Onsets(threshold, padding, agreement)


def read_silences(heard: Probabilities, hop_ms: float, turns: Sequence[Told], onsets: Onsets) -> Silences:
    """Find how many silent frames end a turn, over all exit thresholds and reset rules that are possible."""
    ended = [turn for turn in turns if turn.end_ms is not None]
    ends = np.array([round((turn.end_ms or 0) / hop_ms) for turn in ended])
    begins = np.array([round((turn.start_ms + onsets.padding_ms.estimate) / hop_ms) for turn in ended])
    ends = np.clip(ends, 1, heard.size)
    begins = np.clip(begins, 0, ends - 1)
    found: list[tuple[int, bool, int, int]] = []
    for threshold in np.linspace(onsets.threshold.low, onsets.threshold.high, 7).tolist():
        usual = exit_of(threshold)
        for leave in {usual, threshold, *(level for level in EXITS if level < threshold)}:
            for reset in RESETS:
                silent = silent_frames(heard, threshold, leave, reset)
                at_end = silent[ends - 1]
                inside = zip(begins, ends - 1, strict=True)
                before = np.array([silent[begin:end].max(initial=0) for begin, end in inside])
                # A turn goes on while its silence is too short, and ends when it is long enough.
                tried = np.unique(np.concatenate([at_end, before + 1]))
                right = ((before < tried[:, None]) & (tried[:, None] <= at_end)).sum(axis=1)
                best = tried[(right == right.max()) & (tried > 0)]
                if best.size:
                    is_usual = leave == usual and reset == RESETS[0]
                    found.append((int(right.max()), is_usual, int(best[0]), int(best[-1])))
    most = max((each[0] for each in found), default=0)
    if most == 0:
        return Silences(Range(0, 0, 0), 0.0)
    chosen = [each for each in found if each[0] == most]
    # Several rules may explain as much. Silero's own is the likeliest, and the bounds are those of all.
    likeliest = [high for _, is_usual, _, high in chosen if is_usual] or [high for *_, high in chosen]
    lowest, highest = min(each[2] for each in chosen), max(each[3] for each in chosen)
    estimate = _mode(np.array(likeliest, np.float64))
    return Silences(Range(estimate, lowest, highest), most / len(ended))


def silent_frames(
    heard: Probabilities, threshold: float, leave: float, reset: Reset
) -> npt.NDArray[np.int64]:
    """Return for each frame how long the silence is that may end a turn there, in frames, as if in a turn."""
    at = np.arange(heard.size)
    low = heard < leave
    breaks = heard >= threshold if reset == "high" else ~low
    last_break = np.maximum.accumulate(np.where(breaks, at, -1))
    next_low = np.append(np.minimum.accumulate(np.where(low, at, heard.size)[::-1])[::-1], heard.size)
    silent: npt.NDArray[np.int64] = np.where(low, at - next_low[last_break + 1] + 1, 0)
    return silent


def _mode(values: npt.NDArray[np.float64]) -> float:
    found, counts = np.unique(values, return_counts=True)
    return float(found[np.argmax(counts)])
