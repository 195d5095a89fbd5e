"""G.711: telephone audio, 8 bits a sample at 8 kHz, in its two laws.

Both cut the range into segments that double in width, with sixteen steps in each: the step grows with the
loudness. Source: ITU-T Recommendation G.711 (1988). There are few codes and few samples, so both directions
are tables.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["RATE_HZ", "Law", "decode", "encode"]

RATE_HZ = 8_000

Law = Literal["ulaw", "alaw"]

_SIGN = 0x80
# mu-law moves every magnitude up by this much (of 14 bits), so that each segment begins at a power of two.
_BIAS = 33


def decode(codes: bytes, law: Law) -> bytes:
    """Turn G.711 codes into PCM16 (little-endian) at the same rate: two bytes for each."""
    return bytes(_levels(law)[np.frombuffer(codes, np.uint8)].tobytes())


def encode(pcm: bytes, law: Law) -> bytes:
    """Turn PCM16 (little-endian) into G.711 codes, one byte a sample; an odd last byte is dropped."""
    samples = np.frombuffer(pcm, "<u2", count=len(pcm) // 2)
    return bytes(_codes(law)[samples].tobytes())


@cache
def _levels(law: Law) -> npt.NDArray[np.int16]:
    """Return the sample of every code, shape (256,)."""
    # On the line mu-law codes are sent inverted, and of A-law codes every other bit.
    code = np.arange(256) ^ (0xFF if law == "ulaw" else 0x55)
    segment, step = (code >> 4) & 7, code & 15
    if law == "ulaw":
        magnitude = (((2 * step + _BIAS) << segment) - _BIAS) << 2
        negative = (code & _SIGN) != 0
    else:
        # The lowest two segments share one step width.
        magnitude = ((2 * step + 1 + 32 * (segment > 0)) << np.maximum(segment - 1, 0)) << 3
        negative = (code & _SIGN) == 0
    return np.where(negative, -magnitude, magnitude).astype("<i2")


@cache
def _codes(law: Law) -> npt.NDArray[np.uint8]:
    """Return the code of every sample, shape (65536,), indexed by the sample's bits as an unsigned number."""
    sample = np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.int64)
    negative = sample < 0
    if law == "ulaw":
        biased = np.minimum(np.abs(sample >> 2) + _BIAS, 0x1FFF)
        segment = _bit_length(biased) - 6
        code = (segment << 4) | ((biased >> (segment + 1)) & 15)
        return np.asarray((code | np.where(negative, _SIGN, 0)) ^ 0xFF, np.uint8)
    scaled = sample >> 3
    magnitude = np.where(negative, ~scaled, scaled)
    segment = np.maximum(_bit_length(magnitude) - 5, 0)
    code = (segment << 4) | ((magnitude >> np.maximum(segment, 1)) & 15)
    return np.asarray((code | np.where(negative, 0, _SIGN)) ^ 0x55, np.uint8)


def _bit_length(numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    exponents: npt.NDArray[np.int64] = np.frexp(numbers.astype(np.float64))[1].astype(np.int64)
    return exponents
