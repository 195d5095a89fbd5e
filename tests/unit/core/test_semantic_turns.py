"""Turns that end when all has been said: the rule, and that the judge's speed does not change it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rt_notebook.core.config import SemanticVad, ServerVad
from rt_notebook.core.semantic_turns import ASK_AFTER_MS, Question, SemanticTurns, asks_for_more
from rt_notebook.core.turn_detection import TurnDetector, simulate

MAX_WAIT_MS = {"low": 8000, "medium": 4000, "auto": 4000, "high": 2000}
SPEECH, ASK_FRAMES = [0.9] * 10, ASK_AFTER_MS // 32


def run(turns, probabilities, judge, late_frames=0):
    """Push all frames; the judge's answer to each question comes `late_frames` after it."""
    found, due = [], []

    def take(outcomes):
        for outcome in outcomes:
            if isinstance(outcome, Question):
                due.append([late_frames, outcome])
            elif outcome is not None:
                found.append(outcome)

    def answer():
        while due and due[0][0] <= 0:
            take(turns.judged(due[0][1], *judge(due.pop(0)[1])))

    for probability in probabilities:
        take([turns.push(probability)])
        answer()
        for each in due:
            each[0] -= 1
    while due:
        due[0][0] = 0
        answer()
    return found


def ends(probabilities, eagerness, *answer):
    found = run(SemanticTurns(SemanticVad(eagerness=eagerness)), probabilities, lambda _ask: answer)
    return [t.audio_end_ms - t.speech_end_ms for t in found if t.kind == "stopped"]


def test_a_turn_that_is_judged_over_ends_at_once():
    turns = SemanticTurns(SemanticVad())
    found = run(turns, [0.0] * 20 + SPEECH + [0.0] * 20, lambda _ask: (0.99,))
    assert [(t.kind, t.at_ms) for t in found] == [
        ("started", 20 * 32 - 300),
        ("stopped", (30 + ASK_FRAMES) * 32),
    ]
    assert found[1].speech_end_ms == 30 * 32
    assert not turns.speaking


@pytest.mark.parametrize("eagerness", MAX_WAIT_MS)
def test_a_turn_that_is_judged_open_ends_after_the_longest_wait(eagerness):
    assert ends(SPEECH + [0.0] * 300, eagerness, 0.0) == [-(-MAX_WAIT_MS[eagerness] // 32) * 32]


def test_the_surer_the_judge_the_shorter_the_wait():
    waits = [
        ends(SPEECH + [0.0] * 300, "medium", probability)[0] for probability in (0.0, 0.1, 0.3, 0.45, 0.5)
    ]
    assert waits == sorted(waits, reverse=True)
    assert len(set(waits)) == 5
    assert waits[-1] == ASK_AFTER_MS


def test_the_more_eager_the_shorter_the_wait():
    for probability in (0.1, 0.4, 0.7):
        low, medium, high = (
            ends(SPEECH + [0.0] * 300, eagerness, probability)[0] for eagerness in ("low", "medium", "high")
        )
        assert low > medium >= high


def test_speech_that_resumes_goes_on_with_the_same_turn_and_is_asked_about_anew():
    asked = []

    def judge(ask):
        asked.append(ask)
        return (0.0 if len(asked) == 1 else 1.0,)

    found = run(SemanticTurns(SemanticVad()), SPEECH + [0.0] * 30 + SPEECH + [0.0] * 30, judge)
    assert [t.kind for t in found] == ["started", "stopped"]
    assert [ask.audio_start_ms for ask in asked] == [0, 0]
    assert [ask.audio_end_ms for ask in asked] == [(10 + ASK_FRAMES) * 32, (50 + ASK_FRAMES) * 32]


def test_words_that_ask_for_more_outweigh_the_voice():
    assert ends(SPEECH + [0.0] * 300, "medium", 0.99, "I would like to book a flight to") > [2000]
    assert ends(SPEECH + [0.0] * 300, "medium", 0.99, "Where are you from?") == [ASK_AFTER_MS]


def test_without_an_answer_and_without_a_judge_the_wait_is_the_same():
    trace = SPEECH + [0.0] * 100
    for eagerness, wait_ms in (("low", 1500), ("medium", 800), ("high", 400)):
        failed = ends(trace, eagerness, None)
        vad = SemanticVad(eagerness=eagerness)
        found = run(SemanticTurns(vad, judging=False), trace, lambda _ask: pytest.fail("nobody to ask"))
        assert failed == [found[1].audio_end_ms - found[1].speech_end_ms] == [-(-wait_ms // 32) * 32]
        assert found == simulate(trace, ServerVad(silence_duration_ms=wait_ms))


def test_frames_that_waited_are_decided_when_the_judge_is_given_up():
    turns = SemanticTurns(SemanticVad(eagerness="high"))
    assert run(turns, SPEECH, lambda _ask: (0.0,))[0].kind == "started"
    outcomes = [turns.push(0.0) for _ in range(40)]
    assert sum(isinstance(outcome, Question) for outcome in outcomes) == 1
    assert turns.position_ms == (10 + ASK_FRAMES) * 32
    assert [t.kind for t in turns.give_up()] == ["stopped"]
    assert turns.position_ms == 50 * 32


def test_an_answer_that_is_too_late_changes_nothing_and_the_clock_goes_on():
    turns = SemanticTurns(SemanticVad())
    for probability in SPEECH:
        turns.push(probability)
    asked = next(ask for ask in (turns.push(0.0) for _ in range(20)) if ask is not None)
    for _ in range(5):
        turns.push(0.0)
    turns.stop(2000)
    assert turns.judged(asked, 1.0) == []
    assert not turns.speaking
    assert turns.position_ms == (10 + ASK_FRAMES + 5) * 32
    turns.skip()
    assert turns.position_ms == (10 + ASK_FRAMES + 6) * 32


def test_it_goes_on_with_a_turn_that_another_rule_has_begun():
    detector = TurnDetector(ServerVad(prefix_padding_ms=0))
    detector.skip()
    detector.push(0.9)
    turns = SemanticTurns(SemanticVad(), detector=detector)
    asked = [outcome for outcome in (turns.push(0.0) for _ in range(ASK_FRAMES)) if outcome is not None]
    assert asked == [Question(32, (2 + ASK_FRAMES) * 32)]


@pytest.mark.parametrize(
    ("words", "open_"),
    [
        ("", False),
        ("I would like to book a flight to", True),
        ("Please turn off the lights in the.", True),
        ("So what I wanted to ask you is, um,", True),
        ("What is that for?", False),
        ("What is the capital of the?", True),
        ("What is the capital of France?", False),
        ("Ich möchte gern.", False),
    ],
)
def test_words_that_ask_for_more(words, open_):
    assert asks_for_more(words) is open_


PROBABILITIES = st.lists(
    st.tuples(st.sampled_from([0.0, 0.2, 0.4, 0.6, 1.0]), st.integers(1, 40)), max_size=12
).map(lambda runs: [p for p, length in runs for _ in range(length)])
EAGERNESS = st.sampled_from(["low", "medium", "high", "auto"])
ANSWERS = st.lists(st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.8, 1.0, None]), min_size=1, max_size=5)


def judge_by(answers):
    return lambda ask: (answers[ask.audio_end_ms // 32 % len(answers)],)


@given(PROBABILITIES, EAGERNESS, ANSWERS, st.integers(1, 30))
def test_how_fast_the_judge_answers_changes_no_decision(probabilities, eagerness, answers, late):
    vad = SemanticVad(eagerness=eagerness)
    at_once = run(SemanticTurns(vad), probabilities, judge_by(answers))
    slow = SemanticTurns(vad)
    assert run(slow, probabilities, judge_by(answers), late) == at_once
    assert slow.position_ms == len(probabilities) * 32


@given(PROBABILITIES, EAGERNESS, ANSWERS)
def test_turns_begin_as_by_a_server_vad_and_end_between_the_question_and_the_longest_wait(
    probabilities, eagerness, answers
):
    longest_ms = MAX_WAIT_MS[eagerness]
    found = run(SemanticTurns(SemanticVad(eagerness=eagerness)), probabilities, judge_by(answers))
    starts = {t.onset_ms for t in simulate(probabilities, ServerVad(silence_duration_ms=ASK_AFTER_MS))}
    for turn in found:
        assert turn.onset_ms in starts
        if turn.kind == "stopped":
            assert turn.audio_end_ms - turn.speech_end_ms >= ASK_AFTER_MS
            heard = probabilities[turn.speech_end_ms // 32 : turn.audio_end_ms // 32]
            assert max(heard) < 0.5
            # A frame between the thresholds cannot end a turn, so those may make it longer.
            assert sum(p < 0.35 for p in heard) <= longest_ms // 32
