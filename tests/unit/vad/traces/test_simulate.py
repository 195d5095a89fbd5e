"""Simulated turns: their times, those that stay open, other grids, and the live server as the equal."""

from __future__ import annotations

import base64

import numpy as np
import pandas as pd
import pytest
from engine_driver import Driver
from hypothesis import given, settings
from hypothesis import strategies as st

from rt_notebook import ConfigError, ServerVad, vad

SPEECH = [0.0] * 20 + [0.9] * 30 + [0.0] * 20


def test_a_turn_has_its_times():
    found = vad.simulate(SPEECH, ServerVad(silence_duration_ms=200, prefix_padding_ms=300))
    assert found.to_dict("records") == [
        {
            "onset_ms": 640,
            "started_ms": 672,
            "speech_end_ms": 1600,
            "decision_ms": 1824,
            "audio_start_ms": 340,
            "audio_end_ms": 1824,
            "open": False,
        }
    ]


def test_a_turn_at_the_end_is_open_until_silence_is_thought_to_follow():
    cut = SPEECH[:52]
    found = vad.simulate(cut, ServerVad(silence_duration_ms=200))
    assert found.open.tolist() == [True]
    assert found.decision_ms.isna().all()
    closed = vad.simulate(cut, ServerVad(silence_duration_ms=200), trailing_silence_ms=1000)
    assert closed.equals(vad.simulate(SPEECH, ServerVad(silence_duration_ms=200)))


def test_no_turn_is_an_empty_table_of_the_same_types():
    none = vad.simulate([0.0] * 5)
    assert len(none) == 0
    pd.testing.assert_series_equal(none.dtypes, vad.simulate(SPEECH).dtypes)


@pytest.mark.parametrize("hop_ms", [10, 16, 31.25])
def test_other_hops_have_other_grids(hop_ms):
    found = vad.simulate(vad.Trace(SPEECH, hop_ms), ServerVad(silence_duration_ms=100, prefix_padding_ms=0))
    silent = int(np.ceil(100 / hop_ms))
    assert found.onset_ms.tolist() == [round(20 * hop_ms)]
    assert found.speech_end_ms.tolist() == [round(50 * hop_ms)]
    assert found.decision_ms.tolist() == [round((50 + silent) * hop_ms)]


def test_wrong_rules_are_refused():
    for wrong in ({"reset": "low"}, {"exit_threshold": 1.5}, {"min_speech_ms": -1}):
        with pytest.raises(ConfigError):
            vad.simulate(SPEECH, **wrong)


@settings(max_examples=60)
@given(
    st.lists(st.sampled_from([0.0, 0.3, 0.36, 0.4, 0.5, 0.9]), max_size=60),
    st.sampled_from([0.1, 0.5, 0.8]),
    st.integers(0, 300),
    st.integers(0, 300),
    st.randoms(use_true_random=False),
)
def test_the_server_decides_the_same_live(probabilities, threshold, silence_ms, padding_ms, chance):
    driver = Driver()
    detection = {
        "type": "server_vad",
        "threshold": threshold,
        "silence_duration_ms": silence_ms,
        "prefix_padding_ms": padding_ms,
        "create_response": False,
    }
    driver.send(
        "session.update", session={"type": "realtime", "audio": {"input": {"turn_detection": detection}}}
    )
    driver.probabilities = list(probabilities)
    audio, start = bytes(1536 * len(probabilities)), 0
    while start < len(audio):
        step = chance.choice([480, 1536, 1920, 8001])
        piece = audio[start : start + step]
        driver.send("input_audio_buffer.append", audio=base64.b64encode(piece).decode())
        start += step
    wire = [
        event.get("audio_start_ms", event.get("audio_end_ms"))
        for event in driver.events
        if event["type"].startswith("input_audio_buffer.speech_")
    ]
    settings_ = ServerVad(threshold=threshold, silence_duration_ms=silence_ms, prefix_padding_ms=padding_ms)
    turns = vad.simulate(probabilities, settings_)
    found = [t for turn in turns.itertuples() for t in (turn.audio_start_ms, turn.audio_end_ms)]
    assert wire == [t for t in found if t is not pd.NA]
