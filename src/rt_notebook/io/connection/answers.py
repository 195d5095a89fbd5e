"""Events that somebody waits for: the answer to a request, or just the next of a kind."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from rt_notebook.core.events import Event

__all__ = ["Answers"]


class Answers:
    """Futures of events. Lives on the session thread."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Callable[[Event], bool], asyncio.Future[Event]]] = []

    def __len__(self) -> int:
        return sum(not future.done() for _, future in self._waiting)

    def next(self, wanted: Callable[[Event], bool]) -> asyncio.Future[Event]:
        """Return a future of the next received event that is wanted."""
        future: asyncio.Future[Event] = asyncio.get_running_loop().create_future()
        self._waiting.append((wanted, future))
        return future

    def arrived(self, event: Event) -> None:
        """Hand an event to those who wait for it."""
        for entry in list(self._waiting):
            wanted, future = entry
            if future.done():
                self._waiting.remove(entry)
            elif event.direction == "received" and wanted(event):
                self._waiting.remove(entry)
                future.set_result(event)

    def fail(self, error: Exception) -> None:
        """Tell all who wait that nothing will come."""
        for _, future in self._waiting:
            if not future.done():
                future.set_exception(error)
                # Whoever stopped waiting in this very moment leaves an exception that nobody asks for.
                future.exception()
        self._waiting.clear()
