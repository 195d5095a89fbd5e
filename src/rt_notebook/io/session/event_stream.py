"""Events of a session as an asynchronous iterator in the caller's own loop."""

from __future__ import annotations

import asyncio
import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from rt_notebook.core.events import Event

__all__ = ["EventStream"]


class EventStream:
    """Every event from now on, until the session is closed. Made by ``async for event in session``."""

    def __init__(self, subscribe: Callable[[Callable[[Event | None], None]], Callable[[], None]]) -> None:
        self._queue: asyncio.Queue[Event | None] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        self._over = False
        stream = weakref.ref(self)

        def put(event: Event | None) -> None:
            living = stream()
            if living is not None:
                living._put(event)

        # A loop that is left by `break` forgets its stream; the session must forget it as well.
        self._unsubscribe = subscribe(put)
        weakref.finalize(self, self._unsubscribe)

    def _put(self, event: Event | None) -> None:
        # The session thread calls this; the queue belongs to the caller's loop.
        if self._loop.is_closed():
            self._unsubscribe()
        else:
            self._loop.call_soon_threadsafe(self._queue.put_nowait, event)

    def __aiter__(self) -> EventStream:
        return self

    async def __anext__(self) -> Event:
        event = None if self._over else await self._queue.get()
        if event is None:
            self._over = True
            self._unsubscribe()
            raise StopAsyncIteration
        return event
