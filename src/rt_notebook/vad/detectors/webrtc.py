"""The detector of WebRTC: yes or no every 10 ms; how many of its four modes say yes makes a score of five."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np

from rt_notebook.core.audio import BYTES_PER_SAMPLE, to_float, to_pcm
from rt_notebook.core.frame_resampler import MODEL_RATE_HZ, resample_24k
from rt_notebook.errors import ComponentMissingError

if TYPE_CHECKING:
    from rt_notebook.core.audio import Float32
    from rt_notebook.vad.detectors import Progress

__all__ = ["WebrtcDetector"]

_HOP_MS = 10
_FRAME_BYTES = _HOP_MS * MODEL_RATE_HZ // 1000 * BYTES_PER_SAMPLE
_MODES = range(4)


class WebrtcDetector:
    """The share of WebRTC's modes, from lenient to strict, that hear speech.

    Raises
    ------
    ComponentMissingError
        webrtcvad-wheels is not installed.
    """

    name = "WebRTC"
    hop_ms = float(_HOP_MS)

    def __init__(self) -> None:
        try:
            import webrtcvad
        except ImportError:
            raise ComponentMissingError(
                "webrtcvad-wheels is not installed.", "Run: pip install 'rt-notebook[detectors]'"
            ) from None
        self._make = webrtcvad.Vad
        self.version = version("webrtcvad-wheels")

    def probabilities(self, pcm: bytes, progress: Progress | None = None) -> Float32:
        """Return 0, 0.25, 0.5, 0.75 or 1 for every whole frame of PCM16 mono at 24 kHz, shape (n,)."""
        audio = to_pcm(resample_24k(to_float(pcm)))
        starts = range(0, len(audio) - _FRAME_BYTES + 1, _FRAME_BYTES)
        frames = [audio[start : start + _FRAME_BYTES] for start in starts]
        score = np.zeros(len(frames), np.float32)
        for mode in _MODES:
            detector = self._make(mode)
            score += np.array([detector.is_speech(frame, MODEL_RATE_HZ) for frame in frames], np.float32)
        return score / np.float32(len(_MODES))
