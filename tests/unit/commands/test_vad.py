"""``rt-notebook vad``, on a recording that every machine can judge: loud, then silent."""

from __future__ import annotations

import json

import numpy as np
import pytest
import soundfile

from rt_notebook import ServerVad, vad
from rt_notebook.cli import main


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("RT_NOTEBOOK_CACHE", str(tmp_path / "traces"))
    return tmp_path


def recording(path, speech_s, seed=0):
    """Noise at the given stretches of ten seconds: what the energy detector takes for speech."""
    samples = np.zeros(240_000)
    for start, end in speech_s:
        samples[int(start * 24_000) : int(end * 24_000)] = 0.1
    samples *= np.random.default_rng(seed).normal(size=samples.size)
    soundfile.write(path, samples, 24_000)
    return str(path)


def test_simulate_prints_the_turns_as_json(folder, capsys):
    file = recording(folder / "a.wav", [(1, 2), (5, 6)])
    options = ["--detector", "energy", "--silence-duration-ms", "320", "--prefix-padding-ms", "100", "--json"]
    assert main(["vad", "simulate", file, *options]) == 0
    printed = json.loads(capsys.readouterr().out)
    settings = ServerVad(silence_duration_ms=320, prefix_padding_ms=100)
    turns = vad.simulate(vad.trace(file, "energy"), settings)
    names = ["audio_start_ms", "audio_end_ms", "speech_end_ms", "decision_ms"]
    assert printed == {"turns": turns[names].astype(int).to_dict("records")}
    assert len(turns) == 2


def test_a_turn_that_does_not_end_has_no_end_in_json(folder, capsys):
    file = recording(folder / "a.wav", [(8, 10)])
    assert main(["vad", "simulate", file, "--detector", "energy", "--json"]) == 0
    (turn,) = json.loads(capsys.readouterr().out)["turns"]
    assert (turn["audio_end_ms"], turn["speech_end_ms"], turn["decision_ms"]) == (None, None, None)
    assert main(["vad", "simulate", file, "--detector", "energy", "--trailing-silence-ms", "900"]) == 0
    assert "open" not in capsys.readouterr().out


def test_simulate_prints_words_to_people(folder, capsys):
    file = recording(folder / "a.wav", [(1, 2)])
    assert main(["vad", "simulate", file, "--detector", "energy"]) == 0
    assert "speech from    0.992 s" in capsys.readouterr().out
    assert main(["vad", "simulate", recording(folder / "b.wav", []), "--detector", "energy"]) == 0
    assert "No turn" in capsys.readouterr().out


def test_what_is_wrong_is_said_in_one_sentence(folder, capsys):
    assert main(["vad", "simulate", str(folder / "none.wav")]) == 1
    assert "There is no file" in capsys.readouterr().err
    file = recording(folder / "a.wav", [])
    assert main(["vad", "simulate", file, "--threshold", "2"]) == 1
    assert "threshold" in capsys.readouterr().err
