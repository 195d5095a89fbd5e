"""The steps of a room test: quiet, then sentences with silence between them, whatever comes in."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from rt_notebook.widgets.room.steps import PAUSE_SAMPLES, TAIL_SAMPLES, RoomSteps

PROMPTS = ("one", "two", "three")
QUIET = 24_000

heard = st.integers(1, 100_000)
presses = st.just("read")


@given(st.lists(heard | presses, max_size=80))
def test_sentences_follow_the_quiet_and_each_other(moves):
    steps, samples = RoomSteps(PROMPTS, QUIET), 0
    for move in moves:
        before = (steps.step, len(steps.sentences), steps.progress)
        if move == "read":
            steps.read()
            assert len(steps.sentences) == before[1] + (before[0] == "sentence")
        else:
            samples += move
            steps.heard(move)
            assert len(steps.sentences) == before[1]
        assert bool(steps.prompt) == (steps.step == "sentence")
        assert 0 <= steps.progress <= 1
        assert (steps.step == "quiet") == (samples < QUIET)
        if steps.step == "sentence":
            assert steps.prompt == PROMPTS[len(steps.sentences)]
        if steps.step == "judging":
            assert len(steps.sentences) == len(PROMPTS)
    for start, end in steps.sentences:
        assert 0 <= start <= end <= samples - QUIET
    for (_, end), (start, _) in itertools.pairwise(steps.sentences):
        assert start - end >= PAUSE_SAMPLES


def test_the_last_sentence_has_time_to_end():
    steps = RoomSteps(("one",), QUIET)
    steps.heard(QUIET)
    steps.heard(PAUSE_SAMPLES)
    assert steps.prompt == "one"
    steps.read()
    steps.heard(TAIL_SAMPLES - 1)
    assert steps.step == "pause"
    steps.heard(1)
    assert steps.step == "judging"
