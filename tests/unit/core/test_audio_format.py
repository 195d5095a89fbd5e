"""The wire's formats: what is accepted, and that a stream does not depend on its chunks."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rt_notebook.core.audio import to_pcm
from rt_notebook.core.audio_format import AudioFormat, OutputEncoder

TELEPHONE = pytest.mark.parametrize("name", ["audio/pcmu", "audio/pcma"])


def tone(samples, hz=1000, rate_hz=24_000):
    return to_pcm(0.5 * np.sin(2 * np.pi * hz / rate_hz * np.arange(samples)))


def test_formats_of_the_wire():
    pcm = AudioFormat.from_wire({"type": "audio/pcm", "rate": 24000})
    assert (pcm.rate_hz, pcm.bytes_per_sample, pcm.bytes_per_ms) == (24_000, 2, 48)
    assert AudioFormat.from_wire({"type": "audio/pcm"}) == pcm == AudioFormat()
    phone = AudioFormat.from_wire({"type": "audio/pcmu"})
    assert (phone.rate_hz, phone.bytes_per_sample, phone.bytes_per_ms) == (8_000, 1, 8)
    assert pcm.to_pcm(b"\1\2\3") == b"\1\2\3"
    assert phone.to_pcm(b"\xff\x80") == np.array([0, 32124], "<i2").tobytes()
    assert AudioFormat("audio/pcma").to_pcm(b"\xd5") == np.array([8], "<i2").tobytes()


@pytest.mark.parametrize(
    "wire",
    [
        None,
        "audio/pcmu",
        {},
        {"type": "pcm16"},
        {"type": ["audio/pcm"]},
        {"type": "audio/pcm", "rate": 16000},
        {"type": "audio/pcm", "rate": True},
    ],
)
def test_anything_else_is_refused_with_a_sentence(wire):
    with pytest.raises(ValueError, match=r"audio/pcm"):
        AudioFormat.from_wire(wire)


def test_pcm_goes_out_as_it_is():
    encoder = OutputEncoder(AudioFormat())
    assert encoder.push(b"\1\2\3\4") == b"\1\2\3\4"
    assert encoder.flush() == b""


@TELEPHONE
@given(sizes=st.lists(st.integers(0, 2000), min_size=1, max_size=12))
def test_chunks_do_not_change_what_goes_out(name, sizes):
    pcm = np.random.default_rng(1).integers(-20_000, 20_000, sum(sizes)).astype("<i2").tobytes()
    encoder = OutputEncoder(AudioFormat(name))
    whole = encoder.push(pcm) + encoder.flush()
    # The same encoder again: after a flush nothing of the stream before is left in it.
    cuts = np.cumsum([0, *sizes]) * 2
    pieces = [encoder.push(pcm[a:b]) for a, b in itertools.pairwise(cuts)]
    assert b"".join(pieces) + encoder.flush() == whole
    assert abs(len(whole) - sum(sizes) / 3) <= 1


@TELEPHONE
def test_a_tone_arrives_in_its_place_and_what_8_khz_cannot_hold_does_not(name):
    audio_format = AudioFormat(name)
    encoder = OutputEncoder(audio_format)
    heard = np.frombuffer(audio_format.to_pcm(encoder.push(tone(24_000)) + encoder.flush()), "<i2")
    wanted = np.frombuffer(tone(8_000, rate_hz=8_000), "<i2")
    inner = slice(400, -400)
    # G.711 keeps 30 to 40 dB between a tone and its own error.
    assert np.std(heard[inner] - wanted[inner].astype(float)) < 0.03 * np.std(wanted)
    too_high = audio_format.to_pcm(encoder.push(tone(24_000, hz=7000)) + encoder.flush())
    assert np.abs(np.frombuffer(too_high, "<i2")[inner]).max() < 100
