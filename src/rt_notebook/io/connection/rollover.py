"""The next connection, opened beside the old one before its time is over, for a change between two turns."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from rt_notebook.io.connection.endings import as_ours

if TYPE_CHECKING:
    from collections.abc import Callable

    from rt_notebook.core.reconnect import ReconnectPolicy
    from rt_notebook.io.connection.connection import Connection
    from rt_notebook.io.connection.owner import Owner

__all__ = ["Rollover"]


class Rollover:
    """Waits for the right moment to leave a connection.

    Parameters
    ----------
    successor
        Makes a connection that is not open yet.

    Attributes
    ----------
    moved
        To be set whenever something happened: it may have been the end of a turn.
    """

    def __init__(self, owner: Owner, policy: ReconnectPolicy, successor: Callable[[], Connection]) -> None:
        self.moved = asyncio.Event()
        self._owner = owner
        self._policy = policy
        self._successor = successor

    async def prepare(self, old: Connection) -> Connection:
        """Return the next connection, open, between two turns, when the old one's time is nearly over."""
        if old.expires_s is None:  # no limit, or none that can be known: its end is noticed when it comes
            await asyncio.get_running_loop().create_future()
            raise AssertionError
        left_s = old.expires_s - self._owner.clock_s()
        await asyncio.sleep(max(left_s - self._policy.rollover_before_s, left_s / 2))
        self._owner.record("local.expiring", in_s=old.expires_s - self._owner.clock_s())
        await self._between_turns(old)
        successor = await self._opened()
        try:
            await self._between_turns(old)
        except asyncio.CancelledError:
            await successor.stop()
            raise
        return successor

    async def _opened(self) -> Connection:
        failures = 0
        while True:
            successor = self._successor()
            try:
                await successor.open()
                return successor
            except Exception as error:
                failures += 1
                self._owner.record("local.error", message=str(as_ours(error)))
                delay_s = self._policy.first_delay_s * 2.0**failures
                await asyncio.sleep(min(self._policy.longest_delay_s, delay_s))

    async def _between_turns(self, connection: Connection) -> None:
        while not self._is_between_turns(connection):
            self.moved.clear()
            await self.moved.wait()

    def _is_between_turns(self, connection: Connection) -> bool:
        player = self._owner.player
        audible = player.speaker is not None and bool(player.playback.audible())
        asking = self._owner.creating.locked() or len(self._owner.answers) > 0
        return not (connection.watch.busy or audible or asking or self._owner.calling)
