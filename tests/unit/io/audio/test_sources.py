"""Recordings of any format, rate and number of channels become the wire's audio."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

from rt_notebook.errors import AudioFileError, ConfigError
from rt_notebook.io.audio.sources import chunks, load_audio, to_wire_audio


def tone(rate_hz, channels=1, seconds=0.5):
    wave = 0.5 * np.sin(2 * np.pi * 440 * np.arange(int(rate_hz * seconds)) / rate_hz)
    return np.repeat(wave[:, None], channels, axis=1)


@pytest.mark.parametrize(
    ("suffix", "rate_hz", "channels", "subtype"),
    [
        ("wav", 24_000, 1, "PCM_16"),
        ("wav", 8_000, 1, "ALAW"),
        ("wav", 8_000, 1, "ULAW"),
        ("wav", 44_100, 2, "FLOAT"),
        ("flac", 16_000, 1, "PCM_16"),
        ("ogg", 48_000, 2, "VORBIS"),
        ("mp3", 44_100, 1, "MPEG_LAYER_III"),
    ],
)
def test_files(tmp_path, suffix, rate_hz, channels, subtype):
    path = tmp_path / f"tone.{suffix}"
    soundfile.write(path, tone(rate_hz, channels), rate_hz, subtype=subtype)
    samples = np.frombuffer(load_audio(path), "<i2") / 32768
    assert abs(samples.size - 12_000) < 2_500  # MP3 pads
    spectrum = np.abs(np.fft.rfft(samples[2000:10_000]))
    assert abs(np.argmax(spectrum) * 24_000 / 8000 - 440) < 6
    assert 0.3 < np.abs(samples).max() < 0.6


@pytest.mark.parametrize("content", [b"", b"no audio at all", b"RIFF\x00\x00\x00\x00WAVEfmt "])
def test_a_file_that_is_none(tmp_path, content):
    path = tmp_path / "x.wav"
    path.write_bytes(content)
    with pytest.raises(AudioFileError) as caught:
        load_audio(path)
    assert caught.value.remedy.startswith("Give a")


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(AudioFileError, match="no file"):
        load_audio(tmp_path / "nowhere.wav")


def test_arrays_and_bytes_are_resampled_alike():
    wave = tone(16_000)[:, 0]
    pcm16 = np.rint(wave * 32767).astype("<i2")
    from_float = np.frombuffer(to_wire_audio(wave, 16_000), "<i2").astype(int)
    for other in (pcm16, pcm16.tobytes(), np.stack([pcm16, pcm16], axis=1)):
        assert np.max(np.abs(np.frombuffer(to_wire_audio(other, 16_000), "<i2") - from_float)) <= 4


@pytest.mark.parametrize("name", ["x" * 300, "x" * 300 + ".wav", "\0"])
def test_a_name_that_no_file_can_have(name):
    with pytest.raises(AudioFileError, match="no file"):
        load_audio(name)


@pytest.mark.parametrize("rate_hz", [0, -1, 0.001, float("inf"), float("nan"), "16000", None])
def test_a_rate_that_is_none(rate_hz):
    with pytest.raises(ConfigError, match="sample rate") as caught:
        to_wire_audio(np.zeros(100), rate_hz)
    assert "such as 16000" in caught.value.remedy


@pytest.mark.parametrize("type_", ["int32", "int64", "uint8", "int8", "uint16", ">i2"])
def test_whole_numbers_whose_full_scale_is_not_known(type_):
    with pytest.raises(ConfigError, match="full scale") as caught:
        to_wire_audio(np.zeros(100, type_))
    assert "int16" in caught.value.remedy


@pytest.mark.parametrize("rate_hz", [24_000, 16_000])
def test_floats_that_are_scaled_as_int16_are_refused(rate_hz):
    quiet = 0.002 * tone(rate_hz, 2)  # -60 dBFS at its peak
    with pytest.raises(ConfigError, match="far beyond") as caught:
        to_wire_audio(quiet * 32767, rate_hz)
    assert "32768" in caught.value.remedy


def test_floats_that_are_somewhat_too_loud_are_clipped():
    loud = np.array([0.5, 1.2, -3.0, 8.0, np.nan])
    assert np.frombuffer(to_wire_audio(loud), "<i2").tolist() == [16384, 32767, -32767, 32767, 0]


def test_channels_that_come_first_are_refused():
    with pytest.raises(ConfigError, match="more channels than samples") as caught:
        to_wire_audio(tone(24_000, 2).T)
    assert "Transpose" in caught.value.remedy
    assert to_wire_audio(np.zeros((0, 2))) == b""


@pytest.mark.parametrize("wrong", [np.zeros((2, 3, 4)), np.array(["a"]), 5.0, np.zeros(5, complex), [True]])
def test_an_array_that_is_no_recording(wrong):
    with pytest.raises(ConfigError, match="no recording"):
        to_wire_audio(wrong)


def test_bytes_of_any_kind_are_pcm_and_views_of_numbers_are_arrays():
    pcm = np.arange(-500, 500, dtype="<i2")
    for same in (pcm.tobytes(), bytearray(pcm.tobytes()), memoryview(pcm.tobytes()), memoryview(pcm)):
        assert to_wire_audio(same) == pcm.tobytes()
    assert to_wire_audio(memoryview((pcm / 32768).astype(np.float32))) == pcm.tobytes()
    with pytest.raises(ConfigError):
        to_wire_audio(memoryview(pcm.astype(np.int32)))


def test_chunks_hold_everything():
    pcm = bytes(range(256)) * 100
    pieces = list(chunks(pcm))
    assert b"".join(pieces) == pcm
    assert {len(piece) for piece in pieces[:-1]} == {1920}
