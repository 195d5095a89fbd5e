"""Compare turns with labels: whole numbers that can be added up, over rows of turns at once.

Every count is of an event that somebody would notice. A scorer that lacks one of them can be cheated: without
`swallowed`, a detector that never ends a turn is never wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Ints = npt.NDArray[np.signedinteger[Any]]

T = TypeVar("T", bound=np.generic)

__all__ = ["BINS", "BIN_MS", "COUNTS", "FIRST_BIN_MS", "PADDED", "Truth", "Turns"]

COUNTS = (
    "turns",
    "open",
    "speech_ms",
    "misses",
    "swallowed",
    "splits",
    "false_cutoffs",
    "false_starts",
    "ends",
    "latency_ms",
)
"""What is counted for a setting, whatever its padding."""

PADDED = ("sent_ms", "noise_ms", "clipped", "clipped_ms")
"""What the padding changes."""

COLLAR_MS = 100
"""Labels are no more exact than this: a turn that is ended so shortly before its label's end is not cut."""

CLIPPED_MS = 50
"""An onset is clipped if more than this of it is not sent."""

TAIL_MS = 2000
"""A turn that is still open so long after its label's end has swallowed what comes."""

FIRST_BIN_MS, BIN_MS, BINS = -200, 50, 64
"""Bins of the latencies; the last one holds all that are longer."""


@dataclass(frozen=True, slots=True)
class Turns:
    """Turns of several rows (settings), ordered by row, then by time; times are indices into a grid.

    `silent_from` and `end` of an open turn are the last index of the grid.
    """

    row: Ints
    onset: Ints
    silent_from: Ints
    end: Ints
    open: npt.NDArray[np.bool_]


class Truth:
    """Labels on a grid of times.

    Parameters
    ----------
    labels
        Shape (m, 2), in seconds, in order and apart; None: only what needs no labels is counted.
    at_ms
        Times of the grid, increasing; the last one is the recording's end.
    paddings_ms
        The prefix paddings to count for.
    """

    def __init__(
        self, labels: npt.NDArray[np.float64] | None, at_ms: npt.NDArray[np.int64], paddings_ms: list[int]
    ) -> None:
        self._at_ms = at_ms
        self._paddings_ms = paddings_ms
        end_ms = int(at_ms[-1])
        found = np.zeros((0, 2)) if labels is None else labels
        ms = np.minimum(np.rint(found * 1000).astype(np.int64), end_ms)
        ms = ms[ms[:, 1] > ms[:, 0]]
        self.labelled = labels is not None
        self.count = len(ms)
        self._starts_ms, self._ends_ms = ms[:, 0], ms[:, 1]
        # Looked up for every turn of every setting: by index instead of by a search.
        self._first_after = np.searchsorted(self._ends_ms, at_ms, side="right")
        self._last_before = np.searchsorted(self._starts_ms, at_ms, side="left") - 1
        edges = np.concatenate([[0], ms.reshape(-1), [end_ms]])
        spoken = np.concatenate([[0], np.cumsum(np.diff(edges) * (np.arange(edges.size - 1) % 2))])
        self._spoken_ms = _interpolated(at_ms, edges, spoken)
        self._spoken_padded_ms = [
            _interpolated(np.maximum(at_ms - padding_ms, 0), edges, spoken) for padding_ms in paddings_ms
        ]

    def score(
        self, turns: Turns, rows: int
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Count what the turns get right and wrong.

        Returns
        -------
        counts
            Shape (`COUNTS`, rows).
        padded
            Shape (`PADDED`, paddings, rows).
        latencies
            Shape (rows, `BINS`).
        """
        counts = np.zeros((len(COUNTS), rows), np.int64)
        padded = np.zeros((len(PADDED), len(self._paddings_ms), rows), np.int64)
        if self.labelled:
            counts[COUNTS.index("misses")] = self.count
        if not turns.row.size:
            return counts, padded, np.zeros((rows, BINS), np.int64)
        at_ms, row = self._at_ms, turns.row
        onset_ms, end_ms = at_ms.take(turns.onset), at_ms.take(turns.end)
        closed = ~turns.open
        begins = np.ones(row.size, bool)
        begins[1:] = row[1:] != row[:-1]
        at = np.flatnonzero(begins)
        present = row[at]

        def add(values: npt.NDArray[np.generic]) -> npt.NDArray[np.int64]:
            summed: npt.NDArray[np.int64] = np.add.reduceat(values, at, dtype=np.int64)
            return summed

        def note(name: str, values: npt.NDArray[np.generic]) -> None:
            counts[COUNTS.index(name), present] = add(values)

        note("turns", np.ones(row.size, bool))
        note("open", turns.open)
        note("speech_ms", at_ms.take(turns.silent_from) - onset_ms)
        latencies = np.zeros((rows, BINS), np.int64)
        first: Ints = turns.row
        clips = np.zeros(0, np.intp)
        if self.labelled:
            first = self._first_after.take(turns.onset)
            last = self._last_before.take(turns.silent_from)
            hits = last >= first
            shared = hits & ~begins & _before(hits) & (_before(last) == first)
            clips = np.flatnonzero(hits & ~shared)
            over = np.where(hits, last - first, 0)
            note("splits", shared)
            note("false_starts", ~hits)
            counts[COUNTS.index("misses"), present] -= add(over + hits - shared)
            if self.count:
                true_end_ms = self._ends_ms.take(np.maximum(last, 0))
                endless = turns.open & hits & (at_ms[-1] - true_end_ms >= TAIL_MS)
                note("swallowed", over + endless)
                again = shared & (last == first)
                cut = hits & closed & (end_ms < true_end_ms - COLLAR_MS)
                note("false_cutoffs", cut & ~(again & _before(cut)))
                ended = hits & closed & ~cut
                ended &= ~(again & _before(ended))
                note("ends", ended)
                latency_ms = end_ms - true_end_ms
                note("latency_ms", np.where(ended, latency_ms, 0))
                which = np.flatnonzero(ended)
                place = np.clip((latency_ms[which] - FIRST_BIN_MS) // BIN_MS, 0, BINS - 1)
                seen = np.bincount(row[which] * np.int64(BINS) + place, minlength=rows * BINS)
                latencies = seen.reshape(rows, BINS).astype(np.int64)
        before = np.where(begins, 0, _before(turns.end))
        floor_ms = np.where(begins, 0, at_ms.take(before))
        spoken_floor_ms = np.where(begins, 0, self._spoken_ms.take(before))
        spoken_end_ms = self._spoken_ms.take(turns.end)
        for number, padding_ms in enumerate(self._paddings_ms):
            wanted_ms = onset_ms - padding_ms
            start_ms = np.maximum(wanted_ms, floor_ms)
            sent_ms = end_ms - start_ms
            values = padded[:, number]
            values[0, present] = add(sent_ms)
            if not self.labelled:
                continue
            spoken_ms = self._spoken_padded_ms[number].take(turns.onset)
            spoken_ms = np.where(wanted_ms >= floor_ms, spoken_ms, spoken_floor_ms)
            values[1, present] = add(sent_ms - (spoken_end_ms - spoken_ms))
            late_ms = np.zeros(row.size, np.int64)
            late_ms[clips] = np.maximum(start_ms[clips] - self._starts_ms.take(first[clips]), 0)
            values[2, present] = add(late_ms > CLIPPED_MS)
            values[3, present] = add(late_ms)
        return counts, padded, latencies


def _before(values: npt.NDArray[T]) -> npt.NDArray[T]:
    """Return for each turn the value of the one before it."""
    shifted = np.empty_like(values)
    shifted[:1] = values[:1]
    shifted[1:] = values[:-1]
    return shifted


def _interpolated(
    at_ms: npt.NDArray[np.int64], edges: npt.NDArray[np.int64], values: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    # Slopes are 0 or 1, so this is exact.
    found: npt.NDArray[np.int64] = np.rint(np.interp(at_ms, edges, values)).astype(np.int64)
    return found
