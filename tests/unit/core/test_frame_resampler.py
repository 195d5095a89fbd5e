"""The frame resampler: whole windows, the right content, and one stream."""

from __future__ import annotations

import numpy as np
import pytest

from rt_notebook.core.frame_resampler import FrameResampler

RATES = pytest.mark.parametrize(("rate_hz", "frame"), [(24_000, 768), (8_000, 256)])


def resampled(samples, rate_hz, frame):
    resampler = FrameResampler(rate_hz)
    pieces = [resampler.push(samples[i : i + frame]) for i in range(0, samples.size, frame)]
    return np.concatenate(pieces)


def sine(hz, rate_hz, samples, late_s=0.0):
    return np.sin(2 * np.pi * hz * (np.arange(samples) / rate_hz - late_s)).astype(np.float32)


@RATES
@pytest.mark.parametrize("hz", [100, 1000, 3000])
def test_a_tone_comes_out_as_itself_less_than_two_milliseconds_late(rate_hz, frame, hz):
    out = resampled(sine(hz, rate_hz, frame * 20), rate_hz, frame)
    assert out.size == 512 * 20
    late_s = 23.5 / 2 / rate_hz
    assert late_s < 0.002
    assert np.abs(out - sine(hz, 16_000, out.size, late_s))[512:].max() < 0.002


def test_what_16_khz_cannot_hold_does_not_fold_back():
    assert np.abs(resampled(sine(10_500, 24_000, 768 * 20), 24_000, 768))[512:].max() < 0.01


@RATES
def test_the_length_of_the_frames_does_not_change_the_stream(rate_hz, frame):
    samples = np.random.default_rng(1).standard_normal(frame * 6).astype(np.float32)
    once = resampled(samples, rate_hz, frame * 6)
    assert np.allclose(resampled(samples, rate_hz, frame), once, atol=1e-6)


def test_other_rates_are_refused():
    with pytest.raises(ValueError, match="44100"):
        FrameResampler(44_100)
