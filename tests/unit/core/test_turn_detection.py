"""The turn detector: its rules on hand-made probabilities, and a loop written for clarity as its equal."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from rt_notebook.core.config import ServerVad
from rt_notebook.core.turn_detection import TurnDetector, frames_of, simulate


def transitions(probabilities, vad, **rules):
    return [(t.kind, t.at_ms) for t in simulate(probabilities, vad, **rules)]


def naive(probabilities, vad, *, exit_threshold=None, reset="high", min_speech_ms=0):
    """The rule in one piece, over the whole recording; a turn is a tuple of its five times in ms."""
    enter = vad.threshold
    leave = min(enter, max(enter - 0.15, 0.01) if exit_threshold is None else exit_threshold)
    needed = max(1, math.ceil(vad.silence_duration_ms / 32))
    confirm = max(1, math.ceil(min_speech_ms / 32))
    n, turns, floor, i = len(probabilities), [], 0, 0
    while i < n:
        # An onset: a frame of speech, and no silent one until it is confirmed.
        if probabilities[i] < enter or any(p < leave for p in probabilities[i : i + confirm]):
            i += 1
            continue
        if i + confirm > n:
            break
        onset, start = i, max(floor, i * 32 - vad.prefix_padding_ms)
        turns.append((onset * 32, start, (i + confirm) * 32))
        i += confirm
        low = None
        while i < n and len(turns[-1]) == 3:
            if probabilities[i] >= (enter if reset == "high" else leave):
                low = None
            elif probabilities[i] < leave:
                low = i if low is None else low
                if i - low + 1 >= needed:
                    floor = (i + 1) * 32
                    turns.append((onset * 32, start, floor, low * 32, floor))
            i += 1
    return turns


def times(found):
    if found.kind == "started":
        return (found.onset_ms, found.audio_start_ms, found.decision_ms)
    return (
        found.onset_ms,
        found.audio_start_ms,
        found.decision_ms,
        found.speech_end_ms,
        found.audio_end_ms,
    )


def test_times_are_on_the_frame_grid_with_padding_in_front_and_silence_included():
    vad = ServerVad(threshold=0.5, prefix_padding_ms=300, silence_duration_ms=200)
    found = transitions([0.0] * 50 + [0.9] * 30 + [0.0] * 20, vad)
    # 200 ms of silence are 7 frames of 32 ms.
    assert found == [("started", 50 * 32 - 300), ("stopped", (50 + 30 + 7) * 32)]


def test_padding_does_not_reach_into_the_turn_before():
    vad = ServerVad(prefix_padding_ms=2000, silence_duration_ms=32)
    assert transitions([0.9, 0.9, 0.0, 0.9, 0.0], vad) == [
        ("started", 0),
        ("stopped", 96),
        ("started", 96),
        ("stopped", 160),
    ]


def test_between_the_thresholds_a_silence_neither_begins_nor_ends():
    vad = ServerVad(threshold=0.5, silence_duration_ms=64)
    assert transitions([0.9, 0.4, 0.4, 0.4, 0.4], vad) == [("started", 0)]
    assert transitions([0.9, 0.1, 0.4, 0.1], vad)[-1] == ("stopped", 128)


def test_skipped_frames_count_on_the_clock():
    detector = TurnDetector(ServerVad(prefix_padding_ms=0))
    for _ in range(10):
        detector.skip()
    assert detector.push(0.9).at_ms == 320


def test_a_silence_can_be_watched_while_it_lasts():
    detector = TurnDetector(ServerVad(silence_duration_ms=128))
    seen = []
    for probability in [0.0, 0.9, 0.1, 0.4, 0.1, 0.9, 0.1, 0.1, 0.1, 0.1, 0.1]:
        detector.push(probability)
        seen.append((detector.speaking, detector.silence_ms))
    assert [silence for _, silence in seen] == [0, 0, 32, 64, 96, 0, 32, 64, 96, 0, 0]
    assert [speaking for speaking, _ in seen] == [False, *[True] * 8, False, False]


def test_frames_between_the_thresholds_break_a_silence_off_where_the_rule_says_so():
    vad = ServerVad(silence_duration_ms=64)
    trace = [0.9, 0.1, 0.4, 0.1, 0.1]
    assert transitions(trace, vad)[-1] == ("stopped", 128)
    assert transitions(trace, vad, reset="not_low")[-1] == ("stopped", 160)
    assert transitions(trace, vad, exit_threshold=0.1) == [("started", 0)]


def test_a_short_noise_is_no_turn_where_a_minimum_is_asked_for():
    vad = ServerVad(silence_duration_ms=32, prefix_padding_ms=0)
    trace = [0.9, 0.0, 0.9, 0.4, 0.9, 0.0]
    assert transitions(trace, vad, min_speech_ms=96) == [("started", 64), ("stopped", 192)]
    assert simulate(trace, vad, min_speech_ms=96)[0].decision_ms == 160


def test_a_turn_that_is_open_at_the_end_stays_open_until_silence_follows():
    vad = ServerVad(silence_duration_ms=200)
    assert [t.kind for t in simulate([0.9] * 5, vad)] == ["started"]
    assert [t.kind for t in simulate([0.9] * 5 + [0.0] * frames_of(200), vad)] == ["started", "stopped"]


def test_a_turn_keeps_its_beginning_when_the_padding_changes_within_it():
    detector = TurnDetector(ServerVad(prefix_padding_ms=0, silence_duration_ms=32))
    detector.skip()
    started = detector.push(0.9)
    detector.vad = ServerVad(prefix_padding_ms=300, silence_duration_ms=32)
    assert detector.push(0.0).audio_start_ms == started.audio_start_ms == 32


PROBABILITIES = st.lists(
    st.sampled_from([0.0, 0.005, 0.2, 0.34, 0.36, 0.49, 0.5, 0.51, 0.8, 1.0]), max_size=80
)
SETTINGS = st.builds(
    ServerVad,
    threshold=st.sampled_from([0.0, 0.1, 0.5, 0.51, 1.0]),
    silence_duration_ms=st.integers(0, 400),
    prefix_padding_ms=st.integers(0, 400),
)
RULES = st.fixed_dictionaries(
    {},
    optional={
        "exit_threshold": st.sampled_from([0.0, 0.01, 0.2, 0.5, 0.9]),
        "reset": st.sampled_from(["high", "not_low"]),
        "min_speech_ms": st.integers(0, 200),
    },
)


@given(PROBABILITIES, SETTINGS, RULES)
def test_equals_the_naive_loop(probabilities, vad, rules):
    found = simulate(probabilities, vad, **rules)
    assert [times(t) for t in found] == naive(probabilities, vad, **rules)
    assert [t.kind for t in found] == (["started", "stopped"] * len(found))[: len(found)]


@given(PROBABILITIES, SETTINGS, RULES, st.integers(0, 2000))
def test_padding_changes_no_decision(probabilities, vad, rules, padding_ms):
    other = vad.replace(prefix_padding_ms=padding_ms)
    decided = [
        [(t.kind, t.onset_ms, t.speech_end_ms, t.decision_ms) for t in simulate(probabilities, each, **rules)]
        for each in (vad, other)
    ]
    assert decided[0] == decided[1]


@given(PROBABILITIES, SETTINGS, RULES)
def test_turns_neither_overlap_nor_begin_before_the_audio(probabilities, vad, rules):
    end_ms = 0
    for found in simulate(probabilities, vad, **rules):
        assert end_ms <= found.audio_start_ms <= found.onset_ms < found.decision_ms
        if found.kind == "stopped":
            end_ms = found.audio_end_ms
            assert found.onset_ms < found.speech_end_ms < end_ms == found.decision_ms


@given(PROBABILITIES, SETTINGS, SETTINGS, st.integers(0, 80))
def test_changed_settings_act_from_the_next_frame(probabilities, before, after, at):
    detector = TurnDetector(before)
    decided = []
    for number, probability in enumerate(probabilities):
        detector.vad = after if number >= at else before
        decided.append(detector.push(probability))
    assert [t for t in decided[:at] if t] == simulate(probabilities[:at], before)
    # Once no turn is open, nothing but the floor is left of the settings before.
    calm = next((n for n in range(at, len(decided)) if decided[n] and decided[n].kind == "stopped"), None)
    if calm is not None:
        rest = simulate(probabilities[calm + 1 :], after.replace(prefix_padding_ms=0))
        later = [t for t in decided[calm + 1 :] if t]
        assert [(t.kind, t.decision_ms - (calm + 1) * 32) for t in later] == [
            (t.kind, t.decision_ms) for t in rest
        ]
