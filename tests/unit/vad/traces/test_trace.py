"""Traces: the probabilities that a live session gets, kept on disk by what they depend on."""

from __future__ import annotations

import stat
import sys

import numpy as np
import pytest

from rt_notebook import ComponentMissingError, ConfigError, vad
from rt_notebook.core.audio import to_pcm
from rt_notebook.core.turn_detection import FRAME_SAMPLES
from rt_notebook.io.audio.sources import load_audio
from rt_notebook.vad.detectors.energy import EnergyDetector
from rt_notebook.vad.detectors.silero import SileroDetector, push_together
from rt_notebook.vad.traces import cache as _cache

STEP = FRAME_SAMPLES * 2


class Counted:
    """A detector of one's own that tells how often it was asked."""

    name, version, hop_ms = "counted", "1", 10.0

    def __init__(self):
        self.asked = 0

    def probabilities(self, pcm):
        self.asked += 1
        return np.full(len(pcm) // 480, 0.25, np.float32)


def live(detector, pcm):
    stream = detector.stream()
    return np.array([stream.push(pcm[i : i + STEP]) for i in range(0, len(pcm) - STEP + 1, STEP)])


@pytest.mark.speech
def test_a_trace_is_bit_for_bit_what_a_live_session_gets(shared_data):
    for path in sorted((shared_data / "speech").glob("*.wav")):
        if "alaw" not in path.name:
            audio = vad.trace(path, cache=False)
            pcm = load_audio(path)
            assert np.array_equal(audio.probabilities, live(SileroDetector(), pcm).astype(np.float32)), path


@pytest.mark.speech
def test_the_trace_does_not_depend_on_who_else_is_heard(speech):
    detector = SileroDetector()
    pcm = to_pcm(speech("Good morning."))
    one, other = detector.stream(), detector.stream()
    frames = [pcm[i : i + STEP] for i in range(0, len(pcm) - STEP + 1, STEP)]
    together = [push_together([(one, frame), (other, bytes(STEP))])[0] for frame in frames]
    assert np.array_equal(vad.trace(pcm).probabilities, np.array(together, np.float32))


@pytest.mark.speech
def test_who_waits_long_sees_how_far_it_is(speech, monkeypatch, capsys):
    monkeypatch.setattr("rt_notebook.vad.traces.trace.BAR_AFTER_S", 0.0)
    pcm = to_pcm(np.concatenate([speech("Good morning."), np.zeros(24_000 * 10)]))
    judged = []
    alone = SileroDetector().probabilities(pcm, judged.append)
    assert sum(judged) == len(alone) == len(pcm) // STEP
    assert len(judged) > 1
    with_bar = vad.trace(pcm, cache=False, progress=True)
    assert np.array_equal(with_bar.probabilities, alone)
    assert "frame/s" in capsys.readouterr().err


@pytest.mark.speech
def test_the_model_for_many_frames_and_the_one_for_single_frames_agree(speech, monkeypatch):
    from rt_notebook.vad.detectors import silero

    pcm = to_pcm(speech("One two three."))
    if silero._file("silero_vad_16k_sequence.onnx") is None:
        pytest.skip(
            "silero-vad is not installed; its model for many frames is optional: its package asks for torch"
        )
    at_once = SileroDetector().probabilities(pcm)
    monkeypatch.setattr(silero, "_MANY", 7)
    assert np.array_equal(SileroDetector().probabilities(pcm), at_once)
    assert np.array_equal(live(SileroDetector(), pcm).astype(np.float32), at_once)


def test_energy_is_the_live_one_too():
    noise = np.random.default_rng(0).normal(0, 1, 30_000) * np.linspace(0, 0.3, 30_000)
    pcm = to_pcm(noise)
    found = vad.trace(pcm, "energy").probabilities
    assert np.array_equal(found, live(EnergyDetector(), pcm).astype(np.float32))
    assert found.size == 30_000 // FRAME_SAMPLES
    assert found.max() > 0.5


@pytest.mark.parametrize(("name", "hop_ms"), [("earshot", 16), ("webrtc", 10)])
def test_other_detectors_hear_speech_on_their_own_grid(name, hop_ms, speech):
    silence = np.zeros(24_000, np.float32)
    spoken = speech("The weather is fine today.")
    heard = vad.trace(np.concatenate([silence, spoken, silence]), name)
    assert heard.hop_ms == hop_ms
    assert abs(heard.duration_s - (48_000 + spoken.size) / 24_000) < 2 * heard.hop_s
    assert heard.probabilities[int(1.1 / heard.hop_s) :].max() > 0.5
    assert heard.probabilities[: int(0.9 / heard.hop_s)].max() < 0.5


@pytest.mark.parametrize(("name", "module"), [("earshot", "earshot"), ("webrtc", "webrtcvad")])
def test_a_detector_that_is_missing_says_how_to_get_it(name, module, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setattr("rt_notebook.vad.detectors._loaded", {})
    with pytest.raises(ComponentMissingError, match="pip install"):
        vad.load_detector(name)


def test_an_unknown_detector_is_refused_with_the_known_ones():
    with pytest.raises(ConfigError, match=r"'siler'.*earshot, energy, silero, webrtc"):
        vad.trace(np.zeros(24_000), "siler")


def test_a_package_may_bring_a_detector(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text(
        "import numpy as np\n"
        "class Mine:\n"
        "    name, version, hop_ms = 'mine', '3', 20.0\n"
        "    def probabilities(self, pcm): return np.ones(len(pcm) // 960, np.float32)\n"
    )
    info = tmp_path / "mine-3.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 3\n")
    (info / "entry_points.txt").write_text("[rt_notebook.detectors]\nmine = mine:Mine\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr("rt_notebook.vad.detectors._loaded", {})
    assert "mine" in vad.detector_names()
    assert len(vad.trace(np.zeros(24_000), "mine")) == 50


def test_a_trace_is_made_once_for_the_same_audio_and_weights(cache):
    detector, audio = Counted(), np.zeros(24_000)
    first, again = vad.trace(audio, detector), vad.trace(audio, detector)
    assert detector.asked == 1
    assert np.array_equal(first.probabilities, again.probabilities)
    assert (first.hash, first.hop_ms, first.detector) == (again.hash, 10.0, "counted")
    detector.version = "2"
    assert vad.trace(audio, detector).hash != first.hash
    audio[5] = 0.5
    assert vad.trace(audio, detector).hash != first.hash
    assert detector.asked == 3
    vad.trace(audio, detector, cache=False)
    assert detector.asked == 4
    assert len(list(cache.iterdir())) == 3


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other rights")
def test_kept_traces_are_for_their_user_alone(cache):
    vad.trace(np.zeros(24_000), Counted())
    assert stat.S_IMODE(cache.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in cache.iterdir()} == {0o600}


@pytest.mark.parametrize(
    "damage",
    [
        lambda kept: kept[:-10],
        lambda kept: b"",
        lambda kept: b"PK\x03\x04" + kept[4:],
        lambda kept: kept.replace(b"(100,)", b"(9%s,)" % (b"9" * 14)),
        lambda kept: kept[:-4] + np.float32("nan").tobytes(),
        lambda kept: kept[:-4] + np.float32(1.5).tobytes(),
        lambda kept: kept.replace(b"<f4", b"<i4"),
        lambda kept: kept.replace(b"{", b"("),
    ],
    ids=["shorter", "empty", "a zip", "a vast shape", "no number", "no probability", "integers", "no header"],
)
def test_a_damaged_file_is_made_again(cache, damage):
    detector = Counted()
    whole = vad.trace(np.zeros(24_000), detector)
    for path in cache.iterdir():
        path.write_bytes(damage(path.read_bytes()))
    assert np.array_equal(vad.trace(np.zeros(24_000), detector).probabilities, whole.probabilities)
    assert detector.asked == 2


def test_a_folder_that_cannot_be_made_costs_nothing_but_time(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("RT_NOTEBOOK_CACHE", str(tmp_path / "file" / "traces"))
    assert len(vad.trace(np.zeros(24_000), Counted())) == 100


def test_what_was_not_used_for_the_longest_time_goes_first(cache, monkeypatch):
    import os

    detector = Counted()
    traces = [vad.trace(np.full(24_000, level), detector) for level in (0.1, 0.2, 0.3)]
    for age, made in enumerate(traces):
        os.utime(cache / f"{made.hash}.npy", (age, age))
    vad.trace(np.full(24_000, 0.1), detector)  # used again: the second is the oldest now
    size = next(cache.iterdir()).stat().st_size
    monkeypatch.setattr(_cache, "MAX_BYTES", 3 * size)
    fourth = vad.trace(np.full(24_000, 0.4), detector)
    assert {p.stem for p in cache.iterdir()} == {traces[0].hash, traces[2].hash, fourth.hash}


def test_any_array_with_a_hop_is_a_trace():
    mine = vad.Trace([0.0, 0.5, 1.0], hop_ms=10)
    assert mine.probabilities.dtype == np.float32
    assert mine.times_s.tolist() == [0.0, 0.01, 0.02]
    assert mine.hash == vad.Trace([0.0, 0.5, 1.0], 10.0).hash != vad.Trace([0.0, 0.5, 1.0]).hash
    with pytest.raises(ValueError, match="read-only"):
        mine.probabilities[0] = 1.0


@pytest.mark.parametrize("wrong", [[[0.1]], [1.1], [-0.1], [float("nan")]])
def test_what_holds_no_probabilities_is_refused(wrong):
    with pytest.raises(ConfigError, match="from 0 to 1"):
        vad.Trace(wrong)
    with pytest.raises(ConfigError, match="hop_ms"):
        vad.Trace([0.1], hop_ms=0)
