"""Log-mel features as Whisper takes them, in numpy.

Source: the definition published with Whisper (Radford et al., 2022) and the mel scale of Slaney's Auditory
Toolbox: 25 ms Hann windows every 10 ms at 16 kHz, 80 triangular bands of equal area up to 8 kHz.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

if TYPE_CHECKING:
    import numpy.typing as npt

    from rt_notebook.core.audio import Float32

__all__ = ["BANDS", "HOP", "log_mel"]

BANDS = 80
HOP = 160

_RATE_HZ = 16_000
_WINDOW = 400
_FLOOR = 1e-10
# Everything quieter than this many powers of ten below the loudest band is the same silence.
_RANGE = 8.0

# Slaney's scale: linear up to 1 kHz, which is mel 15, then 27 mels for each factor of 6.4.
_LINEAR_HZ = 200.0 / 3.0
_BREAK_HZ = 1000.0
_BREAK_MEL = _BREAK_HZ / _LINEAR_HZ
_LOG_STEP = np.log(6.4) / 27.0


def log_mel(samples: Float32, *, still: int = 0) -> Float32:
    """Return the features of some audio.

    Parameters
    ----------
    samples
        At 16 kHz, shape (n,).
    still
        How many samples from the beginning all have one value, as padding has: that costs next to nothing.

    Returns
    -------
    numpy.ndarray
        Shape (80, n // 160), about -1 to 1.5.
    """
    padded = np.pad(samples, _WINDOW // 2, mode="reflect")
    windows = sliding_window_view(padded, _WINDOW)[: samples.size // HOP * HOP : HOP]
    # Window k ends at sample 160 k + 200; of those that lie in the still part the last one stands for all.
    alike = min(len(windows), max(0, (still - _WINDOW // 2) // HOP))
    windows = windows[alike:]
    hann = np.hanning(_WINDOW + 1)[:-1].astype(np.float32)
    power = np.abs(np.fft.rfft(windows * hann)) ** 2
    level = np.log10(np.maximum(power @ _bands(), _FLOOR))
    level = np.maximum(level, level.max() - _RANGE)
    level = np.concatenate([np.repeat(level[:1], alike, axis=0), level])
    return np.ascontiguousarray(((level + 4.0) / 4.0).T, np.float32)


@cache
def _bands() -> npt.NDArray[np.float64]:
    """Return the bands' weights, shape (201, 80)."""
    top = _BREAK_MEL + np.log(_RATE_HZ / 2 / _BREAK_HZ) / _LOG_STEP
    mels = np.linspace(0.0, top, BANDS + 2)
    edges = np.where(
        mels < _BREAK_MEL, mels * _LINEAR_HZ, _BREAK_HZ * np.exp(_LOG_STEP * (mels - _BREAK_MEL))
    )
    lower, centre, upper = edges[:-2], edges[1:-1], edges[2:]
    hz = np.linspace(0.0, _RATE_HZ / 2, _WINDOW // 2 + 1)[:, None]
    rising = (hz - lower) / (centre - lower)
    falling = (upper - hz) / (upper - centre)
    return np.asarray(np.maximum(0.0, np.minimum(rising, falling)) * 2.0 / (upper - lower))
