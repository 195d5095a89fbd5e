"""How loud audio is, finely enough to find where speech ended: one number each 5 ms.

An event keeps its chunk's envelope as a string: for each step the energy as the upper half of a 32-bit
float, in hex. That costs no more than the level alone, which is the sum of the same numbers.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from rt_notebook.core.audio import (
    BYTES_PER_SAMPLE,
    FULL_SCALE_POWER,
    SILENCE_DBFS,
    energy_dbfs,
    int16_floats,
    pcm_samples,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["STEP_SAMPLES", "envelope_dbfs", "levels_and_envelopes"]

STEP_SAMPLES: Final = 120
"""5 ms at 24 kHz."""

_UINT16 = np.dtype(np.uint16)


def levels_and_envelopes(chunks: Sequence[bytes]) -> list[tuple[float, str]]:
    """Return of each chunk of PCM16 its RMS level, as `audio.level_dbfs` does, and its envelope.

    Chunks together cost little more than one.
    """
    counts = tuple(map(pcm_samples, chunks))
    starts, ends = _steps(counts)
    if len(starts) == 0:
        return [(SILENCE_DBFS, "")] * len(chunks)
    whole = b"".join(pcm[: count * BYTES_PER_SAMPLE] for pcm, count in zip(chunks, counts, strict=True))
    samples = int16_floats(whole)
    samples *= samples
    energies = np.add.reduceat(samples, starts)
    energy, halves = energies.tolist(), energies.view(_UINT16)[1::2].tobytes().hex()
    told, begin = [], 0
    for count, end in zip(counts, ends, strict=True):
        told.append((energy_dbfs(sum(energy[begin:end]), count), halves[4 * begin : 4 * end]))
        begin = end
    return told


@functools.lru_cache(64)
def _steps(counts: tuple[int, ...]) -> tuple[npt.NDArray[np.intp], list[int]]:
    """Return where the steps of chunks of so many samples begin, and how many end with each chunk."""
    starts: list[int] = []
    ends: list[int] = []
    before = 0
    for count in counts:
        starts += range(before, before + count, STEP_SAMPLES)
        ends.append(len(starts))
        before += count
    return np.array(starts, np.intp), ends


def envelope_dbfs(envelope: object, samples: int) -> npt.NDArray[np.float64] | None:
    """Return the level of each step of a chunk of `samples` samples; None if it is not its envelope."""
    steps = -(-samples // STEP_SAMPLES)
    if not isinstance(envelope, str) or steps == 0 or len(envelope) != 4 * steps:
        return None
    try:
        upper = np.frombuffer(bytes.fromhex(envelope), dtype="<u2")
    except ValueError:
        return None
    if upper.size != steps:
        return None
    energies = (upper.astype(np.uint32) << 16).view(np.float32).astype(np.float64)
    if not (np.isfinite(energies) & (energies >= 0)).all():
        return None
    lengths = np.full(steps, float(STEP_SAMPLES))
    lengths[-1] = samples - (steps - 1) * STEP_SAMPLES
    lowest = 10 ** (SILENCE_DBFS / 10)
    return np.asarray(10.0 * np.log10(np.maximum(energies / (lengths * FULL_SCALE_POWER), lowest)))
