"""One setting's metrics: those of the sweep; ROC-AUC equals its definition, DER that of pyannote.metrics."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyannote.core import Annotation, Segment, Timeline
from pyannote.metrics.detection import DetectionErrorRate

from rt_notebook import ConfigError, ServerVad, vad
from rt_notebook.vad.plane.measures import detection_error_rate, roc_auc

spans = st.lists(st.tuples(st.integers(0, 200), st.integers(1, 60)), max_size=6).map(
    lambda pairs: [(start / 10, (start + length) / 10) for start, length in pairs]
)


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=40))
def test_roc_auc_is_the_share_of_pairs_in_the_right_order(scored):
    true = [score for score, is_true in scored if is_true]
    false = [score for score, is_true in scored if not is_true]
    pairs = [(a > b) + (a == b) / 2 for a in true for b in false]
    found = roc_auc([score for score, _ in scored], [is_true for _, is_true in scored])
    assert math.isnan(found) if not pairs else found == pytest.approx(sum(pairs) / len(pairs))


@given(spans, spans, st.sampled_from([0.0, 0.2, 0.6]))
def test_the_detection_error_rate_is_that_of_pyannote_metrics(found, labels, collar):
    def annotation(stretches):
        made = Annotation()
        for start_s, end_s in vad.as_labels(stretches).tolist():
            made[Segment(start_s, end_s)] = "speech"
        return made

    oracle = DetectionErrorRate(collar=collar)
    whole = Timeline([Segment(0, 15.0)])
    expected = oracle(annotation(labels), annotation(found), uem=whole, detailed=True)
    counted = detection_error_rate(found, labels, 15.0, collar_s=collar)
    if expected["total"] == 0:  # there is nothing to divide by, which pyannote calls 0 or 1
        assert math.isnan(counted)
    else:
        assert counted == pytest.approx(expected[oracle.metric_name()], abs=1e-9)


def test_one_setting_is_told_as_the_sweep_tells_it():
    trace = vad.Trace(np.array(([0.0] * 20 + [0.9] * 30 + [0.4] * 4 + [0.8] * 10) * 5 + [0.0] * 40))
    labels = [(at * 2.048 + 0.64, at * 2.048 + 2.048) for at in range(5)]
    asked = ServerVad(threshold=0.6, silence_duration_ms=320, prefix_padding_ms=100)
    found = vad.metrics(trace, asked, labels=labels)
    swept = vad.sweep(
        [trace],
        labels=[labels],
        threshold=[asked.threshold],
        silence_duration_ms=[asked.silence_duration_ms],
        prefix_padding_ms=[asked.prefix_padding_ms],
    )
    assert {name: found[name] for name in swept.at(asked)} == pytest.approx(swept.at(asked), nan_ok=True)
    assert found["roc_auc"] > 0.99
    # The speech of these turns is marked exactly.
    assert found["der"] == pytest.approx(0, abs=1e-9)
    assert vad.metrics(trace, asked.replace(threshold=0.85), labels=labels)["der"] > 0.1
    assert "der" not in vad.metrics(trace, asked)
    with pytest.raises(ConfigError, match="collar"):
        vad.metrics(trace, labels=labels, collar_s=-1)


@pytest.mark.speech
def test_labelled_meetings_are_told_as_they_are_known(shared_data):
    found = vad.metrics(
        shared_data / "vad-labelled" / "dev00.flac", labels=shared_data / "vad-labelled" / "dev00.rttm"
    )
    assert found["roc_auc"] > 0.85
    assert 0 < found["der"] < 0.6
