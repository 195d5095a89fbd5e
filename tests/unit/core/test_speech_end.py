from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rt_notebook.core.audio import to_pcm
from rt_notebook.core.envelope import STEP_SAMPLES, envelope_dbfs, levels_and_envelopes
from rt_notebook.core.speech_end import SpeechEnd, find_speech_end


def found(samples: np.ndarray, first: int = 0, last: int | None = None) -> SpeechEnd | None:
    ((_, envelope),) = levels_and_envelopes([to_pcm(samples)])
    levels = envelope_dbfs(envelope, len(samples))
    assert levels is not None
    edges = np.minimum(np.arange(len(levels) + 1) * STEP_SAMPLES, len(samples))
    return find_speech_end(edges, levels, first, len(samples) if last is None else last)


def take(begin: int, end: int, length: int, noise: float, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    samples = rng.normal(0, noise, length)
    samples[begin:end] += rng.normal(0, 0.1, end - begin)
    return samples


@settings(max_examples=40)
@given(
    st.integers(24_000, 30_000),
    st.integers(4_000, 60_000),
    st.sampled_from([0.0, 0.0003, 0.001, 0.005]),
    st.integers(0, 99),
)
def test_the_end_is_found_within_its_bound_and_10_ms(begin, length, noise, seed) -> None:
    end = begin + length
    speech_end = found(take(begin, end, end + 12_000, noise, seed))
    assert speech_end is not None
    assert abs(speech_end.position - end) <= speech_end.error_samples
    assert speech_end.error_samples <= 240


def test_a_click_after_the_end_is_no_speech() -> None:
    samples = take(24_000, 48_000, 60_000, 0.001)
    samples[54_003:54_020] = 0.9
    assert found(samples).position == 48_000


def test_speech_that_dies_away_is_less_sure() -> None:
    samples = take(24_000, 48_000, 72_000, 0.0003)
    rng = np.random.default_rng(1)
    samples[48_000:60_000] += rng.normal(0, 0.1, 12_000) * 10 ** (-np.arange(12_000) / 4_000)
    faded, sharp = found(samples), found(take(24_000, 48_000, 72_000, 0.0003))
    assert faded.position > 48_000
    assert faded.error_samples > 2 * sharp.error_samples


def test_it_lies_between_the_given_positions() -> None:
    samples = take(24_000, 48_000, 72_000, 0.001)
    samples[60_000:66_000] += np.random.default_rng(2).normal(0, 0.1, 6_000)
    assert found(samples).position == 66_000
    assert found(samples, 30_000, 54_000).position == 48_000
    assert found(samples, 50_000, 58_000) is None


@pytest.mark.parametrize("level", [0.0, 0.1])
def test_where_nothing_is_louder_than_the_rest_there_is_no_end(level) -> None:
    assert found(np.random.default_rng(0).normal(0, 1, 48_000) * level) is None


def test_no_audio_has_no_end() -> None:
    assert find_speech_end(np.array([0]), np.array([]), 0, 100) is None
