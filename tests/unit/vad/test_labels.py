"""Labels: RTTM and CSV, what is joined, and what is refused in one sentence."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from rt_notebook import ConfigError, vad
from rt_notebook.vad.labels import guess_labels


def written(path, text):
    path.write_text(text)
    return path


def test_rttm_is_speech_and_short_pauses_lie_within_a_turn(tmp_path):
    file = written(
        tmp_path / "a.rttm",
        "SPEAKER a 1 5.0 1.0 <NA> <NA> B <NA> <NA>\n"
        "SPEAKER a 1 1.5 2.0 <NA> <NA> A <NA> <NA>\n\n"
        "SPKR-INFO a 1 <NA> <NA> <NA> unknown A <NA>\n"
        "SPEAKER a 1 3.0 1.25 <NA> <NA> B <NA> <NA>\n",
    )
    assert vad.read_labels(file).tolist() == [[1.5, 6.0]]
    assert vad.read_labels(file, pause_s=0.5).tolist() == [[1.5, 4.25], [5.0, 6.0]]


def test_a_csv_holds_the_turns_themselves(tmp_path):
    file = written(tmp_path / "a.csv", "who,start_s,end_s\nme,3,4.5\nme,1,2.5\n")
    assert vad.read_labels(file).tolist() == [[1.0, 2.5], [3.0, 4.5]]
    assert vad.read_labels(written(tmp_path / "b.csv", "start_s,end_s\n")).shape == (0, 2)
    spaced = written(tmp_path / "c.csv", "who, start_s, end_s\nme, 3, 4.5\n")
    assert vad.read_labels(spaced).tolist() == [[3.0, 4.5]]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.rttm", "SPEAKER a 1 x 2", "Line 1 of 'a.rttm'"),
        ("a.rttm", "SPEAKER a 1", "Line 1"),
        ("a.rttm", "start_s,end_s\n1,2\n", "Line 1"),
        ("a.rttm", "SPEAKER a 1 1 2\nSPEAKER b 1 4 2\n", "labels of 2 recordings.*one file for each"),
        ("a.csv", "start,end\n1,2\n", "Line 1 of 'a.csv'.*start_s,end_s"),
        ("a.csv", "20.7,21.4\n", "Line 1"),
        ("a.csv", "", "Line 1"),
        ("a.csv", "start_s,end_s\n1,\n", "Line 2"),
        ("a.csv", "start_s,end_s\n2,1\n", "does not end after its start"),
        ("a.csv", "start_s,end_s\nnan,1\n", "seconds from 0"),
        ("a.txt", "1 2", "no labels.*[.]rttm"),
    ],
)
def test_what_is_no_label_is_refused(tmp_path, name, text, said):
    with pytest.raises(ConfigError, match=said):
        vad.read_labels(written(tmp_path / name, text))


def test_labels_are_taken_as_they_come(tmp_path):
    pairs = [[3, 4.5], [1, 2.5]]
    file = written(tmp_path / "a.csv", "start_s,end_s\n3,4.5\n1,2.5\n")
    table = pd.DataFrame({"end_s": [4.5, 2.5], "who": ["me", "me"], "start_s": [3, 1]})
    for each in (pairs, np.array(pairs), file, str(file), table):
        assert vad.as_labels(each).tolist() == [[1.0, 2.5], [3.0, 4.5]]
    assert vad.as_labels([]).shape == vad.as_labels(table[:0]).shape == (0, 2)


@pytest.mark.parametrize(
    "wrong",
    [
        [1, 2, 3],
        [[1, 2, 3], [4, 5, 6]],
        [[1, 3, 5, 7], [2, 4, 6, 8]],
        [[1, 2], [3]],
        [["a", "b"]],
        None,
        pd.DataFrame({"start": [1], "end": [2]}),
    ],
)
def test_what_holds_no_pairs_is_refused(wrong):
    with pytest.raises(ConfigError, match=r"no labels.*shape"):
        vad.as_labels(wrong)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"none[.]rttm"):
        vad.read_labels(tmp_path / "none.rttm")


def test_guesses_are_stretches_between_wide_gaps():
    probabilities = np.array([0] * 10 + [0.9] * 20 + [0] * 20 + [0.9] * 5 + [0] * 40 + [0.6] * 5, np.float32)
    found = guess_labels(probabilities, 0.032)
    assert np.allclose(found, [[0.32, 55 * 0.032], [95 * 0.032, 100 * 0.032]])
    assert guess_labels(np.zeros(5, np.float32), 0.032).shape == (0, 2)
