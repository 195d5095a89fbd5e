"""Judge the end of a turn: how likely a speaker has said all, from how the words sound."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Protocol

import numpy as np

from rt_notebook.core.audio import SAMPLE_RATE_HZ, to_float
from rt_notebook.errors import ComponentMissingError
from rt_notebook.server.components.log_mel import log_mel

__all__ = ["JUDGE_PACKAGE", "EndOfTurnJudge", "SmartTurnJudge", "judge_path"]

JUDGE_PACKAGE = "pipecat-ai"
_FILE = "smart-turn-v3.2-cpu.onnx"
_RATE_HZ = 16_000
_SAMPLES = 8 * _RATE_HZ


class EndOfTurnJudge(Protocol):
    """A judge, shared by all sessions and called from worker threads."""

    name: str

    def judge(self, pcm: bytes, rate_hz: int = SAMPLE_RATE_HZ) -> float:
        """Return how likely the turn is over, 0 to 1.

        Parameters
        ----------
        pcm
            The turn so far, the silence at its end included: PCM16 at `rate_hz`.
        """


def judge_path() -> Path | None:
    """Where the weights are, or None. Found without importing their package, which wants many more."""
    try:
        files = distribution(JUDGE_PACKAGE).files or []
    except PackageNotFoundError:
        return None
    paths = (Path(str(file.locate())) for file in files if file.name == _FILE)
    return next((path for path in paths if path.is_file()), None)


class SmartTurnJudge:
    """Smart Turn v3.2 (BSD-2-Clause, on Whisper tiny's encoder, MIT) through onnxruntime; 23 languages.

    It hears the last eight seconds. A short pause tells it most: the longer a silence lasts the more it takes
    anything for an end.

    Raises
    ------
    ComponentMissingError
        onnxruntime or the weights are not installed.
    """

    name = "Smart Turn v3.2"

    def __init__(self) -> None:
        try:
            import onnxruntime
            import soxr
        except ImportError:
            raise ComponentMissingError(
                "onnxruntime is not installed.", "Run: pip install 'rt-notebook[local]'"
            ) from None
        path = judge_path()
        if path is None:
            raise ComponentMissingError(
                "The weights of Smart Turn are not installed.", "Run: rt-notebook setup"
            )
        options = onnxruntime.SessionOptions()
        # A second thread gains nothing (110 ms of work) and takes a core from the other components.
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self._model = onnxruntime.InferenceSession(str(path), options, ["CPUExecutionProvider"])
        self._resample = soxr.resample

    def judge(self, pcm: bytes, rate_hz: int = SAMPLE_RATE_HZ) -> float:
        """Return how likely the turn is over, 0 to 1."""
        # A little more than the model hears, for the resampler's first milliseconds.
        recent = to_float(pcm)[-(_SAMPLES // _RATE_HZ * rate_hz + rate_hz) :]
        heard = np.asarray(self._resample(recent, rate_hz, _RATE_HZ, quality="HQ"))[-_SAMPLES:]
        padding = _SAMPLES - heard.size
        samples = np.pad(heard, (padding, 0))
        samples = ((samples - samples.mean()) / np.sqrt(samples.var() + 1e-7)).astype(np.float32)
        features = log_mel(samples, still=padding)
        return float(self._model.run(None, {"input_features": features[None]})[0][0, 0])
