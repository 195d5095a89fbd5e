from __future__ import annotations

import pytest

from rt_notebook.log.heard import ROUNDING_MS, words_heard

TEXT = "one two six ten"


@pytest.mark.parametrize(
    ("heard_ms", "words"),
    [
        (0.0, ""),
        (300.0, ""),  # in the middle of the first word
        (1000.0, "one two"),
        (1400.0, "one two"),
        (1500.0, "one two six"),
        (2000.0, TEXT),
        (3000.0, TEXT),
    ],
)
def test_a_word_counts_when_all_of_it_was_played(heard_ms, words) -> None:
    assert words_heard(TEXT, heard_ms, 2000.0) == words


def test_a_speaker_that_stops_a_block_before_the_end_has_played_all() -> None:
    assert words_heard(TEXT, 2000.0 - ROUNDING_MS, 2000.0) == TEXT
    assert words_heard(TEXT, 2000.0 - ROUNDING_MS - 1, 2000.0) == "one two six"


def test_an_answer_without_audio_is_all_words() -> None:
    assert words_heard(TEXT, 0.0, 0.0) == TEXT
