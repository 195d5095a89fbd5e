"""Recordings as audio for the wire: files and arrays, of any rate and number of channels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rt_notebook.core.audio import BYTES_PER_SAMPLE, SAMPLE_RATE_HZ, SAMPLES_PER_MS, to_pcm
from rt_notebook.errors import AudioFileError, ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    AudioSource = str | Path | bytes | npt.ArrayLike

__all__ = ["AUDIO_SUFFIXES", "CHUNK_MS", "chunks", "load_audio", "resample", "to_wire_audio"]

AUDIO_SUFFIXES = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".aiff", ".aif", ".au")
"""How the names of audio files end."""

CHUNK_MS = 40
"""Length of the chunks that recordings and microphones are sent in."""


def resample(samples: npt.NDArray[np.float32], rate_hz: int, to_hz: int) -> npt.NDArray[np.float32]:
    """Resample a whole recording, shape (n,), by soxr's high quality setting."""
    if rate_hz == to_hz or samples.size == 0:
        return samples
    import soxr

    return np.asarray(soxr.resample(samples, rate_hz, to_hz, quality="HQ"), dtype=np.float32)


def load_audio(path: str | Path) -> bytes:
    """Read a WAV, FLAC, OGG, MP3 or AIFF file of any rate as PCM16 mono at 24 kHz.

    Raises
    ------
    AudioFileError
        There is no such file, or it is not audio in a format that libsndfile reads.
    """
    import soundfile

    file = Path(path)
    if not file.is_file():
        raise AudioFileError(f"There is no file {str(path)!r}.", "Check the path.")
    try:
        samples, rate_hz = soundfile.read(file, dtype="float32", always_2d=True)
    except (soundfile.SoundFileError, RuntimeError, OSError, ValueError, TypeError):
        raise AudioFileError(
            f"{file.name!r} cannot be read as audio.", "Give a WAV, FLAC, OGG, MP3 or AIFF file."
        ) from None
    if samples.shape[0] == 0:
        raise AudioFileError(f"{file.name!r} holds no audio.", "Give a file with at least one sample.")
    return to_pcm(resample(samples.mean(axis=1), rate_hz, SAMPLE_RATE_HZ))


def to_wire_audio(audio: AudioSource, rate_hz: int = SAMPLE_RATE_HZ) -> bytes:
    """Turn a path, an array or PCM16 bytes into PCM16 mono bytes at 24 kHz.

    Parameters
    ----------
    audio
        A path; an array of shape (n,) or (n, channels), floats in [-1, 1] or int16; or PCM16 mono bytes.
    rate_hz
        Sample rate of an array or of bytes; a file knows its own.

    Raises
    ------
    AudioFileError
        The file cannot be read as audio.
    ConfigError
        The array has no shape that audio has.
    """
    if isinstance(audio, str | Path):
        return load_audio(audio)
    if isinstance(audio, bytes | bytearray | memoryview):
        raw = bytes(audio)
        samples = np.frombuffer(raw, dtype="<i2", count=len(raw) // BYTES_PER_SAMPLE)
    else:
        samples = np.asarray(audio)
    if samples.ndim not in {1, 2} or not np.issubdtype(samples.dtype, np.number):
        raise ConfigError(
            f"An array of shape {samples.shape} and type {samples.dtype} is no recording.",
            "Give samples of shape (n,) or (n, channels), floats in [-1, 1] or int16.",
        )
    if rate_hz != SAMPLE_RATE_HZ:
        scale = 32768.0 if samples.dtype == np.int16 else 1.0
        mono = samples.mean(axis=1) if samples.ndim == 2 else samples
        samples = resample(np.asarray(mono, dtype=np.float32) / np.float32(scale), rate_hz, SAMPLE_RATE_HZ)
    return to_pcm(samples)


def chunks(pcm: bytes, chunk_ms: int = CHUNK_MS) -> Iterator[bytes]:
    """Cut PCM16 audio into chunks; the last one may be shorter."""
    step = chunk_ms * SAMPLES_PER_MS * BYTES_PER_SAMPLE
    for start in range(0, len(pcm), step):
        yield pcm[start : start + step]
