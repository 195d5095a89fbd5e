"""Simulated turns: their times, those that stay open, and other grids."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rt_notebook import ConfigError, SemanticVad, ServerVad, vad

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


@pytest.mark.parametrize("path", ["me.wav", Path("me.wav")])
def test_a_path_is_told_to_become_a_trace_first(path):
    with pytest.raises(ConfigError, match=r"'me.wav' is a path.*vad\.trace\(path\)"):
        vad.simulate(path)


@pytest.mark.parametrize("given", [0.5, 0, SemanticVad(), {"threshold": 0.5}])
def test_what_is_no_server_vad_is_refused(given):
    with pytest.raises(ConfigError, match=r"ServerVad\(threshold"):
        vad.simulate(SPEECH, given)
