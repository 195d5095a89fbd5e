"""What pages told of their clocks, microphones and speakers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rt_notebook.core.clock import ClockMap, Exchange
from rt_notebook.log.fields import as_number, as_text

if TYPE_CHECKING:
    from rt_notebook.core.events import Event

__all__ = ["PageStart", "Pages"]


@dataclass(frozen=True, slots=True)
class PageStart:
    """How an item began to sound on a page, on the page's clock.

    Attributes
    ----------
    client
        The page.
    arrived_s, started_s
        When its first audio arrived, and when its first sample was given to the device.
    base_latency_s, output_latency_s
        How long the sample then takes, as the browser says: to the device's buffer, and out of it.
    """

    client: str
    arrived_s: float
    started_s: float
    base_latency_s: float
    output_latency_s: float


class Pages:
    """The pages of a session.

    Attributes
    ----------
    clocks
        Their clocks, by client.
    microphone
        The client whose microphone is, or was last, listened to.
    input_latency_s
        How long a microphone takes to hand over a sample, as its browser says, by client.
    """

    def __init__(self) -> None:
        self.clocks: dict[str, ClockMap] = {}
        self.microphone: str | None = None
        self.input_latency_s: dict[str, float] = {}

    def exchanged(self, event: Event) -> None:
        """Take an exchange of times."""
        client = as_text(event.data.get("client"))
        names = ("asked_s", "received_s", "answered_s", "arrived_s")
        times = [time for time in (as_number(event.data.get(name)) for name in names) if time is not None]
        if client is not None and len(times) == len(names):
            self.clocks.setdefault(client, ClockMap()).add(Exchange(*times))

    def opened(self, event: Event) -> None:
        """Take that a microphone was opened."""
        self.microphone = as_text(event.data.get("client"))
        latency_s = as_number(event.data.get("input_latency_s"))
        if self.microphone is not None and latency_s is not None and 0 <= latency_s < 1:
            self.input_latency_s[self.microphone] = latency_s

    @staticmethod
    def started(event: Event) -> PageStart | None:
        """Return how an item began to sound, if the report tells."""
        client = as_text(event.data.get("client"))
        arrived_s = as_number(event.data.get("page_arrived_s"))
        started_s = as_number(event.data.get("page_started_s"))
        if client is None or arrived_s is None or started_s is None:
            return None
        latencies = [
            as_number(event.data.get(name)) or 0.0 for name in ("base_latency_s", "output_latency_s")
        ]
        return PageStart(client, arrived_s, started_s, *latencies)
