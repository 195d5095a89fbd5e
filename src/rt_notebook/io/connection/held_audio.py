"""Live microphone audio that waits for a connection which is being prepared."""

from __future__ import annotations

from rt_notebook.core.audio import SAMPLE_RATE_HZ, level_dbfs
from rt_notebook.core.outbox import Outbox

__all__ = ["HeldAudio"]

PREROLL_S = 1
"""Audio from before the word that wakes a resting session: it begins before it is loud."""

WAKING_S = 10
"""Audio that is kept from that word on until the session is open again."""

WAKE_DBFS = -45.0
"""A chunk of the microphone as loud as this may be speech."""


class HeldAudio:
    """Takes audio only while it is told to: what would be stale when it is sent is not held.

    Attributes
    ----------
    holding
        Whether audio is taken.
    keep
        Whether it outlives an attempt that fails, because somebody has just begun to speak.
    """

    def __init__(self) -> None:
        self.holding = False
        self.keep = False
        self._outbox = Outbox()

    def hold(self) -> None:
        """Take audio from now on; what is held already stays."""
        self.holding = True

    def rest(self) -> None:
        """Take audio, and keep no more than a moment of it."""
        self.holding = True
        self._outbox = Outbox(PREROLL_S * SAMPLE_RATE_HZ)

    def woken(self) -> None:
        """Keep what is held, and more; a second call does nothing."""
        if self.keep:
            return
        self.keep = True
        moment, self._outbox = self._outbox, Outbox(WAKING_S * SAMPLE_RATE_HZ)
        while (what := moment.take()) is not None:
            self._outbox.put(what)

    def put(self, pcm: bytes) -> bool:
        """Hold audio; return whether it may be speech."""
        self._outbox.put(pcm)
        return level_dbfs(pcm) > WAKE_DBFS

    def drop(self) -> int:
        """Hold no more and return the samples that were lost, unless they are to be kept."""
        if self.keep:
            return 0
        lost = self._outbox.waiting_samples + self._outbox.dropped_samples
        self.holding, self._outbox = False, Outbox()
        return lost

    def release(self) -> list[bytes]:
        """Hold no more and return what is held, in its order."""
        held: list[bytes] = []
        while (what := self._outbox.take()) is not None:
            held += [what] if isinstance(what, bytes) else []
        self.holding, self.keep, self._outbox = False, False, Outbox()
        return held
