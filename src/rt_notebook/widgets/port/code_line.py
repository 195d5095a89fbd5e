"""The front end's way into the page: a widget synchronises its loader only, the code itself is a message."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["LOADER", "OFFERS_S", "CodeLine"]

_STATIC = Path(__file__).parents[1] / "static"

LOADER = _STATIC / "loader.js"
"""What the page starts with: under 2 kB, since every saved notebook holds it once a widget."""

OFFERS_S = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
"""When the code is sent unasked, after the widget was made or the page asked."""


class CodeLine:
    """Sends the front end when a page asks, and offers it until a page has said that it has it.

    The offers are for a kernel that is busy with the cell that shows the widget: it cannot be asked, but a
    thread can send. What comes before the page listens is lost, therefore there are several. Confined to the
    widget's line thread.

    Parameters
    ----------
    send
        Puts a message with its buffers on the comm.
    clock
        Seconds that only rise.

    Attributes
    ----------
    sent
        How often the code was sent.
    """

    def __init__(
        self,
        send: Callable[[dict[str, Any], list[bytes]], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._send = send
        self._clock = clock
        self._due_s = [clock() + offer_s for offer_s in OFFERS_S]
        self.sent = 0

    def asked(self) -> None:
        """Send the code now, and again until it is there."""
        now_s = self._clock()
        self._due_s = [now_s, *(now_s + offer_s for offer_s in OFFERS_S)]
        self.offer()

    def taken(self) -> None:
        """Offer no more: the page has it."""
        self._due_s = []

    def offer(self) -> None:
        """Send the code if an offer is due; the line calls this on each tick."""
        now_s = self._clock()
        waiting_s = [due_s for due_s in self._due_s if due_s > now_s]
        if len(waiting_s) < len(self._due_s):
            self._due_s = waiting_s
            self.sent += 1
            # Read each time, so that a rebuilt front end reaches a page whose loader was rebuilt with it.
            buffers = [(_STATIC / name).read_bytes() for name in ("widget.js", "widget.css")]
            code_hash = hashlib.sha256(b"".join(buffers)).hexdigest()[:16]
            self._send({"type": "code", "hash": code_hash}, buffers)
