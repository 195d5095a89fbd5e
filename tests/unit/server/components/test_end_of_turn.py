"""The judge of a turn's end: its features by their definition, and what it says of real speech."""

from __future__ import annotations

import os

import numpy as np
import pytest

from rt_notebook.core.audio import to_pcm
from rt_notebook.core.semantic_turns import ASK_AFTER_MS
from rt_notebook.server.components.end_of_turn import SmartTurnJudge, judge_path
from rt_notebook.server.components.log_mel import BANDS, log_mel

PAUSE = np.zeros(24 * ASK_AFTER_MS, np.float32)


def test_a_tone_is_loudest_in_its_own_band():
    seconds = np.arange(16_000) / 16_000
    for hz in (200.0, 440.0, 1000.0, 3000.0, 7000.0):
        features = log_mel(np.sin(2 * np.pi * hz * seconds).astype(np.float32))
        assert features.shape == (BANDS, 100)
        # Bands lie on Slaney's scale: 200/3 Hz a mel below 1 kHz, above it 27 mels for a factor of 6.4.
        mel = hz * 3 / 200 if hz < 1000 else 15 + 27 * np.log(hz / 1000) / np.log(6.4)
        top = 15 + 27 * np.log(8) / np.log(6.4)
        assert abs(features.mean(axis=1).argmax() - (mel / top * (BANDS + 1) - 1)) <= 1


def test_features_reach_down_to_eight_powers_of_ten_and_no_further():
    samples = np.random.default_rng(1).standard_normal(16_000).astype(np.float32)
    samples[8_000:] = 0
    features = log_mel(samples)
    assert features.max() - features.min() == pytest.approx(2.0)
    assert features[:, 60:].max() == features.min()
    # Ten times the amplitude is two powers of ten of energy: half a unit.
    assert log_mel(10 * samples).max() - features.max() == pytest.approx(0.5, abs=1e-4)


@pytest.mark.parametrize("still", [0, 100, 200, 360, 361, 5_000, 15_999])
def test_a_still_beginning_costs_less_and_changes_nothing(still):
    samples = np.random.default_rng(1).standard_normal(16_000).astype(np.float32)
    samples[:still] = -0.2
    assert np.array_equal(log_mel(samples, still=still), log_mel(samples))


@pytest.fixture(scope="module")
def judge():
    # Where everything was to be installed, the missing judge speaks for itself.
    if judge_path() is None and not os.environ.get("RT_NOTEBOOK_TEST_EVERYTHING"):
        pytest.skip("the judge's weights are not installed: rt-notebook setup")
    return SmartTurnJudge()


@pytest.mark.parametrize(
    "sentence", ["What is the capital of France?", "Please turn off the lights in the kitchen."]
)
def test_a_finished_sentence_is_an_end(judge, speech, sentence):
    assert judge.judge(to_pcm(np.concatenate([spoken(speech, sentence), PAUSE]))) > 0.8


def test_a_hesitation_is_less_of_an_end(judge, speech):
    hesitating = np.concatenate([spoken(speech, "So what I wanted to ask you is, um"), PAUSE])
    finished = np.concatenate([spoken(speech, "So that is what I wanted to ask you."), PAUSE])
    assert judge.judge(to_pcm(hesitating)) < 0.3 < judge.judge(to_pcm(finished))


def test_both_rates_are_heard_alike(judge, speech):
    import soxr

    wide = np.concatenate([spoken(speech, "Where do whales live?"), PAUSE])
    narrow = soxr.resample(wide, 24_000, 8_000)
    assert judge.judge(to_pcm(narrow), 8_000) > 0.8


def test_long_and_empty_audio_can_be_judged(judge, speech):
    long = np.tile(spoken(speech, "Where do whales live?"), 12)
    assert 0.0 <= judge.judge(to_pcm(long)) <= 1.0
    assert 0.0 <= judge.judge(b"") <= 1.0


def spoken(speech, sentence):
    """Speech without the voice's own silence around it."""
    samples = speech(sentence)
    loud = np.flatnonzero(np.abs(samples) > 0.02)
    return samples[max(0, loud[0] - 4800) : loud[-1]]
