"""PCM arithmetic."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rt_notebook.core.audio import SILENCE_DBFS, level_dbfs, pcm_ms, to_float, to_pcm


@given(st.lists(st.integers(-32767, 32767), max_size=50))
def test_floats_and_back_are_within_one_step(values):
    pcm = np.array(values, "<i2").tobytes()
    back = np.frombuffer(to_pcm(to_float(pcm)), "<i2")
    assert np.all(np.abs(back - np.array(values, int)) <= 1)


def test_levels():
    assert level_dbfs(b"") == SILENCE_DBFS
    assert level_dbfs(bytes(960)) == SILENCE_DBFS
    full_sine = to_pcm(np.sin(np.arange(24_000) * 2 * np.pi * 440 / 24_000))
    assert level_dbfs(full_sine) == pytest.approx(-3.01, abs=0.01)


def test_channels_are_averaged_and_loud_or_broken_samples_clipped():
    assert np.frombuffer(to_pcm(np.array([[1.0, 0.0]])), "<i2")[0] == 16384
    assert np.frombuffer(to_pcm(np.array([9.0, -9.0, np.nan])), "<i2").tolist() == [32767, -32767, 0]


def test_an_odd_byte_is_no_sample():
    assert pcm_ms(b"\0" * 97) == 2.0
