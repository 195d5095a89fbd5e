"""The sweep over the whole plane equals a frame loop at every setting."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_vad import frames_for, naive_counts, naive_turns
from vad_cases import CASES, EXITS, RESETS, TRACES

from rt_notebook.vad import Trace, turn_counts
from rt_notebook.vad.plane.gaps import find_gaps
from rt_notebook.vad.plane.plane import count, plane
from rt_notebook.vad.plane.score import COUNTS, PADDED

THRESHOLDS = st.lists(
    st.sampled_from([0.0, 0.01, 0.1, 0.16, 0.17, 0.3, 0.5, 0.51, 0.65, 0.8, 1.0]) | st.floats(0, 1),
    min_size=1,
    max_size=4,
)
SILENCES = st.lists(st.integers(0, 700), min_size=1, max_size=3)
LABELS = st.lists(st.integers(0, 250), max_size=8, unique=True).map(
    lambda edges: [(a * 20, b * 20) for a, b in zip(sorted(edges)[0::2], sorted(edges)[1::2], strict=False)]
)


def settings_of(thresholds, silences, paddings, exit_threshold, reset):
    return plane(thresholds, silences, paddings, exit_threshold, reset)


@settings(max_examples=CASES)
@given(TRACES, THRESHOLDS, SILENCES, EXITS, RESETS)
def test_every_setting_has_the_turns_of_the_frame_loop(trace, thresholds, silences, leave, reset):
    probabilities = np.array(trace, np.float32)
    axes = settings_of(thresholds, silences, [0], leave, reset)
    turns = {}
    gaps = find_gaps(probabilities, *axes.thresholds, reset)
    for silence_ms in axes.silence_duration_ms:
        gap, silent_from, end = gaps.ends(frames_for(silence_ms))
        onsets = gaps.onsets(gap)
        for at, row in enumerate(gaps.row[gap]):
            is_open = silent_from[at] == len(trace)
            found = (onsets[at], *((None, None) if is_open else (silent_from[at], end[at])))
            turns.setdefault((row, silence_ms), []).append(found)
    for k, threshold in enumerate(axes.threshold):
        for silence_ms in axes.silence_duration_ms:
            wanted = naive_turns(
                probabilities.tolist(),
                threshold,
                frames_for(silence_ms),
                exit_threshold=leave,
                reset=reset,
            )
            found = turns.get((k, silence_ms), [])
            assert found == [(turn.onset, turn.speech_end, turn.end) for turn in wanted]


@settings(max_examples=CASES)
@given(TRACES, THRESHOLDS, SILENCES, st.integers(0, 700), EXITS, RESETS, LABELS)
def test_every_setting_is_scored_as_one_turn_after_the_other(
    trace, thresholds, silences, padding_ms, leave, reset, labels
):
    probabilities = np.array(trace, np.float32)
    axes = settings_of(thresholds, silences, [padding_ms, 0], leave, reset)
    marks = np.array(labels, np.float64).reshape(-1, 2) / 1000
    counted = count(Trace(probabilities), axes, marks)
    turn_count = turn_counts(Trace(probabilities), thresholds, silences, exit_threshold=leave, reset=reset)
    for k, threshold in enumerate(axes.threshold):
        for s, silence_ms in enumerate(axes.silence_duration_ms):
            turns = naive_turns(
                probabilities.tolist(),
                threshold,
                frames_for(silence_ms),
                exit_threshold=leave,
                reset=reset,
            )
            for p, each_ms in enumerate(axes.prefix_padding_ms):
                wanted = naive_counts(turns, labels, len(trace), each_ms)
                found = dict(zip(COUNTS, counted.counts[:, k, s].tolist(), strict=True))
                found |= dict(zip(PADDED, counted.padded[:, k, s, p].tolist(), strict=True))
                assert found == wanted
            assert turn_count.loc[threshold, silence_ms] == wanted["turns"]
            assert counted.latencies[k, s].sum() == wanted["ends"]
