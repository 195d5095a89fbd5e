"""What waits to be written: events in their order, and microphone audio of which the oldest may be lost."""

from __future__ import annotations

from collections import deque
from typing import Any

from rt_notebook.core.audio import SAMPLE_RATE_HZ, pcm_samples

__all__ = ["KEEP_S", "Outbox"]

KEEP_S = 60
"""Audio that may wait. The front end keeps 30 s while the kernel is busy and hands all of it over at once."""


class Outbox:
    """A queue of events (dicts) and audio (PCM16 bytes) that never drops an event.

    Attributes
    ----------
    dropped_samples
        Audio that was dropped because the socket took too little, and not yet told.
    """

    def __init__(self, keep_samples: int = KEEP_S * SAMPLE_RATE_HZ) -> None:
        self._queue: deque[dict[str, Any] | bytes] = deque()
        self._keep_samples = keep_samples
        self.waiting_samples = 0
        self.dropped_samples = 0

    def __len__(self) -> int:
        return len(self._queue)

    @property
    def waiting_events(self) -> int:
        """How many events wait."""
        return sum(isinstance(what, dict) for what in self._queue)

    def put(self, what: dict[str, Any] | bytes) -> None:
        """Add behind what waits; where too much audio waits, the oldest goes."""
        self._queue.append(what)
        if isinstance(what, bytes):
            self.waiting_samples += pcm_samples(what)
            while self.waiting_samples > self._keep_samples:
                self._drop_oldest()

    def take(self) -> dict[str, Any] | bytes | None:
        """Remove and return what is next; None when nothing waits."""
        if not self._queue:
            return None
        what = self._queue.popleft()
        if isinstance(what, bytes):
            self.waiting_samples -= pcm_samples(what)
        return what

    def take_audio(self, size_bytes: int) -> list[bytes]:
        """Remove and return the audio that is next, as many chunks as begin within so many bytes."""
        taken: list[bytes] = []
        while size_bytes > 0 and self._queue and isinstance(what := self._queue[0], bytes):
            self._queue.popleft()
            self.waiting_samples -= pcm_samples(what)
            size_bytes -= len(what)
            taken.append(what)
        return taken

    def take_dropped(self) -> int:
        """Return the samples dropped since the last call."""
        dropped, self.dropped_samples = self.dropped_samples, 0
        return dropped

    def _drop_oldest(self) -> None:
        at = next(index for index, what in enumerate(self._queue) if isinstance(what, bytes))
        oldest = self._queue[at]
        del self._queue[at]
        samples = pcm_samples(oldest) if isinstance(oldest, bytes) else 0
        self.waiting_samples -= samples
        self.dropped_samples += samples
