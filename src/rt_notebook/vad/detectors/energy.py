"""Energy: how far a frame stands out of the background. Always there; it takes any noise for speech."""

from __future__ import annotations

import math
from copy import copy
from typing import TYPE_CHECKING

import numpy as np

from rt_notebook.core.audio import BYTES_PER_SAMPLE, SAMPLE_RATE_HZ, level_dbfs
from rt_notebook.core.turn_detection import FRAME_MS, FRAME_SAMPLES

if TYPE_CHECKING:
    from rt_notebook.core.audio import Float32
    from rt_notebook.vad.detectors import DetectStream, Progress

__all__ = ["EnergyDetector"]

_FRAME_BYTES = FRAME_SAMPLES * BYTES_PER_SAMPLE


class EnergyDetector:
    """Loudness above the background: what is there when no model is."""

    name = "energy"
    version = "1"
    hop_ms = float(FRAME_MS)

    def stream(self, rate_hz: int = SAMPLE_RATE_HZ) -> DetectStream:
        """Begin a stream; loudness needs no rate."""
        return _EnergyStream()

    def probabilities(self, pcm: bytes, progress: Progress | None = None) -> Float32:
        """Return the speech probability of every whole frame of PCM16 mono at 24 kHz, shape (n,)."""
        stream = _EnergyStream()
        starts = range(0, len(pcm) - _FRAME_BYTES + 1, _FRAME_BYTES)
        return np.array([stream.push(pcm[start : start + _FRAME_BYTES]) for start in starts], np.float32)


class _EnergyStream:
    """Compare each frame with a noise floor that sinks at once and rises slowly."""

    def __init__(self) -> None:
        self._floor_dbfs = -60.0

    def push(self, frame: bytes) -> float:
        level = level_dbfs(frame)
        self._floor_dbfs = min(level, self._floor_dbfs + 0.05) if level > self._floor_dbfs else level
        self._floor_dbfs = min(-35.0, max(-75.0, self._floor_dbfs))
        # Half probability at 12 dB above the floor, all but certain at 20 dB.
        return 1.0 / (1.0 + math.exp(-(level - self._floor_dbfs - 12.0) / 2.0))

    def fork(self) -> _EnergyStream:
        return copy(self)
