"""What is said while the session is still being opened."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from rt_notebook.core.audio import SAMPLE_RATE_HZ, pcm_samples

if TYPE_CHECKING:
    from rt_notebook.io.session.session import Session

__all__ = ["EarlyAudio"]

KEEP_S = 10


class EarlyAudio:
    """Stands before a session and keeps the last ten seconds until it is open. Confined to one thread."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._early: deque[bytes] = deque()
        self._early_samples = 0

    def append_audio(self, pcm: bytes) -> None:
        """Hand audio on, behind what was kept."""
        self._early.append(pcm)
        self._early_samples += pcm_samples(pcm)
        while self._early_samples > KEEP_S * SAMPLE_RATE_HZ:
            self._early_samples -= pcm_samples(self._early.popleft())
        self.drain()

    def drain(self) -> None:
        """Hand on what was kept, once the session has been open; it counts what a lost connection loses."""
        if self._session.state in {"open", "reconnecting"}:
            while self._early:
                self._session.append_audio(self._early.popleft())
            self._early_samples = 0

    def clock_s(self) -> float:
        """Seconds on the clock of the session's log."""
        return self._session.clock_s()

    def note(self, type_: str, **data: Any) -> None:
        """Pass a note on."""
        self._session.note(type_, **data)
