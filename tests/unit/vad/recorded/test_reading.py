"""A room test: labels are found in a reading, and settings for that room come out."""

from __future__ import annotations

import numpy as np
import pytest

from rt_notebook import ServerVad, vad, voice
from rt_notebook.errors import ConfigError
from rt_notebook.vad.recorded.reading import PROMPTS, Reading, turns_read

pytestmark = pytest.mark.speech
RATE_HZ = 24_000


@pytest.fixture(scope="module")
def reading():
    return vad.read_aloud(voice, "pink", 15.0, quiet_s=6)


@pytest.fixture(scope="module")
def swept(reading):
    return vad.room_sweep(reading)


def test_each_sentence_is_one_turn_however_many_pauses_it_has(reading, swept):
    assert swept.total.truths == len(PROMPTS)
    assert len(swept.parts) == 6
    patient = swept.at(ServerVad(silence_duration_ms=1000))
    assert patient["miss_rate"] == 0
    assert patient["false_cutoff_rate"] == 0
    # Every second sentence has pauses, of 0.3 s and more.
    assert 0.3 < swept.at(ServerVad(silence_duration_ms=200))["false_cutoff_rate"] <= 0.6


@pytest.mark.parametrize(("noise", "snr_db"), [("pink", 30.0), ("pink", 15.0), ("babble", 20.0)])
def test_turns_begin_and_end_where_the_voice_does(noise, snr_db):
    reading = vad.read_aloud(voice, noise, snr_db, quiet_s=6)
    found = np.array(turns_read(reading, vad.trace(reading.audio, cache=False)))
    truth = reading.prompts_s + np.array([0.2, -0.1])
    # To two frames for most: some sentences end in a breath that the room is louder than.
    assert np.median(np.abs(found - truth), axis=0).max() < 0.064


def test_the_room_gets_its_setting(swept):
    found = vad.recommend(swept)
    assert found.vad is not None
    assert found.vad.silence_duration_ms > ServerVad().silence_duration_ms
    assert found.metrics["false_cutoff_rate"] < found.baseline_metrics["false_cutoff_rate"]
    assert found.held_out["cost"] < found.held_out_baseline["cost"]


def test_the_same_reading_gives_the_same_answer(reading, swept):
    again = vad.room_sweep(vad.read_aloud(voice, "pink", 15.0, quiet_s=6))
    assert np.array_equal(again.total.counts, swept.total.counts)
    assert str(vad.recommend(again)) == str(vad.recommend(swept))


def test_a_sentence_that_was_not_read_is_no_turn():
    reading = vad.read_aloud(voice, "pink", 30.0, quiet_s=6)
    start, end = (reading.prompts_s[3] * RATE_HZ).astype(int)
    audio = reading.audio.copy()
    audio[start:end] = 0
    swept = vad.room_sweep(Reading(reading.quiet, audio, reading.prompts_s))
    assert swept.total.truths == len(PROMPTS) - 1


def test_silence_is_told_in_one_sentence():
    nothing = np.zeros(5 * RATE_HZ, np.int16)
    with pytest.raises(ConfigError, match=r"None of the sentences.*microphone"):
        vad.room_sweep(Reading(nothing, nothing, np.array([[0.5, 2.0], [2.5, 4.0]])))


@pytest.mark.parametrize("times", [[[1, 0]], [[0, 2], [1, 3]], [[0, 99]], [[-1, 1]], [0, 1]])
def test_times_that_do_not_fit_are_refused(times):
    audio = np.zeros(5 * RATE_HZ, np.float32)
    with pytest.raises(ConfigError, match="do not fit"):
        Reading(audio, audio, np.array(times, float))
