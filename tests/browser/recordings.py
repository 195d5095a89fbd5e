"""Recordings for the browser to take as its microphone."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np


def write_wav(path: Path, samples: np.ndarray, rate_hz: int) -> None:
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate_hz)
        out.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())


def speech_like(seconds: float, rate_hz: int, seed: int = 7) -> np.ndarray:
    """Noise whose loudness changes like speech: no two of its windows are alike, so a lag can be found."""
    rng = np.random.default_rng(seed)
    count = int(seconds * rate_hz)
    spectrum = np.fft.rfft(rng.standard_normal(count))
    hz = np.fft.rfftfreq(count, 1 / rate_hz)
    spectrum[(hz < 200) | (hz > 3500)] = 0
    noise = np.fft.irfft(spectrum, count)
    loudness = 0.55 + 0.45 * np.sin(2 * np.pi * 3 * np.arange(count) / rate_hz)
    return 0.5 * noise / np.abs(noise).max() * loudness
