"""Resample a stream frame by frame: a frame of 32 ms goes in, the same 32 ms at 16 kHz come out.

A general resampler keeps a varying amount back, and a detector's window is then complete only with the next
frame: each decision comes 32 ms late. Here every frame yields its whole window. The content lags by half the
filter, 0.5 ms at 24 kHz and 1.5 ms at 8 kHz, which moves no decision.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from rt_notebook.core.audio import Float32

__all__ = ["MODEL_RATE_HZ", "FrameResampler", "resample_24k"]

MODEL_RATE_HZ = 16_000

# Both rates become 16 kHz by doubling and keeping every `step`-th sample. Half of the filter's taps meet only
# the zeros between the doubled samples: the even taps make one output sample, the odd ones the next.
_STEPS = {24_000: 3, 8_000: 1}
_TAPS = 24
_KAISER_BETA = 7.0


class FrameResampler:
    """One session's stream.

    Parameters
    ----------
    rate_hz
        24000 or 8000.

    Raises
    ------
    ValueError
        Another rate.
    """

    def __init__(self, rate_hz: int) -> None:
        if rate_hz not in _STEPS:
            raise ValueError(f"frames come at 24000 or 8000 Hz, not at {rate_hz}")
        self._step = _STEPS[rate_hz]
        cutoff = 0.95 * min(rate_hz, MODEL_RATE_HZ) / (2 * rate_hz)
        at = np.arange(2 * _TAPS) - (2 * _TAPS - 1) / 2
        taps = 2 * cutoff * np.sinc(cutoff * at) * np.kaiser(2 * _TAPS, _KAISER_BETA)
        # Against the order of time, as the windows below are.
        self._phases = np.ascontiguousarray(np.stack([taps[0::2], taps[1::2]])[:, ::-1], np.float32)
        self._past = np.zeros(_TAPS - 1, np.float32)

    def push(self, frame: Float32) -> Float32:
        """Take a frame, shape (n,); return it at 16 kHz. `n` is a multiple of 3 at 24 kHz."""
        samples = np.concatenate([self._past, frame])
        self._past = samples[frame.size :]
        count = frame.size // self._step
        out = np.empty(2 * count, np.float32)
        # At 24 kHz the second of two lies one and a half samples after the first: at the next one's odd taps.
        out[0::2] = self._windows(samples, count, 0) @ self._phases[0]
        out[1::2] = self._windows(samples, count, self._step // 2) @ self._phases[1]
        return out

    def _windows(self, samples: Float32, count: int, first: int) -> Float32:
        """Return a view of every `step`-th window from `first`; numpy's own costs more than the filter."""
        size = samples.itemsize
        strides = (self._step * size, size)
        return np.ndarray((count, _TAPS), np.float32, samples, first * size, strides)


def resample_24k(samples: Float32) -> Float32:
    """Resample a whole recording at 24 kHz, shape (n,): bit for bit what its frames give one by one."""
    return FrameResampler(24_000).push(samples[: samples.size // 3 * 3])
