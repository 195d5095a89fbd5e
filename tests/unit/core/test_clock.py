from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rt_notebook.core.clock import WINDOW_S, ClockMap, Exchange

ways = st.floats(0.0, 0.5)


def exchange(t_s: float, out_s: float, back_s: float, offset_s: float, drift: float) -> Exchange:
    def there(at_s: float) -> float:
        return at_s * (1 + drift) + offset_s

    return Exchange(t_s, there(t_s + out_s), there(t_s + out_s + 0.001), t_s + out_s + 0.001 + back_s)


@given(
    st.lists(st.tuples(st.floats(0, 300), ways, ways), min_size=1, max_size=60),
    st.floats(-1e6, 1e6),
    st.floats(-100e-6, 100e-6),
    st.floats(0, 300),
)
def test_a_moment_lies_within_its_bound(exchanges, offset_s, drift, moment_s) -> None:
    clock = ClockMap()
    for made in exchanges:
        clock.add(exchange(*made, offset_s, drift))
    mapped = clock.here(moment_s * (1 + drift) + offset_s)
    assert mapped is not None
    assert abs(mapped.t_s - moment_s) <= mapped.error_s + 1e-6


def test_the_bound_is_half_of_the_shortest_round_trip_near() -> None:
    clock = ClockMap()
    for i, (out_s, back_s) in enumerate([(0.2, 0.01), (0.004, 0.006), (0.05, 0.3)]):
        clock.add(exchange(10.0 + i, out_s, back_s, 7.0, 0.0))
    mapped = clock.here(18.0)
    assert mapped is not None
    assert mapped.error_s == pytest.approx(0.005, abs=0.0002)
    assert mapped.t_s == pytest.approx(11.0, abs=0.0012)


def test_a_clock_that_was_set_is_followed_after_the_window() -> None:
    clock = ClockMap()
    for second in range(100):
        clock.add(exchange(float(second), 0.002, 0.002, 0.2, 0.0))
    for second in range(100, 200):
        clock.add(exchange(float(second), 0.002, 0.002, 5.0, 0.0))
    for moment_s, offset_s in ((60.0, 0.2), (100.0 + WINDOW_S + 10, 5.0)):
        mapped = clock.here(moment_s + offset_s)
        assert mapped is not None
        assert mapped.t_s == pytest.approx(moment_s, abs=1e-6)


def test_the_drift_is_found_and_taken_off() -> None:
    clock = ClockMap()
    for second in range(120):
        clock.add(exchange(float(second), 0.0005, 0.0005, 0.2, 100e-6))
    mapped = clock.here(125.0 * (1 + 100e-6) + 0.2)  # 6 s after the last exchange
    assert mapped is not None
    assert mapped.t_s == pytest.approx(125.0, abs=20e-6)


def test_without_exchanges_nothing_is_known_and_nonsense_is_passed_over() -> None:
    clock = ClockMap()
    clock.add(Exchange(1.0, 5.0, 5.0, 0.5))
    clock.add(Exchange(1.0, math.nan, 5.0, 2.0))
    clock.add(Exchange(1.0, 6.0, 5.0, 2.0))
    assert len(clock) == 0
    assert clock.here(5.0) is None
