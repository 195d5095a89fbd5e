"""Many triggers at once, as one number a frame: how many of them are on.

A trigger with two thresholds turns on at `enter` and off below `leave`. Sorted by both, those that are on are
always the first few: whatever turns one on turns on all before it, and whatever turns one off turns off all
after it. So a frame that reaches `entered` of the `enter` and `kept` of the `leave` thresholds does to their
number x ``x = max(min(x, kept), entered)``. Two such clamps in a row are one clamp, so those of twice as many
frames follow from those before, and a whole trace takes a few steps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from rt_notebook.core.audio import Float32

    Levels = npt.NDArray[np.unsignedinteger[Any]]
    Index = npt.NDArray[np.signedinteger[Any]]

__all__ = ["falls", "reached", "rises", "run"]

# Probabilities are sorted into bins first; only those in a bin with a threshold inside are compared.
_BINS = 4096


def reached(probabilities: Float32, thresholds: npt.NDArray[np.float64]) -> Levels:
    """Return how many of the thresholds, which are sorted, each frame reaches: shape (n,)."""
    kind = np.min_scalar_type(thresholds.size)
    if thresholds.size == 1:
        # The threshold as an array of float64, or numpy would round it to the trace's float32.
        return (probabilities >= thresholds).astype(kind)
    edges = np.arange(_BINS + 2) / _BINS
    below = np.searchsorted(thresholds, edges, side="right")
    inside = np.searchsorted(thresholds, edges[1:], side="left") > below[:-1]
    bins = (probabilities * np.float32(_BINS)).astype(np.intp)
    level: Levels = below.astype(kind).take(bins)
    unsure = np.flatnonzero(inside.take(bins))
    level[unsure] = np.searchsorted(thresholds, probabilities[unsure], side="right")
    return level


def run(entered: Levels, kept: Levels) -> Levels:
    """Return how many triggers are on before the first frame, where all are off, and after each: (n + 1,).

    Parameters
    ----------
    entered, kept
        How many turn on and how many do not turn off, ``entered <= kept``; shape (n,).
    """
    least, most = (np.insert(level, 0, 0) for level in (entered, kept))
    # What the frames up to each one, as many as have been put together, make of any number before them.
    step = 1
    while not np.array_equal(least, most):
        before = least[:-step].copy(), most[:-step].copy()
        for each in before:
            np.minimum(each, most[step:], out=each)
            np.maximum(each, least[step:], out=each)
        least[step:], most[step:] = before
        step *= 2
    return least


def falls(level: Levels) -> tuple[Index, Index]:
    """Return trigger and frame of everything that turns off, ordered by trigger, then by frame.

    `level` is how many are on before the first frame and after each, as `run` gives it.
    """
    return _crossings(level[:-1], level[1:])


def rises(level: Levels) -> tuple[Index, Index]:
    """Return trigger and frame of everything that turns on, as `falls` does."""
    return _crossings(level[1:], level[:-1])


def _crossings(more: Levels, fewer: Levels) -> tuple[Index, Index]:
    at = np.flatnonzero(more > fewer).astype(np.int32)
    first = fewer.take(at)
    count = more.take(at) - first
    # At each frame these are the triggers from `first` on, `count` of them.
    end = np.cumsum(count, dtype=np.int32)
    trigger = np.arange(end[-1] if at.size else 0, dtype=np.int32) + np.repeat(first - (end - count), count)
    order = np.argsort(trigger.astype(more.dtype), kind="stable")
    return trigger.take(order), np.repeat(at, count).take(order)
