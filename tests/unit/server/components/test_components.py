"""The components one by one: the real ones on speech, and what stands in for them."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rt_notebook.core.audio import to_float, to_pcm
from rt_notebook.core.audio_format import AudioFormat, OutputEncoder
from rt_notebook.core.config import ServerVad
from rt_notebook.core.turn_detection import FRAME_MS, FRAME_SAMPLES, simulate
from rt_notebook.server.components.rules import answer
from rt_notebook.server.components.transcribe import MoonshineTranscriber, quiet_cuts
from rt_notebook.vad.detectors.energy import EnergyDetector
from rt_notebook.vad.detectors.silero import SileroDetector, push_together

NOW = datetime(2026, 11, 23, 9, 5, tzinfo=UTC)


def probabilities(detector, samples, rate_hz=24_000):
    stream, pcm = detector.stream(rate_hz), to_pcm(samples)
    step = rate_hz // 1000 * FRAME_MS * 2
    return np.array([stream.push(pcm[i : i + step]) for i in range(0, len(pcm) - step + 1, step)])


@pytest.fixture(scope="module")
def recording(speech):
    spoken = speech("What is the capital of France?")
    return np.concatenate([np.zeros(24_000, np.float32), spoken, np.zeros(24_000, np.float32)]), spoken.size


def test_silero_hears_speech_and_not_silence_nor_noise(recording):
    samples, spoken = recording
    found = probabilities(SileroDetector(), samples)
    start, end = 24_000 // FRAME_SAMPLES, (24_000 + spoken) // FRAME_SAMPLES
    assert found[: start - 1].max() < 0.3
    assert (found[start:end] > 0.5).mean() > 0.7
    assert found[end + 12 :].max() < 0.35
    noise = 0.05 * np.random.default_rng(1).standard_normal(48_000)
    assert (probabilities(SileroDetector(), noise) > 0.5).mean() < 0.1


def test_silero_hears_speech_over_the_telephone(recording):
    samples, spoken = recording
    encoder = OutputEncoder(AudioFormat("audio/pcmu"))
    coded = encoder.push(to_pcm(samples)) + encoder.flush()
    heard = to_float(AudioFormat("audio/pcmu").to_pcm(coded))
    found = probabilities(SileroDetector(), heard, 8_000)
    wide = probabilities(SileroDetector(), samples)
    start, end = 24_000 // FRAME_SAMPLES, (24_000 + spoken) // FRAME_SAMPLES
    assert found[: start - 1].max() < 0.3
    assert (found[start:end] > 0.5).mean() > 0.6
    assert found[end + 12 :].max() < 0.35
    # The frames are the same ones: neither rate comes later than the other.
    onsets = [int(np.argmax(each > 0.5)) for each in (found, wide)]
    assert abs(onsets[0] - onsets[1]) <= 1


@pytest.mark.speech
def test_silero_hears_recorded_a_law_speech(shared_data):
    coded = (shared_data / "speech" / "weather_alaw_8k.wav").read_bytes()
    coded = coded[coded.index(b"data") + 8 :]
    heard = to_float(AudioFormat("audio/pcma").to_pcm(coded))
    silence = np.zeros(8_000, np.float32)
    found = probabilities(SileroDetector(), np.concatenate([silence, heard, silence]), 8_000)
    turns = simulate(found, ServerVad())
    assert [turn.kind for turn in turns] == ["started", "stopped"]
    assert turns[1].speech_end_ms - turns[0].onset_ms > 1500


def test_silero_streams_do_not_share_their_memory(recording):
    detector, samples = SileroDetector(), recording[0]
    alone = probabilities(detector, samples)
    other, pcm = detector.stream(), to_pcm(samples)
    mixed = detector.stream()
    found = []
    for start in range(0, len(pcm) - FRAME_SAMPLES * 2 + 1, FRAME_SAMPLES * 2):
        other.push(bytes(FRAME_SAMPLES * 2))
        found.append(mixed.push(pcm[start : start + FRAME_SAMPLES * 2]))
    assert np.array_equal(alone, np.array(found))


def test_streams_that_are_pushed_together_hear_what_each_hears_alone(recording):
    detector, pcm = SileroDetector(), to_pcm(recording[0])
    step, telephone = FRAME_SAMPLES * 2, 256 * 2
    count = len(pcm) // step
    alone = [detector.stream(), detector.stream(), detector.stream(8_000), EnergyDetector().stream()]
    together = [detector.stream(), detector.stream(), detector.stream(8_000), EnergyDetector().stream()]
    for number in range(count):
        frame = pcm[number * step : (number + 1) * step]
        given = [frame, bytes(step), pcm[number * telephone : (number + 1) * telephone], frame]
        # Not every stream has a frame each time.
        members = [n for n in range(4) if (number + n) % 3]
        found = push_together([(together[n], given[n]) for n in members])
        assert found == [alone[n].push(given[n]) for n in members]


def test_energy_follows_loudness_above_the_background(recording):
    samples, spoken = recording
    found = probabilities(EnergyDetector(), samples)
    start, end = 24_000 // FRAME_SAMPLES, (24_000 + spoken) // FRAME_SAMPLES
    assert found[: start - 1].max() < 0.5
    assert (found[start:end] > 0.5).mean() > 0.5
    assert found[end + 2 :].max() < 0.5


def test_moonshine_writes_down_what_is_said(recording):
    assert "capital of france" in MoonshineTranscriber().transcribe(to_pcm(recording[0])).lower()


def test_moonshine_hears_telephone_audio_and_stops_when_nobody_asks(recording):
    import soxr

    narrow, moonshine = to_pcm(soxr.resample(recording[0], 24_000, 8_000)), MoonshineTranscriber()
    assert "capital of france" in moonshine.transcribe(narrow, 8_000).lower()
    assert moonshine.transcribe(narrow, 8_000, lambda: True) == ""


@given(st.lists(st.integers(1, 9 * 16_000), min_size=1, max_size=8), st.integers(0, 9))
def test_long_speech_is_cut_in_its_pauses(lengths, seed):
    chance = np.random.default_rng(seed)
    pause = np.zeros(4_800, np.float32)
    parts = [np.concatenate([chance.uniform(0.2, 0.9, length), pause]) for length in lengths]
    samples = np.concatenate(parts).astype(np.float32)
    pieces = quiet_cuts(samples)
    assert np.array_equal(np.concatenate(pieces), samples)
    assert all(piece.size <= 20 * 16_000 for piece in pieces)
    # A part that is longer than the search has no pause in it.
    if max(lengths) <= 7 * 16_000:
        assert all(piece[-1] == 0 for piece in pieces[:-1])


@pytest.mark.parametrize(
    ("said", "answered"),
    [
        ("What is 12 times 3?", "That makes 36."),
        ("7 divided by 0", "Nobody can divide by zero."),
        ("What time is it?", "It is 09:05."),
        ("What day is it today?", "Today is Monday, November 23."),
        ("Thank you!", "You are welcome."),
        ("", "Hello! I answer by simple rules."),
        ("The moon is made of cheese.", "You said: The moon is made of cheese."),
    ],
)
def test_rules(said, answered):
    assert answer(said, NOW).startswith(answered)
