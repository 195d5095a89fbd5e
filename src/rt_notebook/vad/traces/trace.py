"""Traces: the speech probability of a recording, frame by frame. Everything else in the lab reads them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rt_notebook.core.audio import SAMPLE_RATE_HZ, pcm_ms
from rt_notebook.core.turn_detection import FRAME_MS
from rt_notebook.errors import ConfigError
from rt_notebook.io.audio.sources import to_wire_audio
from rt_notebook.vad.detectors import load_detector
from rt_notebook.vad.traces.cache import keep, kept

if TYPE_CHECKING:
    import numpy.typing as npt

    from rt_notebook.core.audio import Float32
    from rt_notebook.io.audio.sources import AudioSource
    from rt_notebook.vad.detectors import Detector

__all__ = ["Trace", "as_trace", "trace"]

BAR_AFTER_S = 1.0


@dataclass(frozen=True, eq=False, slots=True)
class Trace:
    """The speech probability of a recording on a grid of time.

    Any array with a hop is one: ``Trace(my_probabilities, hop_ms=10)``.

    Parameters
    ----------
    probabilities
        Shape (n,), each from 0 to 1; kept as float32 and read-only.
    hop_ms
        Length of a frame, also that between two of them.
    source
        Where the audio is from, such as the name of its file.
    detector
        What has made it; empty for an array of your own.
    hash
        Changes with the audio and with the detector's weights.

    Raises
    ------
    ConfigError
        The array has another shape, holds what is no probability, or the hop is not above zero.
    """

    probabilities: Float32
    hop_ms: float = float(FRAME_MS)
    source: str = ""
    detector: str = ""
    hash: str = ""

    def __post_init__(self) -> None:
        values = np.array(self.probabilities, np.float32)
        if values.ndim != 1 or not bool(np.all((values >= 0) & (values <= 1))):
            raise ConfigError(
                f"An array of shape {values.shape} holds no speech probabilities.",
                "Give shape (n,), each value from 0 to 1.",
            )
        if not 0 < self.hop_ms < 1000:
            raise ConfigError(f"hop_ms={self.hop_ms!r} is not usable.", "Give the length of a frame in ms.")
        values.flags.writeable = False
        object.__setattr__(self, "probabilities", values)
        object.__setattr__(self, "hop_ms", float(self.hop_ms))
        if not self.hash:
            digest = hashlib.sha256(values.tobytes() + repr(self.hop_ms).encode()).hexdigest()
            object.__setattr__(self, "hash", digest)

    @property
    def hop_s(self) -> float:
        """Length of a frame in seconds."""
        return self.hop_ms / 1000

    @property
    def duration_s(self) -> float:
        """Length of the whole frames."""
        return len(self) * self.hop_ms / 1000

    @property
    def times_s(self) -> npt.NDArray[np.float64]:
        """Where each frame begins, shape (n,)."""
        return np.arange(len(self), dtype=np.float64) * self.hop_s

    def __len__(self) -> int:
        return int(self.probabilities.size)

    def __repr__(self) -> str:
        made = f"{self.source or 'array'}, {self.detector or 'own probabilities'}"
        return f"<Trace of {made}: {self.duration_s:.1f} s in frames of {self.hop_ms:g} ms>"


def as_trace(given: Trace | npt.ArrayLike) -> Trace:
    """Return a trace as it is; an array is taken as probabilities in frames of 32 ms.

    Raises
    ------
    ConfigError
        The array holds no probabilities, or a path is given.
    """
    if isinstance(given, str | Path):
        raise ConfigError(f"{str(given)!r} is a path and no trace.", "Call vad.trace(path) first.")
    return given if isinstance(given, Trace) else Trace(np.asarray(given, np.float32))


def trace(
    audio: AudioSource,
    detector: str | Detector = "silero",
    *,
    rate_hz: int = SAMPLE_RATE_HZ,
    source: str = "",
    cache: bool = True,
    progress: bool = False,
) -> Trace:
    """Compute the speech probability of a recording: what the server hears, if it is sent this audio.

    Parameters
    ----------
    audio
        A path; an array of shape (n,) or (n, channels), floats in [-1, 1] or int16; or PCM16 mono bytes.
    detector
        A name (`detector_names` lists them), or a detector of your own.
    rate_hz
        Sample rate of an array or of bytes; a file knows its own.
    source
        A name for the trace; empty: the file's, if it is one.
    cache
        Keep the trace on disk, and take it from there, by the hashes of audio and weights. It lies in the
        user's cache folder (``RT_NOTEBOOK_CACHE`` names another), readable for nobody else, 512 MB at most.
    progress
        Show how far it is, if it takes longer than a second.

    Raises
    ------
    AudioFileError
        The file cannot be read as audio.
    ConfigError
        There is no such detector, or the array has no shape that audio has.
    ComponentMissingError
        The detector is not installed.
    """
    judge = load_detector(detector) if isinstance(detector, str) else detector
    pcm = to_wire_audio(audio, rate_hz)
    named = source or (Path(audio).name if isinstance(audio, str | Path) else "")
    key = hashlib.sha256(f"{judge.name}\0{judge.version}\0".encode())
    key.update(pcm)
    probabilities = kept(key.hexdigest()) if cache else None
    if probabilities is None:
        probabilities = _with_bar(judge, pcm) if progress else judge.probabilities(pcm)
        if cache:
            keep(key.hexdigest(), probabilities)
    return Trace(probabilities, judge.hop_ms, named, judge.name, key.hexdigest())


def _with_bar(judge: Detector, pcm: bytes) -> Float32:
    from tqdm.auto import tqdm

    frames = int(pcm_ms(pcm) / judge.hop_ms)
    with tqdm(total=frames, unit="frame", unit_scale=True, delay=BAR_AFTER_S, leave=False) as bar:
        return judge.probabilities(pcm, bar.update)
