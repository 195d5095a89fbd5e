"""Where the tuner's sound comes from: files, arrays, recordings, rooms, a session recorded from now on."""

from __future__ import annotations

import asyncio
import threading

import numpy as np
import pytest
import soundfile

from rt_notebook import (
    AudioFileError,
    BundleError,
    ConfigError,
    Endpoint,
    ServerVad,
    Session,
    SessionConfig,
    VadTuner,
    load,
    vad,
)
from rt_notebook.core.audio import to_pcm
from rt_notebook.widgets.tuner.session import NOT_RECORDED
from rt_notebook.widgets.tuner.sound import built_in, envelope, hear, part_of

RATE_HZ = 24_000


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("RT_NOTEBOOK_CACHE", str(tmp_path / "traces"))


def bursts(seconds=6.0):
    """A tone that comes and goes each second; the energy detector takes it for speech."""
    t = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    return (0.3 * np.sin(2 * np.pi * 220 * t) * (t % 2 > 1)).astype(np.float32)


@pytest.fixture
def close():
    made = []
    yield lambda tuner: made.append(tuner) or tuner
    for tuner in made:
        tuner.close()


def settle(tuner):
    """Wait until the desk and then the observers have done what was submitted."""
    for worker in (tuner._desk, tuner._observers):
        done = threading.Event()
        worker.submit(done.set)
        assert done.wait(60)


def test_a_file_an_array_and_bytes_are_the_same_sound(tmp_path, close):
    path = tmp_path / "me.wav"
    soundfile.write(path, bursts(), RATE_HZ, subtype="PCM_16")
    tuners = [close(VadTuner(source, detector="energy")) for source in (path, str(path), to_pcm(bursts()))]
    assert len({tuner.turns.to_json() for tuner in tuners}) == 1
    assert len(tuners[0].turns) == 3
    assert tuners[0]._tuning.heard.sound.name == "me.wav"


def test_arrays_of_other_rates_and_labels_of_files_are_taken(tmp_path, close):
    labels = tmp_path / "me.csv"
    labels.write_text("start_s,end_s\n1,2\n3,4\n5,6\n")
    stereo = np.stack([bursts()[::3]] * 2, axis=1)
    tuner = close(VadTuner(stereo, labels=labels, detector="energy", rate_hz=8000))
    assert tuner.labels.tolist() == [[1, 2], [3, 4], [5, 6]]
    assert tuner.metric == "cost"
    assert tuner.trace.duration_s == pytest.approx(6, abs=0.05)


@pytest.mark.parametrize(
    ("source", "error"),
    [("no-such.wav", AudioFileError), ("no-such.rtlog", BundleError), (np.zeros((2, 2, 2)), ConfigError)],
)
def test_what_is_no_sound_is_refused_in_one_sentence(source, error):
    with pytest.raises(error) as told:
        VadTuner(source, detector="energy")
    assert "\n" not in str(told.value)


def test_other_sounds_follow_in_the_same_tuner(close):
    tuner = close(VadTuner(bursts(), labels=[(1, 2)], detector="energy"))
    first = tuner._tuning.heard.number
    tuner.listen(bursts(4.0))
    assert tuner._tuning.heard.number > first
    assert (len(tuner.turns), len(tuner.labels), tuner.metric) == (2, 0, "turns_per_min")


def test_the_envelope_holds_every_peak_and_is_bounded():
    sound = hear(bursts(), "energy")
    bounds, bin_ms = envelope(sound)
    assert bin_ms == 4.0
    assert bounds.shape == (len(sound.trace) * 8, 2)
    peak = np.abs(np.frombuffer(sound.pcm, "<i2")).max() // 258
    assert np.abs(bounds.astype(int)).max() in {peak, peak + 1}
    long = vad.Trace(np.zeros(112_500, np.float32))
    assert envelope(type(sound)("an hour", long))[0].size == 0
    silent = type(sound)("an hour", long, bytes(2 * RATE_HZ * 3600))
    assert envelope(silent)[0].nbytes <= 500_000


def test_a_stretch_of_it_can_be_cut_out():
    sound = hear(bursts(), "energy")
    assert part_of(sound, 1000, 1500) == sound.pcm[48_000:72_000]
    assert part_of(sound, -5, 10) == sound.pcm[:480]
    assert part_of(sound, 7000, 9000) == b""


@pytest.mark.speech
def test_the_built_in_voice_speaks_where_its_labels_say(close):
    loud, faint = (built_in("white", snr_db, "silero", turns=3) for snr_db in (30, 0))
    assert len(loud.labels) == 3
    noise = [np.std(np.frombuffer(sound.pcm, "<i2")[:6000]) for sound in (loud, faint)]
    assert 20 < noise[1] / noise[0] < 40
    tuner = close(VadTuner())
    assert "built-in voice in pink noise" in tuner._tuning.heard.sound.name
    assert len(tuner.labels) == 6
    with pytest.raises(ConfigError, match="no noise"):
        built_in("music", 10, "silero")


@pytest.mark.speech
def test_a_recording_brings_what_the_server_decided(speech, tmp_path, close):
    path, question = tmp_path / "demo.rtlog", speech("What is the capital of France?")

    async def converse():
        config = SessionConfig(turn_detection=ServerVad(silence_duration_ms=300))
        session = Session(Endpoint.local(reply="echo"), config)
        await session.record(path, purpose="a test")
        await session.connect()
        await session.ask(question)
        await session.close()

    asyncio.run(converse())
    tuner = close(VadTuner(path))
    heard = tuner._tuning.heard
    assert heard.before_name == "Server"
    tuner.silence_duration_ms = 300
    known = vad.whatif(load(path)).recorded
    decided = ["audio_start_ms", "audio_end_ms"]
    assert heard.before[:, 2:4].tolist() == known[decided].to_numpy().tolist()
    assert tuner.turns[decided].to_numpy().tolist() == known[decided].to_numpy().tolist()


@pytest.mark.speech
def test_a_session_is_recorded_only_when_asked_and_then_taken_in(speech, close):
    question = speech("What is the capital of France?")
    with Session(Endpoint.local(reply="echo")) as session:
        tuner = close(VadTuner(session=session))
        assert tuner.problem == NOT_RECORDED
        assert session.recording is None
        assert tuner.turns.empty
        tuner._tuned.record().result(30)
        folder = session.recording.parent
        session.ask_blocking(question)
        tuner._act({"name": "refresh"})
        settle(tuner)
        assert not tuner.turns.empty
        assert tuner._tuning.heard.before_name == "Server"
        tuner.close()
        assert not folder.exists()
        assert session.state == "open"
