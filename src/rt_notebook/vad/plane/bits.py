"""Sets of frames as bits, 64 to a word: one row of words for each threshold.

A trigger with two thresholds is a carry in binary addition: a high frame generates it, a frame between the
thresholds passes it on, a low frame stops it. So one addition of words runs the trigger over 64 frames.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

__all__ = ["Index", "Rows", "packed", "positions", "seek", "trigger"]

Rows = npt.NDArray[np.uint64]
"""Shape (rows, words); bit i of a row, counted from the lowest of its first word, is frame i."""

Index = npt.NDArray[np.signedinteger[Any]]
"""Rows or frames; half as wide where that suffices, since reading them is most of the work."""

_FULL = np.uint64(0xFFFFFFFFFFFFFFFF)
_ONE = np.uint64(1)
_WORD = 64
_SINGLE_STEPS = 2
_SET = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1, bitorder="little").astype(bool)
_COUNT = _SET.sum(axis=1).astype(np.uint8)
_NTH = np.ascontiguousarray(np.argsort(~_SET, axis=1, kind="stable").astype(np.int32).T)
"""For each byte the places of the bits that are set in it, the lowest first: shape (8, 256)."""


def packed(frames: npt.NDArray[np.bool_], words: int) -> Rows:
    """Pack truth values, shape (rows, frames), into rows of so many words; what is past the end is unset."""
    rows = np.zeros((len(frames), words * 8), np.uint8)
    some = np.packbits(frames, axis=-1, bitorder="little")
    rows[:, : some.shape[-1]] = some
    return rows.view("<u8")


def trigger(high: Rows, kept: Rows) -> tuple[Rows, Rows]:
    """Run a trigger that is on before the first frame.

    Parameters
    ----------
    high
        Frames that turn it on.
    kept
        Frames that do not turn it off; all high ones are among them.

    Returns
    -------
    before, after
        Whether it is on before and after each frame.
    """
    total = high + kept
    generated, passed = total < kept, total == _FULL
    carry = np.ones(high.shape, bool)
    if high.shape[1] > 1:
        words = -(-high.shape[1] // _WORD)
        # Whole words carry into one another by the same rule as bits do.
        before, _ = trigger(packed(generated, words), packed(generated | passed, words))
        carry = np.unpackbits(before.view(np.uint8), axis=1, bitorder="little")[:, : high.shape[1]]
    before = (total + carry) ^ high ^ kept
    return before, high | (kept & before)


def positions(rows: Rows) -> tuple[Index, Index]:
    """Return row and frame of every bit that is set, ordered by row, then by frame."""
    count, words = rows.shape
    some = rows.reshape(-1).view(np.uint8)
    at = np.flatnonzero(some != 0)
    value = some.take(at)
    bits = _COUNT.take(value)
    kind: type[np.signedinteger[Any]] = np.int32 if rows.size * _WORD < 2**31 else np.int64
    base: Index = at.astype(kind) << kind(3)
    place: Index = base + _NTH[0].take(value)
    more = np.flatnonzero(bits > 1)
    if more.size:
        # Few bytes have a second bit, fewer a third: it is cheaper to fill these in than to treat all alike.
        end = np.cumsum(bits, dtype=kind)
        begin = end - bits
        filled: Index = np.empty(int(end[-1]), kind)
        filled[begin] = place
        for nth in range(1, 8):
            more = more[bits.take(more) > nth]
            filled[begin.take(more) + nth] = base.take(more) + _NTH[nth].take(value.take(more))
        place = filled
    starts: Index = np.arange(count + 1, dtype=kind) * (words * _WORD)
    per_row = np.diff(np.searchsorted(place, starts))
    row: Index = np.repeat(np.arange(count, dtype=kind), per_row)
    return row, place - np.repeat(starts[:-1], per_row)


def seek(rows: Rows, row: Index, at: Index, which: npt.NDArray[np.intp], step: Literal[-1, 1]) -> None:
    """Move the frames `at[which]`, in place, to the nearest set bit of their rows at or past them.

    `step` gives the direction. There has to be such a bit.
    """
    words = rows.shape[1]
    flat = rows.reshape(-1)
    for _ in range(_SINGLE_STEPS):
        now = at.take(which)
        word = flat.take(row.take(which) * words + (now >> 6))
        unset = (word >> (now & 63).astype(np.uint64)) & _ONE == 0
        which = which[unset]
        if not which.size:
            return
        at[which] = now[unset] + step
    now = at.take(which)
    place = row.take(which) * words + (now >> 6)
    # Only the bits at or past the frame count in its own word.
    shift = (now & 63).astype(np.uint64)
    mask = _FULL << shift if step > 0 else _FULL >> (np.uint64(63) - shift)
    word = flat.take(place) & mask
    while True:
        found = word != 0
        hit = word[found]
        # One bit is left, or the highest with a gap below it: no rounding reaches the next power of two.
        hit = hit & (~hit + _ONE) if step > 0 else hit & ~(hit >> _ONE)
        bit = np.frexp(hit.astype(np.float64))[1] - 1
        at[which[found]] = place[found] % words * _WORD + bit
        if found.all():
            return
        which, place = which[~found], place[~found] + step
        word = flat.take(place)
