"""Ends a session that has used up what it may use."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from rt_notebook.core.limits import Meter

if TYPE_CHECKING:
    from collections.abc import Callable

    from rt_notebook.core.events import Event
    from rt_notebook.core.limits import SessionLimits, Trip

__all__ = ["LimitGuard"]


class LimitGuard:
    """Counts by the events, and watches the clock.

    Parameters
    ----------
    tripped
        Called once, with the first limit that is reached.
    """

    def __init__(
        self, limits: SessionLimits, clock_s: Callable[[], float], tripped: Callable[[Trip], None]
    ) -> None:
        self._meter = Meter(limits)
        self._clock_s = clock_s
        self._tripped = tripped
        self._over = False

    def follow(self, event: Event) -> None:
        """Count one event; an answer may be what makes it too dear."""
        self._meter.follow(event)
        if event.type == "response.done":
            self._check()

    async def watch(self) -> None:
        """Look again whenever a limit of time may have been reached; return when there is none."""
        while not self._over and (due_s := self._meter.next_check_s()) is not None:
            await asyncio.sleep(max(0.01, due_s - self._clock_s()))
            self._check()

    def _check(self) -> None:
        trip = None if self._over else self._meter.check(self._clock_s())
        if trip is not None:
            self._over = True
            self._tripped(trip)
