"""The turn detector: its rules on hand-made probabilities, and a loop written for clarity as its equal."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from rt_notebook.core.config import ServerVad
from rt_notebook.core.turn_detection import FRAME_MS, TurnDetector


def transitions(probabilities, vad):
    detector = TurnDetector(vad)
    return [(t.kind, t.at_ms) for p in probabilities if (t := detector.push(p)) is not None]


def naive(probabilities, vad):
    """The rule in one piece, over the whole recording."""
    leave = min(vad.threshold, max(vad.threshold - 0.15, 0.01))
    needed = max(1, math.ceil(vad.silence_duration_ms / FRAME_MS))
    found, floor, i = [], 0, 0
    while i < len(probabilities):
        if probabilities[i] < vad.threshold:
            i += 1
            continue
        found.append(("started", max(floor, i * FRAME_MS - vad.prefix_padding_ms)))
        low = None
        i += 1
        while i < len(probabilities):
            if probabilities[i] >= vad.threshold:
                low = None
            elif probabilities[i] < leave:
                low = i if low is None else low
                if i - low + 1 >= needed:
                    floor = (i + 1) * FRAME_MS
                    found.append(("stopped", floor))
                    i += 1
                    break
            i += 1
    return found


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


def test_padding_changes_no_decision():
    trace = [0.1, 0.7, 0.9, 0.2, 0.1, 0.1, 0.8, 0.0, 0.0, 0.0]
    plain = transitions(trace, ServerVad(prefix_padding_ms=0, silence_duration_ms=64))
    padded = transitions(trace, ServerVad(prefix_padding_ms=500, silence_duration_ms=64))
    assert [t for t in plain if t[0] == "stopped"] == [t for t in padded if t[0] == "stopped"]


def test_skipped_frames_count_on_the_clock():
    detector = TurnDetector(ServerVad(prefix_padding_ms=0))
    for _ in range(10):
        detector.skip()
    assert detector.push(0.9).at_ms == 320


@given(
    st.lists(st.sampled_from([0.0, 0.005, 0.2, 0.34, 0.36, 0.49, 0.5, 0.51, 0.8, 1.0]), max_size=80),
    st.sampled_from([0.0, 0.1, 0.5, 0.51, 1.0]),
    st.integers(0, 400),
    st.integers(0, 400),
)
def test_equals_the_naive_loop(probabilities, threshold, silence_ms, padding_ms):
    vad = ServerVad(threshold=threshold, silence_duration_ms=silence_ms, prefix_padding_ms=padding_ms)
    assert transitions(probabilities, vad) == naive(probabilities, vad)
