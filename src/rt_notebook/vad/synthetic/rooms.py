"""Synthetic rooms: a voice at known positions, and noise at a known level. Nobody has to read aloud."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rt_notebook.core.audio import SAMPLE_RATE_HZ
from rt_notebook.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy.typing as npt

    from rt_notebook.core.audio import Float32

__all__ = ["NOISES", "Room", "Take", "mixed", "one_level", "room_noise", "rooms"]

NOISES = ("white", "pink", "hum", "babble")

_PHRASES = (
    "Could you tell me",
    "what the weather is like",
    "in Berlin tomorrow?",
    "I would like to book a table",
    "for two people",
    "on Friday evening.",
    "Please remind me",
    "to call my sister.",
    "No, that is not what I meant.",
    "Yes.",
    "Thank you very much.",
    "How long does it take",
    "to get to the station?",
    "Let me think about it.",
    "The second one,",
    "the blue one on the left.",
)
_QUIET_DBFS = -26.0
_VOICES_IN_BABBLE = 6


@dataclass(frozen=True, slots=True, eq=False)
class Take:
    """A recording with its labels: `audio` in floats at 24 kHz, `labels` of shape (m, 2) in seconds."""

    audio: Float32
    labels: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Room:
    """A noise at a level, and recordings made with it."""

    noise: str
    snr_db: float
    takes: tuple[Take, ...]


def rooms(
    voice: Callable[[str], Float32],
    count: int,
    *,
    takes: int = 12,
    turns: int = 4,
    seed: int = 0,
    noises: tuple[str, ...] = NOISES,
    snr_db: float | None = None,
) -> Iterator[Room]:
    """Yield rooms: noises by turns, each at a level of 0 to 30 dB below the voice.

    Parameters
    ----------
    voice
        Speaks a text in floats at 24 kHz, as `rt_notebook.voice` does.
    count
        How many rooms.
    takes, turns
        Recordings a room, and turns a recording: one to three phrases with pauses of 0.15 to 0.9 s between
        them, then 1.5 to 3.5 s until the next turn.
    seed
        The same seed makes the same rooms.
    snr_db
        The level of all of them, instead of one drawn for each.

    Raises
    ------
    ConfigError
        A noise is not known.
    """
    _check_noises(*noises)
    spoken = [one_level(voice(phrase)) for phrase in _PHRASES]
    for number in range(count):
        random = np.random.default_rng([seed, number])
        noise, drawn_db = noises[number % len(noises)], float(random.uniform(0, 30))
        level_db = drawn_db if snr_db is None else snr_db
        made = tuple(_take(spoken, noise, level_db, turns, random) for _ in range(takes))
        yield Room(noise, level_db, made)


def _take(spoken: list[Float32], noise: str, snr_db: float, turns: int, random: np.random.Generator) -> Take:
    parts: list[npt.NDArray[np.floating]] = [_silence(random.uniform(0.5, 1.5))]
    labels, at = [], parts[0].size
    for _ in range(turns):
        start = at
        loudness = 10 ** (random.uniform(-4, 4) / 20)
        for phrase in range(random.integers(1, 4)):
            if phrase:
                parts.append(_silence(random.uniform(0.15, 0.9)))
                at += parts[-1].size
            parts.append(spoken[random.integers(len(spoken))] * loudness)
            at += parts[-1].size
        labels.append((start / SAMPLE_RATE_HZ, at / SAMPLE_RATE_HZ))
        parts.append(_silence(random.uniform(1.5, 3.5)))
        at += parts[-1].size
    clean = np.concatenate(parts)
    return Take(mixed(clean, room_noise(noise, clean.size, spoken, random), snr_db), np.array(labels))


def mixed(clean: npt.NDArray[np.floating], noise: npt.NDArray[np.float64], snr_db: float) -> Float32:
    """Add noise of level 1 to a voice of `one_level`, so far below it."""
    level = 10 ** ((_QUIET_DBFS - snr_db) / 20)
    heard: Float32 = np.clip(clean + level * noise, -1, 1).astype(np.float32)
    return heard


def room_noise(
    kind: str, samples: int, spoken: list[Float32], random: np.random.Generator
) -> npt.NDArray[np.float64]:
    """Make noise of level 1 (root of the mean square); babble out of what `spoken` says.

    Raises
    ------
    ConfigError
        There is no such noise.
    """
    _check_noises(kind)
    if kind == "babble":
        made = np.zeros(samples)
        for _ in range(_VOICES_IN_BABBLE):
            # One voice at other speeds is several people, of other sizes.
            speed, at = random.uniform(0.75, 1.3), -int(random.integers(SAMPLE_RATE_HZ))
            while at < samples:
                phrase = spoken[random.integers(len(spoken))]
                other = np.interp(np.arange(0, phrase.size, speed), np.arange(phrase.size), phrase)
                begin, end = max(at, 0), max(min(at + other.size, samples), 0)
                made[begin:end] += other[begin - at :][: max(end - begin, 0)]
                at += other.size + int(random.uniform(0.05, 0.5) * SAMPLE_RATE_HZ)
    elif kind == "hum":
        at_s = np.arange(samples) / SAMPLE_RATE_HZ
        made = 0.05 * random.standard_normal(samples)
        for harmonic in range(1, 9):
            phase = random.uniform(0, 2 * np.pi)
            made += np.sin(2 * np.pi * 50 * harmonic * at_s + phase) / harmonic
    else:
        made = random.standard_normal(samples)
        if kind == "pink":
            spectrum = np.fft.rfft(made)
            spectrum /= np.sqrt(np.maximum(np.arange(spectrum.size), 1))
            made = np.fft.irfft(spectrum, samples)
    loudness = np.sqrt(np.mean(made**2))
    scaled: npt.NDArray[np.float64] = made / max(loudness, 1e-9)
    return scaled


def _check_noises(*noises: str) -> None:
    """Refuse a noise that cannot be made."""
    unknown = sorted(set(noises) - set(NOISES))
    if unknown:
        raise ConfigError(f"There is no noise {unknown[0]!r}.", f"Use some of: {', '.join(NOISES)}.")


def one_level(samples: Float32) -> Float32:
    """Take off the silence around a phrase, and bring it to one level."""
    loud = np.flatnonzero(np.abs(samples) > 0.02 * np.abs(samples).max())
    kept = samples[loud[0] : loud[-1] + 1]
    scaled: Float32 = kept * np.float32(10 ** (_QUIET_DBFS / 20) / np.sqrt(np.mean(kept**2)))
    return scaled


def _silence(seconds: float) -> npt.NDArray[np.floating]:
    return np.zeros(int(seconds * SAMPLE_RATE_HZ))
