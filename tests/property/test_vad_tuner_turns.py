"""The tuner's turns are those of the state machine, whatever the trace and the settings."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from rt_notebook import ServerVad, vad
from rt_notebook.widgets.tuner.turns import CUT, FALSE, MISSING, find_turns, judged, turns_frame

probability = st.sampled_from([0.0, 0.01, 0.2, 0.34, 0.35, 0.4, 0.49, 0.5, 0.51, 0.9, 1.0])
traces = st.lists(st.tuples(probability, st.integers(1, 40)), max_size=25).map(
    lambda runs: np.repeat([p for p, _ in runs], [n for _, n in runs]).astype(np.float32)
)
settings = st.builds(
    ServerVad,
    threshold=st.sampled_from([0.0, 0.1, 0.35, 0.5, 0.51, 0.9, 1.0]),
    prefix_padding_ms=st.sampled_from([0, 100, 333, 700, 5000]),
    silence_duration_ms=st.sampled_from([0, 32, 33, 100, 320, 640, 1500]),
)
exits = st.none() | st.sampled_from([0.0, 0.2, 0.35, 0.5, 1.0])
hops = st.sampled_from([32.0, 16.0, 10.0, 31.25])


@given(traces, settings, exits, hops)
def test_they_are_those_of_simulate(probabilities, chosen, leave, hop_ms):
    trace = vad.Trace(probabilities, hop_ms)
    found = turns_frame(find_turns([(0, trace)], chosen, leave), [(0, trace)])
    pd.testing.assert_frame_equal(found, vad.simulate(trace, chosen, exit_threshold=leave))


@given(st.lists(traces, min_size=1, max_size=3), settings, hops)
def test_each_connection_is_decided_alone(probabilities, chosen, hop_ms):
    first_ms, parts, wanted = 0, [], []
    for each in probabilities:
        trace = vad.Trace(each, hop_ms)
        parts.append((first_ms, trace))
        alone = vad.simulate(trace, chosen)
        wanted.append(alone.assign(**{name: alone[name] + first_ms for name in alone if name != "open"}))
        first_ms += round(trace.duration_s * 1000) + 1001
    found = turns_frame(find_turns(parts, chosen), parts)
    pd.testing.assert_frame_equal(found, pd.concat(wanted, ignore_index=True))


@given(traces, settings, st.lists(st.tuples(st.integers(0, 300), st.integers(1, 90)), max_size=6))
def test_labels_tell_which_turns_are_wrong(probabilities, chosen, spoken):
    labels = vad.as_labels([(a * 0.1, (a + n) * 0.1) for a, n in spoken])
    turns = find_turns([(0, vad.Trace(probabilities))], chosen)
    found = judged(turns, labels)
    assert found[:, :4].tolist() == turns[:, :4].tolist()
    for onset_ms, speech_end_ms, _, end_ms, bits in found.tolist():
        last_ms = np.inf if speech_end_ms == MISSING else speech_end_ms
        heard = [(a, b) for a, b in (labels * 1000).round().tolist() if a < last_ms and b > onset_ms]
        assert bool(bits & FALSE) == (not heard and len(labels) > 0)
        assert bool(bits & CUT) == (bool(heard) and end_ms != MISSING and end_ms < heard[-1][1] - 100)
