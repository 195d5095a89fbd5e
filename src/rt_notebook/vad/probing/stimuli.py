"""Sounds for finding out what a detector does: half a second of speech, cut sharply, at any level.

Between the levels at which our own detector is sure and those at which it hears nothing lie the ones that
find out a threshold. Sounds that are made, such as vowels of harmonics, do not serve: when one comes again,
Silero takes it for no speech any more.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from rt_notebook.core.audio import BYTES_PER_SAMPLE, SAMPLE_RATE_HZ, SAMPLES_PER_MS, to_float, to_pcm
from rt_notebook.core.turn_detection import FRAME_MS, FRAME_SAMPLES
from rt_notebook.errors import ConfigError
from rt_notebook.io.audio.sources import to_wire_audio
from rt_notebook.io.audio.voice import voice
from rt_notebook.vad.detectors.silero import push_together
from rt_notebook.vad.traces.trace import trace

if TYPE_CHECKING:
    import numpy.typing as npt

    from rt_notebook.core.audio import Float32
    from rt_notebook.io.audio.sources import AudioSource
    from rt_notebook.vad.detectors import DetectStream

__all__ = ["LOUD_DBFS", "SOUND_MS", "rung_for", "sound_of"]

LOUD_DBFS = -18.0
"""Level (RMS) at which every detector has to be sure."""

SOUND_MS = 480

_WORDS = "One two three four five."
_SURE = 0.9
_AROUND_MS = 480
_STEP_DB = 3.0
# Alone down to where 16 bits end; in noise as far as there is more of the voice than of the noise.
_LEVELS_DBFS = {
    None: [float(level) for level in np.arange(-18, -82, -_STEP_DB)],
    -50.0: [float(level) for level in np.arange(-36, -57, -_STEP_DB)],
}


def sound_of(speech: AudioSource | None, rate_hz: int = SAMPLE_RATE_HZ, detector: str = "silero") -> Float32:
    """Return the stretch of a recording that the detector is surest of; None: of the built-in voice.

    Raises
    ------
    ConfigError
        The recording holds no half second that is clearly speech, and is it when it comes again, too.
    ComponentMissingError
        Nothing is given, and the built-in voice is not installed.
    """
    pcm = _voice() if speech is None else to_wire_audio(speech, rate_hz)
    heard = trace(pcm, detector)
    sure = np.flatnonzero(np.diff(np.concatenate([[0], heard.probabilities >= _SURE, [0]]).astype(int)))
    for start in [first for first, end in sure.reshape(-1, 2) if (end - first) * heard.hop_ms >= SOUND_MS]:
        first = int(start * heard.hop_ms) * SAMPLES_PER_MS
        sound = _at(to_float(pcm)[first : first + SOUND_MS * SAMPLES_PER_MS].astype(np.float64))
        quiet = np.zeros(_AROUND_MS * SAMPLES_PER_MS, np.float32)
        again = trace(np.concatenate([*[quiet, sound] * 4, quiet]), detector).probabilities
        frames = int((SOUND_MS + _AROUND_MS) / heard.hop_ms)
        if min(again[at * frames :][:frames].max() for at in range(4)) >= _SURE:
            return sound
    raise ConfigError(
        "The recording holds no half second that is clearly speech.",
        "Give a louder recording of one voice, or none: the built-in voice speaks then.",
    )


@lru_cache(maxsize=1)
def _voice() -> bytes:
    return to_pcm(voice(_WORDS))


def rung_for(
    stream: DetectStream, rest: bytes, lead_ms: int, sound: Float32, aim: float, low: float, high: float
) -> Float32 | None:
    """Return the sound at the level, alone or in noise, of which the detector makes a peak near `aim`.

    What a detector makes of a sound depends on what it has heard before, so the levels are tried on forks of
    the stream. None: no level has its peak between `low` and `high`.

    Parameters
    ----------
    rest
        PCM16 that the stream has not heard yet: less than a frame.
    lead_ms
        Silence before the sound.
    """
    best: tuple[float, Float32] | None = None
    levels = [(noise, level) for noise, those in _LEVELS_DBFS.items() for level in those]
    for _ in range(2):
        made = [_with_level(sound, level, noise) for noise, level in levels]
        peaks = _peaks(stream, rest, lead_ms, made)
        for (noise, level), samples, peak in zip(levels, made, peaks, strict=True):
            if low < peak < high and (best is None or abs(peak - aim) < best[0]):
                best = abs(peak - aim), samples
                nearest = noise, level
        if best is None:
            return None
        levels = [(nearest[0], nearest[1] + step) for step in np.linspace(-_STEP_DB, _STEP_DB, 10)]
    return None if best is None else best[1]


def _peaks(stream: DetectStream, rest: bytes, lead_ms: int, sounds: list[Float32]) -> list[float]:
    """Return the highest probability over each of several continuations of a stream."""
    quiet = [bytes(ms * SAMPLES_PER_MS * BYTES_PER_SAMPLE) for ms in (lead_ms, 5 * FRAME_MS)]
    heard = [rest + quiet[0] + to_pcm(sound) + quiet[1] for sound in sounds]
    forks = [stream.fork() for _ in sounds]
    size = FRAME_SAMPLES * BYTES_PER_SAMPLE
    frames = [
        push_together([(fork, pcm[at : at + size]) for fork, pcm in zip(forks, heard, strict=True)])
        for at in range(0, len(heard[0]) - size + 1, size)
    ]
    return [float(peak) for peak in np.max(frames, axis=0)]


def _with_level(sound: Float32, level_dbfs: float, noise_dbfs: float | None) -> Float32:
    quieter: Float32 = sound * np.float32(10 ** ((level_dbfs - LOUD_DBFS) / 20))
    if noise_dbfs is None:
        return quieter
    noise = np.random.default_rng(0).standard_normal(sound.size) * 10 ** (noise_dbfs / 20)
    return (quieter + noise).astype(np.float32)


def _at(made: npt.NDArray[np.float64]) -> Float32:
    scaled = made * 10 ** (LOUD_DBFS / 20) / max(float(np.sqrt(np.mean(made**2))), 1e-9)
    return np.clip(scaled, -1, 1).astype(np.float32)
