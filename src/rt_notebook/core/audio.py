"""PCM arithmetic: the wire's audio is signed 16-bit little-endian mono at 24 kHz.

Sources: the Realtime API's ``audio/pcm`` format (48 bytes a millisecond).
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

SAMPLE_RATE_HZ = 24_000
"""Sample rate of the wire, both ways."""

BYTES_PER_SAMPLE = 2
SAMPLES_PER_MS = SAMPLE_RATE_HZ // 1000

SILENCE_DBFS = -100.0
"""What a level of digital silence is reported as; the logarithm of zero has no number."""

FULL_SCALE_POWER = 32768.0**2
"""Power of a square wave as loud as PCM16 can be."""

# Made once: for a chunk of audio, reading the name of a type costs as much as the arithmetic.
_INT16, _FLOAT32 = np.dtype("<i2"), np.dtype(np.float32)

Float32 = npt.NDArray[np.float32]


def samples_to_ms(samples: int) -> int:
    """Whole milliseconds that `samples` samples last, rounded down."""
    return samples // SAMPLES_PER_MS


def ms_to_samples(ms: float) -> int:
    """Return how many samples `ms` milliseconds last, rounded down."""
    return int(ms * SAMPLES_PER_MS)


def pcm_samples(pcm: bytes) -> int:
    """Whole samples in a PCM16 byte string; an odd last byte is not counted."""
    return len(pcm) // BYTES_PER_SAMPLE


def pcm_ms(pcm: bytes) -> float:
    """Duration in milliseconds of a PCM16 byte string."""
    return pcm_samples(pcm) / SAMPLES_PER_MS


def to_float(pcm: bytes) -> Float32:
    """PCM16 bytes as float samples in [-1, 1), shape (n,)."""
    return int16_floats(pcm) / 32768.0


def int16_floats(pcm: bytes) -> Float32:
    """PCM16 bytes as float samples in [-32768, 32768), shape (n,)."""
    return np.frombuffer(pcm, _INT16, pcm_samples(pcm)).astype(_FLOAT32)


def to_pcm(samples: npt.ArrayLike) -> bytes:
    """Turn samples into PCM16 bytes.

    Parameters
    ----------
    samples
        Shape (n,) or (n, channels), at 24 kHz. int16 is taken as it is; floats are in [-1, 1] and clipped;
        several channels are averaged.
    """
    array = np.asarray(samples)
    if array.ndim == 2:
        array = array.mean(axis=1) if array.dtype != np.int16 else array.mean(axis=1).astype(np.int16)
    if array.dtype == np.int16:
        return bytes(array.astype("<i2").tobytes())
    clipped = np.clip(np.nan_to_num(array.astype(np.float32)), -1.0, 1.0)
    return bytes(np.rint(clipped * 32767.0).astype("<i2").tobytes())


def level_dbfs(pcm: bytes) -> float:
    """RMS level in dB relative to full scale, `SILENCE_DBFS` at the least."""
    samples = int16_floats(pcm)
    return energy_dbfs(float(samples.dot(samples)), samples.size)


def energy_dbfs(energy: float, samples: int) -> float:
    """RMS level of so many samples of PCM16 whose squares sum to `energy`."""
    power = energy / (samples * FULL_SCALE_POWER) if samples else 0.0
    return max(SILENCE_DBFS, 10.0 * math.log10(power)) if power > 0 else SILENCE_DBFS
