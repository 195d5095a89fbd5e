"""G.711 over all its codes and samples, against CPython's own and by its properties."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from rt_notebook.core import g711

CODES = bytes(range(256))
SAMPLES = np.arange(-32768, 32768).astype("<i2")
LAWS = pytest.mark.parametrize("law", ["ulaw", "alaw"])


def levels(law, codes=CODES):
    return np.frombuffer(g711.decode(codes, law), "<i2").astype(int)


@LAWS
def test_equals_audioop_on_every_code_and_every_sample(law):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        audioop = pytest.importorskip("audioop", reason="Python 3.13 removed audioop")
    assert g711.decode(CODES, law) == getattr(audioop, f"{law}2lin")(CODES, 2)
    assert g711.encode(SAMPLES.tobytes(), law) == getattr(audioop, f"lin2{law}")(SAMPLES.tobytes(), 2)


@LAWS
def test_there_and_back_is_within_the_step(law):
    back = levels(law, g711.encode(SAMPLES.tobytes(), law))
    known = np.unique(levels(law))
    within = (known[0] <= SAMPLES) & (known[-1] >= SAMPLES)
    # The step around a sample is the distance of the levels that enclose it.
    above = np.clip(np.searchsorted(known, SAMPLES[within]), 1, known.size - 1)
    step = known[above] - known[above - 1]
    assert np.all(np.abs(back - SAMPLES)[within] <= step)
    assert np.all(back[known[-1] < SAMPLES] == known[-1])
    assert np.all(back[known[0] > SAMPLES] == known[0])


@LAWS
def test_louder_never_becomes_quieter(law):
    assert np.all(np.diff(levels(law, g711.encode(SAMPLES.tobytes(), law))) >= 0)


@LAWS
def test_a_second_time_changes_nothing(law):
    once = g711.encode(SAMPLES.tobytes(), law)
    assert g711.encode(g711.decode(once, law), law) == once


def test_known_codes():
    # ITU-T G.711, tables 1 and 2: the greatest values, and the smallest.
    assert levels("ulaw", b"\x80\x00\xff\x7f").tolist() == [32124, -32124, 0, 0]
    assert levels("alaw", b"\xaa\x2a\xd5\x55").tolist() == [32256, -32256, 8, -8]


def test_an_odd_byte_is_no_sample():
    assert g711.encode(b"\0\0\0", "ulaw") == b"\xff"
    assert g711.encode(b"", "alaw") == b""
