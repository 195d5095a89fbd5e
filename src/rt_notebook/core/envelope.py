"""How loud audio is, finely enough to find where speech ended: one number each 5 ms.

An event keeps its chunk's envelope as a string: for each step the energy as the upper half of a 32-bit
float, in hex. That costs no more than the level alone, which is the sum of the same numbers.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from rt_notebook.core.audio import SILENCE_DBFS, pcm_samples

__all__ = ["STEP_SAMPLES", "envelope_dbfs", "level_and_envelope"]

STEP_SAMPLES: Final = 120
"""5 ms at 24 kHz."""

_FULL_SCALE_POWER: Final = 32768.0**2
_FIRST_STEPS: Final = np.arange(0, 200 * STEP_SAMPLES, STEP_SAMPLES)


def level_and_envelope(pcm: bytes) -> tuple[float, str]:
    """Return the RMS level of PCM16 audio, as `audio.level_dbfs` does, and its envelope."""
    samples = np.frombuffer(pcm, dtype="<i2", count=pcm_samples(pcm)).astype(np.float32)
    if samples.size == 0:
        return SILENCE_DBFS, ""
    steps = -(-samples.size // STEP_SAMPLES)
    starts = _FIRST_STEPS[:steps]
    if steps > len(starts):
        starts = np.arange(0, samples.size, STEP_SAMPLES)
    samples *= samples
    energies = np.add.reduceat(samples, starts)
    power = sum(energies.tolist()) / (samples.size * _FULL_SCALE_POWER)
    level = max(SILENCE_DBFS, 10.0 * math.log10(power)) if power > 0 else SILENCE_DBFS
    return level, energies.view(np.uint16)[1::2].tobytes().hex()


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
    return np.asarray(10.0 * np.log10(np.maximum(energies / (lengths * _FULL_SCALE_POWER), lowest)))
