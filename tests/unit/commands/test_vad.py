"""``rt-notebook vad``, on a recording that every machine can judge: loud, then silent."""

from __future__ import annotations

import json

import numpy as np
import pytest
import soundfile

from rt_notebook import ServerVad, vad
from rt_notebook.cli import main
from rt_notebook.commands import vad as commands_vad


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
    assert "No turn: no frame reaches the threshold 0.5." in capsys.readouterr().out


def test_a_turn_that_lasts_too_short_is_told_from_none(folder, capsys):
    file = recording(folder / "a.wav", [(1, 2)])
    assert main(["vad", "simulate", file, "--detector", "energy", "--min-speech-ms", "100000"]) == 0
    assert capsys.readouterr().out == "No turn: no speech lasts 100000 ms without a silent frame.\n"


def test_what_is_wrong_is_said_in_one_sentence(folder, capsys):
    assert main(["vad", "simulate", str(folder / "none.wav")]) == 1
    assert "There is no file" in capsys.readouterr().err
    file = recording(folder / "a.wav", [])
    assert main(["vad", "simulate", file, "--threshold", "2"]) == 1
    assert "threshold" in capsys.readouterr().err


def labelled(folder, count=6):
    """Recordings with four turns each, and their labels."""
    files, labels = [], []
    for number in range(count):
        turns = [(1 + 2 * turn, 2 + 2 * turn) for turn in range(4)]
        files.append(recording(folder / f"{number}.wav", turns, seed=number))
        marks = folder / f"{number}.csv"
        marks.write_text("start_s,end_s\n" + "".join(f"{start},{end}\n" for start, end in turns))
        labels.append(str(marks))
    return files, labels


def test_sweep_writes_a_table(folder, capsys):
    import pandas as pd

    files, labels = labelled(folder, 2)
    out = folder / "sweep.csv"
    options = ["--labels", *labels, "--detector", "energy"]
    assert main(["vad", "sweep", *files, *options, "--out", str(out)]) == 0
    table = pd.read_csv(out)
    assert {"threshold", "silence_duration_ms", "prefix_padding_ms", "false_cutoff_rate", "cost"} <= set(
        table
    )
    assert "2 recordings" in capsys.readouterr().out
    assert main(["vad", "sweep", files[0], "--detector", "energy", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert len(printed["settings"]) == len(table)
    assert "cost" not in printed["settings"][0]


def test_sweep_shows_the_best_settings_where_it_writes_none(folder, capsys):
    (file,), (marks,) = labelled(folder, 1)
    assert main(["vad", "sweep", file, "--labels", marks, "--detector", "energy"]) == 0
    *rows, last = capsys.readouterr().out.splitlines()
    assert len(rows) == 21
    cost = rows[0].split().index("cost")
    costs = [float(row.split()[cost]) for row in rows[1:]]
    assert costs == sorted(costs)
    assert last == "20 of 8526 settings, those of least cost. --out FILE writes all of them."


def test_sweep_writes_parquet(folder):
    pq = pytest.importorskip("pyarrow.parquet")
    files, labels = labelled(folder, 1)
    out = folder / "sweep.parquet"
    options = ["--labels", *labels, "--detector", "energy", "--out", str(out)]
    assert main(["vad", "sweep", *files, *options]) == 0
    assert "cost" in pq.read_table(out).column_names


def test_sweep_looks_at_the_name_before_the_work(folder, capsys):
    file = recording(folder / "a.wav", [])
    assert main(["vad", "sweep", file, "--detector", "energy", "--out", "table.xlsx"]) == 1
    assert ".parquet or .csv" in capsys.readouterr().err


@pytest.mark.parametrize("out", ["nowhere/table.csv", "there.csv", "file.wav/table.csv", "x" * 300 + ".csv"])
def test_sweep_looks_at_the_place_before_the_work(folder, capsys, monkeypatch, out):
    (folder / "there.csv").mkdir()
    recording(folder / "file.wav", [])
    monkeypatch.setattr(commands_vad, "sweep", lambda *_, **__: pytest.fail("it has begun to work"))
    assert main(["vad", "sweep", str(folder / "file.wav"), "--out", str(folder / out)]) == 1
    assert "cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["sweep", "recommend"])
def test_a_detector_that_there_is_not_is_refused_once(folder, capsys, recwarn, command):
    files = [recording(folder / f"{number}.wav", []) for number in range(3)]
    assert main(["vad", command, *files, "--detector", "nix"]) == 1
    told = capsys.readouterr().err
    assert told.startswith("rt-notebook: There is no detector 'nix'. Use one of:")
    assert told.count("\n") == 1
    assert not recwarn.list


def test_recommend_prints_settings_and_reasons(folder, capsys):
    files, labels = labelled(folder)
    options = ["--labels", *labels, "--detector", "energy"]
    assert main(["vad", "recommend", *files, *options, "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert set(printed["turn_detection"]) == {"threshold", "prefix_padding_ms", "silence_duration_ms"}
    assert printed["metrics"]["false_cutoff_rate"] == 0
    assert main(["vad", "recommend", *files, *options, "--budget", "endpoint_latency_p50_ms=1"]) == 0
    assert "No setting is acceptable" in capsys.readouterr().out
    assert main(["vad", "recommend", *files, "--detector", "energy", "--budget", "fast"]) == 1
    assert "NAME=NUMBER" in capsys.readouterr().err


def test_recommend_without_labels_says_that_it_guesses(folder, capsys):
    files, _ = labelled(folder)
    assert main(["vad", "recommend", *files, "--detector", "energy"]) == 0
    assert "guesses" in capsys.readouterr().out


@pytest.mark.speech
def test_probe_prints_what_an_endpoint_applies(capsys):
    assert (
        main(["vad", "probe", "local", "--silence-duration-ms", "300", "--max-audio-s", "15", "--json"]) == 0
    )
    printed = capsys.readouterr()
    told = json.loads(printed.out)
    rows = {row["setting"]: row for row in told["settings"]}
    assert rows["silence_duration_ms"]["verdict"] == "applied"
    assert rows["silence_duration_ms"]["low"] <= 300 <= rows["silence_duration_ms"]["high"]
    assert told["audio_s"] <= 15
    assert "s of audio will be sent" in printed.err
