"""Where a trace falls silent, for many thresholds at once: every silence duration is then one comparison.

For one threshold look at the gaps between stretches of speech. Whether a gap ends a turn depends on the
silence duration alone, and only through one number a gap: the longest silence that it holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rt_notebook.vad.plane.bits import packed, positions, seek, trigger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy.typing as npt

    from rt_notebook.core.audio import Float32
    from rt_notebook.core.turn_detection import Reset
    from rt_notebook.vad.plane.bits import Index, Rows

    Levels = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]

__all__ = ["Gaps", "find_gaps", "gaps_at"]

# Probabilities are sorted into bins first; only those in a bin with a threshold inside are compared.
_BINS = 4096
_WORDS_AT_ONCE = 1 << 15
_DIGIT = 16


@dataclass(frozen=True, slots=True)
class Gaps:
    """The gaps of a trace, ordered by threshold, then by time; times are frames.

    The last gap of each threshold reaches to the end of the trace and may be empty.

    Attributes
    ----------
    frames
        Length of the trace.
    row
        Index of the threshold.
    low
        First silent frame; `frames` where speech goes on to the end.
    onset
        First frame of speech after the gap; `frames` + 1 for the last gap.
    longest
        The silence durations up to this many frames end a turn here; 0 where no speech comes before it.
    last
        It is the last of a threshold that hears speech.
    first_onset
        First frame of speech for each threshold; `frames` where there is none.
    """

    frames: int
    row: Index
    low: Index
    onset: Index
    longest: Index
    last: npt.NDArray[np.bool_]
    first_onset: Index
    _silent: Rows
    _runs: tuple[Index, Index, Index] | None

    def ends(self, silent_frames: int) -> tuple[Index, Index, Index]:
        """Return what ends turns when this many silent frames do.

        Returns
        -------
        gap, silent_from, end
            Which gaps, the first frame of the silence that ends the turn, and the frame after the last.
            The last gap of a threshold with speech is always among them; where it does not end the turn,
            both frames are `frames`.
        """
        gap = np.flatnonzero((self.longest >= silent_frames) | self.last)
        enough = self.longest[gap] >= silent_frames
        if self._runs is None:
            silent_from = self.low[gap]
            end = silent_from + (silent_frames - 1)
            seek(self._silent, self.row[gap], end, np.flatnonzero(enough), 1)
            end += 1
        else:
            starts, lengths, owner = self._runs
            runs = np.flatnonzero((lengths >= silent_frames) & (self.longest[owner] >= silent_frames))
            first = np.ones(runs.size, bool)
            first[1:] = owner[runs[1:]] != owner[runs[:-1]]
            silent_from = np.full(gap.size, self.frames)
            silent_from[enough] = starts[runs[first]]
            end = silent_from + silent_frames
        if not enough.all():
            silent_from = np.where(enough, silent_from, self.frames)
            end = np.where(enough, end, self.frames)
        return gap, silent_from, end

    def onsets(self, gap: Index) -> Index:
        """Return the onsets of the turns that end in these gaps, as `ends` gives them."""
        before = np.empty_like(gap)
        before[:1] = -1
        before[1:] = gap[:-1]
        row = self.row[gap]
        found: Index = np.where(
            (before >= 0) & (self.row[before] == row), self.onset[before], self.first_onset[row]
        )
        return found

    def counts(self, most: int) -> npt.NDArray[np.int64]:
        """Return how many turns end when 0, 1 ... `most` silent frames do, shape (thresholds, most + 1)."""
        thresholds = self.first_onset.size
        index = self.row * (most + 1) + np.minimum(self.longest, most)
        seen = np.bincount(index, minlength=thresholds * (most + 1)).reshape(thresholds, most + 1)
        return np.cumsum(seen[:, ::-1], axis=1, dtype=np.int64)[:, ::-1]


def find_gaps(
    probabilities: Float32,
    enter: npt.NDArray[np.float64],
    leave: npt.NDArray[np.float64],
    reset: Reset = "high",
) -> Iterator[tuple[slice, Gaps]]:
    """Yield the gaps of a trace for some thresholds at a time: what is worked on then stays in the cache.

    Parameters
    ----------
    probabilities
        Shape (n,).
    enter, leave
        From `enter` on a frame is speech, below `leave` it is silent; shape (k,), ``leave <= enter``.
    reset
        As for `rt_notebook.core.turn_detection.TurnDetector`.
    """
    frames = probabilities.size
    level, rank = _levels(probabilities, np.unique(np.concatenate([enter, leave])))
    enter_rank, leave_rank = rank(enter), rank(leave)
    words = (frames + 1) // 64 + 1
    above = _above(level, words)
    reached = np.maximum.accumulate(level) if frames else level
    first_onset = np.searchsorted(reached, enter_rank.astype(level.dtype), side="right")
    at_once = max(1, _WORDS_AT_ONCE // words)
    for start in range(0, enter.size, at_once):
        some = slice(start, min(start + at_once, enter.size))
        high, kept = above[enter_rank[some]], above[leave_rank[some]]
        yield some, _gaps(high, kept, frames, first_onset[some], reset)


def gaps_at(probabilities: Float32, enter: float, leave: float, reset: Reset = "high") -> Gaps:
    """Return the gaps at one threshold: without the levels that many of them share, six times as fast."""
    frames = probabilities.size
    # As float64, or numpy would round the thresholds to the trace's float32.
    above = np.stack([probabilities >= np.float64(enter), probabilities >= np.float64(leave)])
    high, kept = packed(above, (frames + 1) // 64 + 1)[:, None]
    first = np.array([int(np.argmax(above[0])) if above[0].any() else frames])
    return _gaps(high, kept, frames, first, reset)


def _gaps(high: Rows, kept: Rows, frames: int, first_onset: Index, reset: Reset) -> Gaps:
    # A silent frame after the last, then one of speech, make a last gap for every threshold.
    place, bit = divmod(frames, 64)
    kept[:, place] |= np.uint64((1 << 64) - (1 << bit))
    kept[:, place] ^= np.uint64(1 << bit)
    kept[:, place + 1 :] = ~np.uint64(0)
    place, bit = divmod(frames + 1, 64)
    high[:, place] |= np.uint64(1 << bit)
    before, after = trigger(high, kept)
    row, at = positions(before ^ after)
    # Off and on take turns, beginning with off.
    row, low, onset = row[0::2].copy(), at[0::2].copy(), at[1::2].copy()
    last = onset > frames
    silent, runs = ~kept, None
    if reset == "high":
        longest = onset - 1
        longest[last] = frames - 1
        seek(silent, row, longest, np.flatnonzero(low < frames), -1)
        longest -= low - 1
    else:
        runs = _silent_runs(silent, row, low, frames)
        longest = np.zeros_like(row)
        np.maximum.at(longest, runs[2], runs[1])
    leading = low <= first_onset.take(row)
    longest[leading] = 0
    last &= ~leading
    return Gaps(frames, row, low, onset, longest, last, first_onset, silent, runs)


def _levels(
    probabilities: Float32, thresholds: npt.NDArray[np.float64]
) -> tuple[Levels, Callable[[npt.NDArray[np.float64]], Index]]:
    """Sort the probabilities between the thresholds, without loss.

    Returns
    -------
    level
        How many distinguishable steps each frame has reached, from 1.
    rank
        For thresholds their rank: a frame has reached the threshold if its level is above the rank.
    """
    edges = np.arange(_BINS + 2) / _BINS
    step = np.searchsorted(thresholds, edges, side="right")
    inside = np.searchsorted(thresholds, edges[1:], side="left") > step[:-1]
    kind = np.min_scalar_type(thresholds.size + 1)
    place = (probabilities * np.float32(_BINS)).astype(np.intp)
    level = step.astype(kind)[place]
    unsure = np.flatnonzero(inside[place])
    level[unsure] = np.searchsorted(thresholds, probabilities[unsure], side="right")
    # Thresholds with no frame between them are one: default exits of 0.16 and 0.17 are 0.01 and 0.02.
    steps = np.cumsum(np.bincount(level, minlength=thresholds.size + 1) > 0, dtype=np.intp)

    def rank(values: npt.NDArray[np.float64]) -> Index:
        found: Index = steps[np.searchsorted(thresholds, values)]
        return found

    compact: Levels = steps.astype(kind)[level]
    return compact, rank


def _above(level: Levels, words: int) -> Rows:
    """Return the frames above each rank from 0, one row a rank."""
    top = int(level.max(initial=0))
    # By sixteens: the high digit is above, or it is equal and the low one is above.
    digits = level // _DIGIT, level % _DIGIT
    per_digit = [
        packed(np.stack([digit > at for at in range(int(digit.max(initial=0)) + 1)]), words)
        for digit in digits
    ]
    above = np.empty((top + 1, words), np.uint64)
    zeros = np.zeros(words, np.uint64)
    for rank in range(top + 1):
        high, low = divmod(rank, _DIGIT)
        over = per_digit[0][high]
        if low < len(per_digit[1]):
            at_least = per_digit[0][high - 1] if high else ~zeros
            over = over | (at_least & per_digit[1][low])
        above[rank] = over
    return above


def _silent_runs(silent: Rows, row: Index, low: Index, frames: int) -> tuple[Index, Index, Index]:
    """Return start and length of every run of silent frames, and the gap that it lies in."""
    words = silent.shape[1] * 64
    shifted = silent << np.uint64(1)
    shifted[:, 1:] |= silent[:, :-1] >> np.uint64(63)
    run_row, at = positions(silent ^ shifted)
    starts = at[0::2]
    lengths = np.minimum(at[1::2], frames) - starts
    # Every gap begins with a run.
    first = np.searchsorted(
        run_row[0::2].astype(np.int64) * words + starts, row.astype(np.int64) * words + low
    )
    owner = np.zeros(starts.size, np.intp)
    owner[first] = 1
    return starts, lengths, np.cumsum(owner) - 1
