"""Where the assistant's voice goes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from rt_notebook.core.audio import SAMPLE_RATE_HZ, pcm_samples

if TYPE_CHECKING:
    from collections.abc import Callable

    Report = Callable[..., None]

__all__ = ["SilentSpeaker", "Speaker"]


class Speaker(Protocol):
    """A player of PCM16 mono at 24 kHz. The session thread calls it, so each method only takes note.

    It owes the session reports of what was heard, by the function that it was given with `attach`.
    """

    def attach(self, report: Report) -> None:
        """Keep where reports go; a session calls this once, when it is made.

        ``report(item_id, played_samples, state)`` never blocks, and any thread may call it. The states are
        ``"playing"`` (at the first sound, then now and then), ``"ended"`` and ``"flushed"``. Samples that
        never reached the speaker are told as ``dropped_samples=``.
        """

    def play(self, item_id: str, pcm: bytes) -> None:
        """Queue audio of an item behind what is queued."""

    def end(self, item_id: str) -> None:
        """No more audio of this item will come."""

    def flush(self) -> None:
        """Be silent at once, forget what is queued, and report each item as flushed."""


class SilentSpeaker:
    """A speaker without a loudspeaker: it plays in real time and counts, so that interruptions are real.

    It belongs to one session and lives on that session's thread.
    """

    def __init__(self) -> None:
        self._report: Report | None = None
        self._queue: list[tuple[str, int]] = []
        self._ended: set[str] = set()
        self._played: dict[str, int] = {}
        self._task: asyncio.Task[None] | None = None

    def attach(self, report: Report) -> None:
        """Keep where reports go."""
        self._report = report

    def play(self, item_id: str, pcm: bytes) -> None:
        """Queue audio."""
        self._queue.append((item_id, pcm_samples(pcm)))
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run())

    def end(self, item_id: str) -> None:
        """Report the item as ended when its last sample has been played."""
        self._ended.add(item_id)
        if all(queued != item_id for queued, _ in self._queue):
            self._tell(item_id, "ended")

    def flush(self) -> None:
        """Stop, and report what was heard of every queued item."""
        if self._task is not None:
            self._task.cancel()
            self._task = None
        items = dict.fromkeys(item_id for item_id, _ in self._queue)
        self._queue.clear()
        for item_id in items:
            self._tell(item_id, "flushed")

    async def _run(self) -> None:
        """Play 20 ms at a time: what is cut off by a flush is then at most that much off."""
        loop = asyncio.get_running_loop()
        step = SAMPLE_RATE_HZ // 50
        due_s = loop.time()
        while self._queue:
            item_id, left = self._queue[0]
            if item_id not in self._played:
                self._played[item_id] = 0
                self._tell(item_id, "playing")
            now = min(step, left)
            due_s += now / SAMPLE_RATE_HZ
            await asyncio.sleep(max(0.0, due_s - loop.time()))
            self._played[item_id] += now
            if left > now:
                self._queue[0] = (item_id, left - now)
                continue
            self._queue.pop(0)
            if item_id in self._ended and all(queued != item_id for queued, _ in self._queue):
                self._tell(item_id, "ended")

    def _tell(self, item_id: str, state: str) -> None:
        if self._report is not None:
            self._report(item_id, self._played.get(item_id, 0), state)
