"""Two clocks that never agree: where a moment of one lies on the other, and how sure that is.

Four times make an exchange: asked (here), received (there), answered (there), arrived (here). The way there
and the way back may differ by as much as the round trip; so the offset between the clocks is known to half of
it, and never better. Exchanges with short round trips count.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right, insort
from dataclasses import dataclass
from typing import Final

__all__ = ["MAX_DRIFT", "WINDOW_S", "ClockMap", "Exchange", "Mapped"]

_ROUNDING_S: Final = 1e-6

WINDOW_S: Final = 30.0
"""Exchanges within so much time, before or after a moment, tell where it lies."""

MAX_DRIFT: Final = 200e-6
"""How fast two clocks may run apart, as a ratio; quartz stays below 100e-6."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One question to the other clock, in seconds; `asked_s` and `arrived_s` are of this clock."""

    asked_s: float
    received_s: float
    answered_s: float
    arrived_s: float

    @property
    def round_trip_s(self) -> float:
        """Time on the way, there and back; below 0 only if the clocks cannot have shown these times."""
        away_s, held_s = self.arrived_s - self.asked_s, self.answered_s - self.received_s
        # The other clock may have run faster while it held the question.
        return max(0.0, away_s - held_s) if held_s <= away_s * (1 + MAX_DRIFT) + _ROUNDING_S else -math.inf

    @property
    def offset_s(self) -> float:
        """How far the other clock is ahead, if both ways took equally long."""
        return ((self.received_s - self.asked_s) + (self.answered_s - self.arrived_s)) / 2

    @property
    def there_s(self) -> float:
        """When it was, on the other clock."""
        return (self.received_s + self.answered_s) / 2


@dataclass(frozen=True, slots=True)
class Mapped:
    """A moment on this clock; it lies within `error_s` of `t_s`."""

    t_s: float
    error_s: float


class ClockMap:
    """Maps moments of another clock to this one.

    Of the exchanges within `WINDOW_S` of a moment, the one that bounds it best is used: the shortest round
    trip, or a longer one that was much nearer in time. The drift between the best of the earlier half of the
    window and the best of the later half is taken off, where it is known better than `MAX_DRIFT`.

    Examples
    --------
    >>> clock = ClockMap()
    >>> clock.add(Exchange(asked_s=1.0, received_s=101.01, answered_s=101.01, arrived_s=1.02))
    >>> mapped = clock.here(101.51)
    >>> round(mapped.t_s, 6), round(mapped.error_s, 6)
    (1.51, 0.01011)
    """

    def __init__(self) -> None:
        self._exchanges: list[tuple[float, float, float]] = []
        """When (there), round trip, offset; in the order of time."""

    def __len__(self) -> int:
        return len(self._exchanges)

    def add(self, exchange: Exchange) -> None:
        """Take an exchange; one that cannot have happened so is passed over."""
        round_trip_s = exchange.round_trip_s
        if 0 <= round_trip_s < math.inf and exchange.answered_s >= exchange.received_s:
            insort(self._exchanges, (exchange.there_s, round_trip_s, exchange.offset_s))

    def here(self, there_s: float) -> Mapped | None:
        """Return where a moment of the other clock lies on this one; None without any exchange."""
        near = self._near(there_s)
        if not near:
            return None
        at_s, round_trip_s, offset_s = min(near, key=lambda e: e[1] / 2 + MAX_DRIFT * abs(e[0] - there_s))
        drift, unknown = _drift(near)
        away_s = there_s - at_s
        return Mapped(there_s - offset_s - drift * away_s, round_trip_s / 2 + unknown * abs(away_s))

    def _near(self, there_s: float) -> list[tuple[float, float, float]]:
        exchanges = self._exchanges
        first = bisect_left(exchanges, (there_s - WINDOW_S,))
        last = bisect_right(exchanges, (there_s + WINDOW_S, math.inf, math.inf))
        if first < last:
            return exchanges[first:last]
        # None is near: the last one before, or the first one after.
        return exchanges[max(0, first - 1) : first] or exchanges[:1]


def _drift(near: list[tuple[float, float, float]]) -> tuple[float, float]:
    """Return the drift, and what it may be off by."""
    middle = len(near) // 2
    if middle:
        early, late = (min(half, key=lambda e: e[1]) for half in (near[:middle], near[middle:]))
        apart_s = late[0] - early[0]
        unknown = (early[1] + late[1]) / 2 / apart_s if apart_s > 0 else math.inf
        if unknown < MAX_DRIFT:
            return (late[2] - early[2]) / apart_s, unknown
    return 0.0, MAX_DRIFT
