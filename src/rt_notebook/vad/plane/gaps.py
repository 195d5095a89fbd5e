"""Where a trace falls silent, for many thresholds at once: every silence duration is then one comparison.

For one threshold look at the gaps between stretches of speech. Whether a gap ends a turn depends on the
silence duration alone, and only through one number a gap: the longest silence that it holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from rt_notebook.vad.plane.triggers import falls, reached, rises, run

if TYPE_CHECKING:
    import numpy.typing as npt

    from rt_notebook.core.audio import Float32
    from rt_notebook.core.turn_detection import Reset
    from rt_notebook.vad.plane.triggers import Index, Levels

__all__ = ["Gaps", "find_gaps"]

_SINGLE_STEPS = 2


@dataclass(frozen=True)
class Gaps:
    """The gaps of a trace, ordered by threshold, then by time; times are frames.

    The last gap of a threshold that hears speech reaches to the end of the trace and may be empty.

    Attributes
    ----------
    frames
        Length of the trace.
    row
        Index of the threshold.
    low
        First silent frame; `frames` where speech goes on to the end.
    longest
        The silence durations up to this many frames end a turn here.
    last
        It is the last of its threshold.
    first_onset
        First frame of speech for each threshold; `frames` where there is none.
    """

    frames: int
    row: Index
    low: Index
    longest: Index
    last: npt.NDArray[np.bool_]
    first_onset: Index
    _on: Levels
    _silences: _Silences
    _reset: Reset

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
        ended = gap[enough]
        row, low = self.row[ended], self.low[ended]
        if self._reset == "high":
            last = self._silences.next_frame(row, low + (silent_frames - 1))
        else:
            low = self._silences.next_run(silent_frames, row, low)
            last = low + (silent_frames - 1)
        silent_from = np.full(gap.size, self.frames, np.int32)
        end = silent_from.copy()
        silent_from[enough], end[enough] = low, last + 1
        return gap, silent_from, end

    def onsets(self, gap: Index) -> Index:
        """Return the onsets of the turns that end in these gaps, as `ends` gives them."""
        row = self.row[gap]
        found = self.first_onset[row].astype(np.int32)
        again = np.flatnonzero(row[1:] == row[:-1]) + 1
        found[again] = self._onset[gap[again - 1]]
        return found

    @cached_property
    def _onset(self) -> Index:
        """First frame of speech after each gap."""
        _, onset = rises(self._on)
        return _after(onset, self.row)

    def turns(self, most: int) -> npt.NDArray[np.int64]:
        """Return how many turns there are if 0, 1 ... `most` silent frames end one: (thresholds, most + 1).

        The one that is open at the end counts: it ends with its threshold's last gap, or not at all.
        """
        thresholds = self.first_onset.size
        index = self.row * (most + 1) + np.where(self.last, most, np.minimum(self.longest, most))
        seen = np.bincount(index, minlength=thresholds * (most + 1)).reshape(thresholds, most + 1)
        return np.cumsum(seen[:, ::-1], axis=1, dtype=np.int64)[:, ::-1]


@dataclass(frozen=True)
class _Silences:
    """Which frames are silent, for every threshold.

    Those from number ``kept[frame]`` on; there is a silent frame after the last.
    """

    frames: int
    kept: Levels
    thresholds: int

    @cached_property
    def runs(self) -> tuple[Index, Index, Index]:
        """Threshold, first frame and length of every run of silent frames, in order."""
        level = np.insert(self.kept, 0, self.thresholds)
        row, start = falls(level)
        _, end = rises(level)
        return row, start, np.minimum(end, self.frames) - start

    def longest(self, row: Index, low: Index, first_onset: Index) -> Index:
        """Return the longest run in each gap.

        Every gap begins with one, and all after the first onset lie in gaps.
        """
        run_row, start, length = self.runs
        inside = np.flatnonzero(start > first_onset[run_row])
        first = np.searchsorted(self._key(run_row[inside], start[inside]), self._key(row, low))
        found: Index = np.maximum.reduceat(length[inside], first) if first.size else low
        return found

    def next_frame(self, row: Index, at: Index) -> Index:
        """Return for each place the next silent frame, from itself on."""
        found = at.copy()
        which = np.flatnonzero(self.kept.take(found) > row)
        for _ in range(_SINGLE_STEPS):
            found[which] += 1
            which = which[self.kept.take(found[which]) > row[which]]
        if which.size:
            # A frame that is not silent: the next one that is begins a run.
            run_row, start, _ = self.runs
            place = np.searchsorted(self._key(run_row, start), self._key(row[which], found[which]))
            found[which] = start[place]
        return found

    def next_run(self, silent_frames: int, row: Index, at: Index) -> Index:
        """Return for each place the next beginning, from itself on, of a run of so many silent frames."""
        run_row, start, length = self.runs
        long = np.flatnonzero(length >= silent_frames)
        place = np.searchsorted(self._key(run_row[long], start[long]), self._key(row, at))
        found: Index = start[long[place]]
        return found

    def _key(self, row: Index, frame: Index) -> npt.NDArray[np.int64]:
        return row.astype(np.int64) * (self.frames + 2) + frame


def find_gaps(
    probabilities: Float32,
    enter: npt.NDArray[np.float64],
    leave: npt.NDArray[np.float64],
    reset: Reset = "high",
) -> Gaps:
    """Return the gaps of a trace for all thresholds.

    Parameters
    ----------
    probabilities
        Shape (n,).
    enter, leave
        From `enter` on a frame is speech, below `leave` it is silent; shape (k,), both sorted,
        ``leave <= enter``.
    reset
        As for `rt_notebook.core.turn_detection.TurnDetector`.
    """
    frames, thresholds = probabilities.size, enter.size
    entered, kept = reached(probabilities, enter), reached(probabilities, leave)
    each = np.arange(thresholds)
    first_onset = np.searchsorted(np.maximum.accumulate(entered), each, side="right").astype(np.int32)
    # How long each threshold's last frames are not silent.
    tail = frames - np.searchsorted(np.minimum.accumulate(kept[::-1])[::-1], each, side="right")
    # A silent frame after the last, then one of speech, make a last gap for every threshold.
    entered, kept = (np.append(level, np.array([0, thresholds], level.dtype)) for level in (entered, kept))
    on, silences = run(entered, kept), _Silences(frames, kept, thresholds)
    row, low = falls(on)
    last = np.append(row[1:] != row[:-1], np.ones(min(row.size, 1), bool))
    if reset == "high":
        # The last silence of a gap ends where, backwards, the speech after it ends.
        _, silent_until = rises(np.roll(run(entered[::-1], kept[::-1])[::-1], 1))
        longest = _after(silent_until, row) - low
        ending = np.flatnonzero(last)
        longest[ending] = np.maximum(frames - tail[row[ending]] - low[ending], 0)
    else:
        longest = silences.longest(row, low, first_onset)
    return Gaps(frames, row, low, longest, last, first_onset, on, silences, reset)


def _after(risen: Index, row: Index) -> Index:
    """Return what rises after each gap, where every threshold rises once more than it falls."""
    return risen.take(np.arange(1, row.size + 1, dtype=row.dtype) + row)
