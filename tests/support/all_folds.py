"""Every fold of a log, and what holds for each of them."""

from __future__ import annotations

import math

from hypothesis import strategies as st

from rt_notebook.core.events import Event
from rt_notebook.log.event_log import EventLog
from rt_notebook.log.latency import ERRORS, PARTS, fold_latency
from rt_notebook.log.segments import fold_segments

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["", "a", "b", "root", "message", "user"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "type", "role", "content"]), inner)
    ),
    max_leaves=6,
)
"""Whatever an endpoint may put into a field."""


def fold_all(events: list[Event]) -> None:
    log = EventLog(events)
    turns = log.fold_turns()
    assert len(log.turns()) == len(log.latency()) == len(turns)
    assert [turn.turn for turn in turns] == list(range(1, len(turns) + 1))
    assert len(log.to_pandas()) == len(events)
    log.transcript()
    assert list(log) == events
    assert len(log.usage()) == len(turns)
    assert log.forecast(30.0)["expected_tokens"].min() >= 0
    assert log.glitches()["t_s"].is_monotonic_increasing
    assert set(log.errors()["turn"].dropna()) <= {turn.turn for turn in turns}
    assert len(log.errors()) <= len(events)
    assert log.explain().text
    assert log._repr_html_().startswith("<div")
    for span in fold_segments(events).spans:
        assert span.start_s < span.end_s
    check_sums(events)


def check_sums(events: list[Event]) -> None:
    for row in fold_latency(events):
        parts = [getattr(row, part) for part in PARTS]
        for part, error in zip(PARTS, ERRORS, strict=True):
            assert math.isnan(getattr(row, part)) <= math.isnan(getattr(row, error))
        if not math.isnan(row.total_ms):
            assert sum(part for part in parts if not math.isnan(part)) == row.total_ms
