"""Cutting a stream of words: nothing is lost, whatever the pieces, and the first piece comes early."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rt_notebook.server.work.sentences import SentenceCutter


def cut(pieces):
    cutter, found = SentenceCutter(), []
    for piece in pieces:
        found += cutter.push(piece)
    return found, cutter.rest()


@given(st.lists(st.text("ab .,!?\n3", max_size=12), max_size=20))
def test_nothing_is_lost_or_doubled(pieces):
    found, rest = cut(pieces)
    assert "".join(found) + rest == "".join(pieces)


@given(st.text("ab. ", max_size=40))
def test_sentences_do_not_depend_on_the_pieces(text):
    assert cut([text]) == cut(list(text))


def test_sentences_and_numbers():
    assert cut(["It is 3.5 m. Is it", '? "Yes!" No'])[0] == ["It is 3.5 m. ", "Is it? ", '"Yes!" ']


WORDS = "the sky is blue and wide because light, of the sun which shines. yes, no on it's all  day"


@given(st.lists(st.sampled_from(WORDS.split(" ")), max_size=45).map(" ".join))
def test_clauses_do_not_depend_on_the_pieces(text):
    assert cut([text]) == cut(list(text))


@given(st.lists(st.sampled_from(["sun", "which", "light"]), min_size=20, max_size=45).map(" ".join))
def test_a_first_clause_without_an_end_is_cut_all_the_same(text):
    found, rest = cut([text])
    assert "".join(found) + rest == text
    assert 6 <= len(found[0].split()) <= 18


def test_a_long_first_clause_is_cut_between_its_parts():
    long = "Bohemian Rhapsody is a song of six minutes by the band Queen that was recorded in several places"
    assert cut([long])[0] == ["Bohemian Rhapsody is a song of six minutes "]


def test_an_opener_stands_alone():
    assert cut(["Yes, the Seine flows through Paris. "])[0] == ["Yes, ", "the Seine flows through Paris. "]
    assert cut(["Of course! It is blue. "])[0] == ["Of course! ", "It is blue. "]
    assert cut(["In May, it rains. "])[0] == ["In May, it rains. "]


def test_the_first_piece_may_be_a_clause_and_later_ones_may_not():
    first = "The sky is blue because of scattering, which is strongest for blue. "
    found, _ = cut([first + "Light, as you know, is a wave. "])
    assert found[0] == "The sky is blue because of scattering, "
    assert found[1:] == ["which is strongest for blue. ", "Light, as you know, is a wave. "]
