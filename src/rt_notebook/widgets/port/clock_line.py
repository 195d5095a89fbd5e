"""Asks pages for their clock, so that the log can tell what lies between a page and the kernel."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from rt_notebook.core.recorded_pcm import RecordedPcm

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ClockLine", "page_times", "recorded"]

FIRST_ASKS = 5
"""So many at once, since the first turn should be known well too; then a question every two seconds."""

EVERY_S = 2.0
GIVE_UP_S = 10.0
"""A kernel that is busy answers late and learns nothing by it; its backlog does not grow for that."""

_START_FIELDS = ("page_arrived_s", "page_started_s", "buffered_samples", "base_latency_s", "output_latency_s")


class ClockLine:
    """Exchanges times with the pages that record or play. Confined to the widget's line thread.

    Parameters
    ----------
    send
        Puts a message on the comm.
    note
        Told ``(client, asked_s, received_s, answered_s, arrived_s)`` of each exchange; the first and the last
        are of `time.monotonic`.
    """

    def __init__(
        self,
        send: Callable[[dict[str, Any]], None],
        note: Callable[[str, float, float, float, float], None],
    ) -> None:
        self._send = send
        self._note = note
        self._asked: dict[str, list[float]] = {}
        """When each page was asked last, how often so far, and whether its answer is awaited."""

    def ask(self, client: str | None) -> None:
        """Ask a page, unless it was asked lately."""
        if client is None:
            return
        now_s = time.monotonic()
        last_s, count, waiting = self._asked.get(client, (-GIVE_UP_S, 0.0, 0.0))
        pause_s = GIVE_UP_S if waiting else (0.0 if count < FIRST_ASKS else EVERY_S)
        if now_s - last_s >= pause_s:
            self._asked[client] = [now_s, count + 1, 1.0]
            self._send({"type": "clock.ask", "client": client, "asked_s": time.monotonic()})

    def answered(self, message: dict[str, Any]) -> None:
        """Take a page's answer."""
        asked = self._asked.get(message["client"])
        if asked is not None:
            asked[2] = 0.0
            times = (message[name] for name in ("asked_s", "received_s", "answered_s", "arrived_s"))
            self._note(message["client"], *times)


def page_times(message: dict[str, Any]) -> dict[str, Any]:
    """Return what a report tells of how an item began to sound; empty if it does not."""
    if "page_started_s" not in message:
        return {}
    return {"client": message["client"]} | {name: message[name] for name in _START_FIELDS if name in message}


def recorded(message: dict[str, Any], index: int, pcm: bytes) -> bytes:
    """Return a chunk of a message with its times, if the page told them."""
    ends_s, sent_s = message.get("ends_s"), message.get("sent_s")
    if ends_s is None or sent_s is None or "arrived_s" not in message:
        return pcm
    return RecordedPcm(pcm, ends_s[index], sent_s[index], message["arrived_s"])
