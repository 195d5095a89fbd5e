"""Earshot: a small network in Rust, frames of 16 ms, several times faster than Silero."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np

from rt_notebook.core.audio import to_float
from rt_notebook.core.frame_resampler import MODEL_RATE_HZ, resample_24k
from rt_notebook.errors import ComponentMissingError

if TYPE_CHECKING:
    from rt_notebook.core.audio import Float32
    from rt_notebook.vad.detectors import Progress

__all__ = ["EarshotDetector"]

_HOP_MS = 16
_FRAME_SAMPLES = _HOP_MS * MODEL_RATE_HZ // 1000


class EarshotDetector:
    """Earshot's voice activity score.

    Raises
    ------
    ComponentMissingError
        earshot is not installed.
    """

    name = "earshot"
    hop_ms = float(_HOP_MS)

    def __init__(self) -> None:
        try:
            import earshot
        except ImportError:
            raise ComponentMissingError(
                "earshot is not installed.", "Run: pip install 'rt-notebook[detectors]'"
            ) from None
        self._make = earshot.Detector
        self.version = version("earshot")

    def probabilities(self, pcm: bytes, progress: Progress | None = None) -> Float32:
        """Return the score of every whole frame of 16 ms of PCM16 mono at 24 kHz, shape (n,)."""
        samples = np.clip(resample_24k(to_float(pcm)), -1.0, 1.0)
        frames = samples[: samples.size // _FRAME_SAMPLES * _FRAME_SAMPLES].reshape(-1, _FRAME_SAMPLES)
        detector = self._make()
        return np.array([detector.predict_f32(frame) for frame in frames], np.float32)
