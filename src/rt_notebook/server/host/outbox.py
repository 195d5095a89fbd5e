"""What waits to be sent to one client, and how much that is."""

from __future__ import annotations

import asyncio
from collections import deque

from rt_notebook.server.host.wire_actions import Action, Binary, Close, Text

__all__ = ["Outbox"]


class Outbox:
    """A queue in order that counts its bytes. Nothing comes after a `Close`."""

    def __init__(self) -> None:
        self._waiting: deque[Action] = deque()
        self._filled = asyncio.Event()
        self.waiting_bytes = 0
        self.closed = False

    def put(self, action: Action) -> None:
        """Add something; after a `Close` it is dropped."""
        if self.closed:
            return
        self.closed = isinstance(action, Close)
        self._waiting.append(action)
        self.waiting_bytes += _size(action)
        self._filled.set()

    def close_now(self, close: Close) -> None:
        """Say goodbye without sending what waits; does nothing when a goodbye waits already."""
        if not self.closed:
            self._waiting.clear()
            self.waiting_bytes = 0
            self.put(close)

    async def get(self) -> Action:
        """Take the next one, when there is one."""
        while not self._waiting:
            self._filled.clear()
            await self._filled.wait()
        action = self._waiting.popleft()
        self.waiting_bytes -= _size(action)
        return action


def _size(action: Action) -> int:
    return len(action.frame) if isinstance(action, Text | Binary) else 0
