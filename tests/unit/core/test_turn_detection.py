"""The turn detector: its rules on hand-made probabilities. `property/test_turn_detection.py` has the rest."""

from __future__ import annotations

from rt_notebook.core.config import ServerVad
from rt_notebook.core.turn_detection import TurnDetector, frames_of, simulate


def transitions(probabilities, vad, **rules):
    return [(t.kind, t.at_ms) for t in simulate(probabilities, vad, **rules)]


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
