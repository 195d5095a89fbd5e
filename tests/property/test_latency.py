"""A latency's parts are what was planted, whatever the page's clock shows."""

from __future__ import annotations

import math

from hypothesis import given, settings
from hypothesis import strategies as st
from planted_log import Plan

from rt_notebook.log.latency import ERRORS, PARTS, Latency, fold_latency

delays = st.floats(0.0, 0.3)


@st.composite
def plans(draw, **fixed) -> Plan:
    begin = draw(st.integers(12_000, 30_000))
    chosen = {
        "speech": (begin, begin + draw(st.integers(12_000, 60_000))),
        "silence_ms": draw(st.integers(200, 900)),
        "page_s": draw(st.floats(0.0, 0.05)),
        "mic_carrier_s": draw(delays),
        "queue_s": draw(delays),
        "round_trip_s": draw(st.none() | st.floats(0.0, 0.2)),
        "decision_s": draw(delays),
        "commit_s": draw(delays),
        "response_s": draw(delays),
        "first_audio_s": draw(delays),
        "speaker_carrier_s": draw(delays),
        "jitter_buffer_s": draw(delays),
        "base_latency_s": draw(st.floats(0.0, 0.03)),
        "output_latency_s": draw(st.floats(0.0, 0.2)),
        "seed": draw(st.integers(0, 1000)),
    }
    return Plan(**(chosen | fixed))


def values(row: Latency) -> dict[str, float]:
    return {part: getattr(row, part) for part in PARTS if not math.isnan(getattr(row, part))}


@settings(max_examples=30)
@given(
    plans(offset_s=0.2, drift=100e-6) | plans(offset_s=-3e5, drift=-100e-6) | plans(page=False, queue_s=0.0)
)
def test_each_part_is_what_was_planted_within_its_bound_and_10_ms(plan) -> None:
    (row,) = fold_latency(plan.log())
    (truth,) = plan.truth
    parts = values(row)
    assert sum(parts.values()) == row.total_ms
    assert parts.keys() == truth.keys() - {"total_ms"}
    edge = plan.speech[1] % 960 < 120 or plan.speech[1] % 960 > 840
    errors = {part: getattr(row, error) for part, error in zip(PARTS, ERRORS, strict=True)}
    for part, planted_ms in truth.items():
        off_ms = abs(getattr(row, part) - planted_ms)
        bound_ms = row.total_error_ms if part == "total_ms" else errors[part]
        assert off_ms <= bound_ms + 0.13, part
        # At a chunk's edge nobody can tell in which one the last sample was; the bound says so.
        assert off_ms <= 10.0 or edge, part


@settings(max_examples=30)
@given(plans(turns=3), st.floats(-0.2, 0.2), st.floats(-100e-6, 100e-6))
def test_a_clock_that_is_off_and_drifts_changes_no_part_by_5_ms(plan, offset_s, drift) -> None:
    straight = fold_latency(plan.log())
    plan.offset_s, plan.drift = offset_s, drift
    skewed = fold_latency(plan.log())
    assert len(straight) == len(skewed) == plan.turns
    for a, b in zip(straight, skewed, strict=True):
        assert values(a).keys() == values(b).keys()
        for part, value in values(a).items():
            assert abs(value - values(b)[part]) < 5.0, part
        assert sum(values(b).values()) == b.total_ms


def test_a_clock_200_ms_off_that_drifts_100_ppm_changes_no_part_by_5_ms() -> None:
    straight = fold_latency(Plan(turns=12).log())
    skewed = fold_latency(Plan(turns=12, offset_s=0.2, drift=100e-6).log())
    for a, b in zip(straight, skewed, strict=True):
        assert max(abs(values(a)[part] - values(b)[part]) for part in values(a)) < 5.0
