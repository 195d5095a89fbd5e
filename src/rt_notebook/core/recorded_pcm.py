"""Microphone audio that knows when it was recorded."""

from __future__ import annotations

from typing import Any, Self

__all__ = ["RecordedPcm"]


class RecordedPcm(bytes):
    """A chunk of PCM16 with its times. Everything between the page and the socket takes it for bytes.

    Attributes
    ----------
    recorded_s, sent_s
        When its last sample was recorded and when the page sent it, on the page's clock.
    arrived_s
        When the kernel had it, on the kernel's clock.
    """

    recorded_s: float
    sent_s: float
    arrived_s: float

    def __new__(cls, pcm: bytes, recorded_s: float, sent_s: float, arrived_s: float) -> Self:
        """Make it; the audio is copied."""
        made = super().__new__(cls, pcm)
        made.recorded_s, made.sent_s, made.arrived_s = recorded_s, sent_s, arrived_s
        return made

    def times(self) -> dict[str, Any]:
        """Return what the log keeps of them."""
        return {
            "page_recorded_s": self.recorded_s,
            "page_sent_s": self.sent_s,
            "arrived_s": self.arrived_s,
        }
