"""Transcribe: speech to text."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from rt_notebook.core.audio import SAMPLE_RATE_HZ, to_float
from rt_notebook.errors import ComponentMissingError

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

__all__ = ["MoonshineTranscriber", "Transcriber", "quiet_cuts"]

_MODEL_RATE_HZ = 16_000
_LONGEST_SAMPLES = 20 * _MODEL_RATE_HZ
_SEARCH_SAMPLES = 8 * _MODEL_RATE_HZ
_QUIET_SAMPLES = _MODEL_RATE_HZ // 10


class Transcriber(Protocol):
    """A recogniser, shared by all sessions and called from worker threads."""

    name: str

    def transcribe(
        self, pcm: bytes, rate_hz: int = SAMPLE_RATE_HZ, cancelled: Callable[[], bool] = lambda: False
    ) -> str:
        """Return what is said in PCM16 audio at `rate_hz`, or anything once `cancelled` says so."""


class MoonshineTranscriber:
    """Moonshine tiny-en with the weights inside its package. English only.

    Raises
    ------
    ComponentMissingError
        The package is not installed, or is a version without weights.
    """

    name = "Moonshine tiny-en"

    def __init__(self) -> None:
        try:
            import moonshine_voice
            from moonshine_voice.transcriber import ModelArch
            from moonshine_voice.transcriber import Transcriber as MoonshineModel
        except (ImportError, OSError):
            raise ComponentMissingError(
                "moonshine-voice is not installed.", "Run: pip install 'rt-notebook[local]'"
            ) from None
        weights = Path(str(moonshine_voice.__file__)).parent / "assets" / "tiny-en"
        if not (weights / "encoder_model.ort").is_file():
            raise ComponentMissingError(
                "This version of moonshine-voice brings no weights.",
                "Run: pip install moonshine-voice==0.1.0",
            )
        # Turns come cut to speech; the library's own detector would cut them again and invent words in gaps.
        self._model = MoonshineModel(weights, ModelArch.TINY, options={"vad_threshold": "0.0"})
        self._one_at_a_time = threading.Lock()

    def transcribe(
        self, pcm: bytes, rate_hz: int = SAMPLE_RATE_HZ, cancelled: Callable[[], bool] = lambda: False
    ) -> str:
        """Return what is said."""
        import soxr

        samples = soxr.resample(to_float(pcm), rate_hz, _MODEL_RATE_HZ, quality="MQ")
        texts: list[str] = []
        for piece in quiet_cuts(samples):
            # Between the pieces the others get their turn.
            with self._one_at_a_time:
                if cancelled():
                    break
                transcript = self._model.transcribe_without_streaming(piece.tolist(), _MODEL_RATE_HZ)
            texts += [line.text.strip() for line in transcript.lines]
        return " ".join(texts).strip()


def quiet_cuts(samples: npt.NDArray[np.float32]) -> list[npt.NDArray[np.float32]]:
    """Cut long speech where it is quietest: within a piece a recogniser cannot be stopped.

    Parameters
    ----------
    samples
        Speech at 16 kHz, shape (n,).

    Returns
    -------
    list of numpy.ndarray
        All samples in their order, in pieces of at most 20 s.
    """
    pieces = []
    while samples.size > _LONGEST_SAMPLES:
        tail = samples[_LONGEST_SAMPLES - _SEARCH_SAMPLES : _LONGEST_SAMPLES]
        energies = np.square(tail, dtype=np.float64).reshape(-1, _QUIET_SAMPLES).sum(axis=1)
        middle = int(energies.argmin()) * _QUIET_SAMPLES + _QUIET_SAMPLES // 2
        cut = _LONGEST_SAMPLES - _SEARCH_SAMPLES + middle
        pieces.append(samples[:cut])
        samples = samples[cut:]
    return [*pieces, samples]
