"""Recordings as audio for the wire: files and arrays, of any rate and number of channels."""

from __future__ import annotations

import os
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any

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

_MOST_PEAK = 16.0
"""What is mixed or amplified overshoots by a few times full scale, and is clipped. From 24 dB on it would be
noise; and the numbers of an int16 recording are larger than that from a peak of -66 dBFS on."""


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
    if not os.path.isfile(file):  # noqa: PTH113 - pathlib's raises for a name that is too long
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
        The array has no shape or no numbers that audio has, or `rate_hz` is no sample rate.
    """
    if isinstance(audio, str | Path):
        return load_audio(audio)
    if isinstance(audio, memoryview) and audio.format not in {"B", "b", "c"}:
        audio = np.asarray(audio)  # its numbers are not bytes, so they are taken as those of an array
    if isinstance(audio, bytes | bytearray | memoryview):
        raw = bytes(audio)
        samples = np.frombuffer(raw, dtype="<i2", count=len(raw) // BYTES_PER_SAMPLE)
    else:
        samples = np.asarray(audio)
        _check_samples(samples)
    _check_rate(rate_hz)
    if rate_hz != SAMPLE_RATE_HZ:
        scale = 32768.0 if samples.dtype == np.int16 else 1.0
        mono = samples.mean(axis=1) if samples.ndim == 2 else samples
        samples = resample(np.asarray(mono, dtype=np.float32) / np.float32(scale), rate_hz, SAMPLE_RATE_HZ)
    return to_pcm(samples)


def _check_rate(rate_hz: Any) -> None:
    if not isinstance(rate_hz, Real) or not 1_000 <= float(rate_hz) <= 1_000_000:
        raise ConfigError(
            f"rate_hz={rate_hz!r} is no sample rate.", "Give the recording's own, such as 16000."
        )


def _check_samples(samples: npt.NDArray[Any]) -> None:
    """Refuse an array that is no recording, or that would be heard as another one."""
    whole = np.issubdtype(samples.dtype, np.integer)
    if samples.ndim not in {1, 2} or not (whole or np.issubdtype(samples.dtype, np.floating)):
        raise ConfigError(
            f"An array of shape {samples.shape} and type {samples.dtype} is no recording.",
            "Give samples of shape (n,) or (n, channels), floats in [-1, 1] or int16.",
        )
    if samples.ndim == 2 and samples.shape[1] > samples.shape[0] > 0:
        raise ConfigError(
            f"An array of shape {samples.shape} has more channels than samples.",
            "Transpose it: the shape is (n, channels).",
        )
    if samples.dtype == np.int16:
        return
    if whole:
        raise ConfigError(
            f"The full scale of samples of type {samples.dtype} is not known.",
            "Convert them to int16, or to floats in [-1, 1].",
        )
    peak = max(np.fmax.reduce(samples, axis=None, initial=0), -np.fmin.reduce(samples, axis=None, initial=0))
    if peak > _MOST_PEAK:
        raise ConfigError(
            f"Samples reach {peak:g}, far beyond the 1 that is full scale for floats.",
            "Divide them by their own full scale, which is 32768 for what was int16.",
        )


def chunks(pcm: bytes, chunk_ms: int = CHUNK_MS) -> Iterator[bytes]:
    """Cut PCM16 audio into chunks; the last one may be shorter."""
    step = chunk_ms * SAMPLES_PER_MS * BYTES_PER_SAMPLE
    for start in range(0, len(pcm), step):
        yield pcm[start : start + step]
