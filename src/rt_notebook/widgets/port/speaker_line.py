"""The voice's way to the one front end that plays it. Confined to the widget's line thread."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from rt_notebook.core.audio import pcm_samples
from rt_notebook.widgets.port.carrier import Outbox

__all__ = ["SpeakerLine"]

KEPT_MESSAGES = 4096
KEPT_CLIENTS = 8
PROBE_AFTER_S = 2.0
PROBES = 5
SOUNDING_S = 5.0

Send = Callable[[dict[str, Any], list[bytes]], None]
Report = Callable[[str, int, str, int], None]


class SpeakerLine:
    """Numbers audio for the front end that was touched last, and sends again what got lost.

    Parameters
    ----------
    send
        Puts a message with its buffers on the comm.
    report
        Told ``(item_id, played_samples, state, dropped_samples)`` of audio that nothing was there to play.
    """

    def __init__(self, send: Send, report: Report) -> None:
        self._send = send
        self._report = report
        self._outboxes: dict[str, Outbox[tuple[dict[str, Any], list[bytes]]]] = {}
        self._unheard_samples: dict[str, int] = {}
        self._answered_s = 0.0
        self._sent_s = -SOUNDING_S
        self._probes = 0
        self.client: str | None = None

    def choose(self, client: str) -> int:
        """Let `client` play from now on; return the number of its next message."""
        if self.client not in {None, client}:
            self._post({"type": "speaker.flush"})
        if client not in self._outboxes:
            self._outboxes[client] = Outbox(KEPT_MESSAGES)
            for gone in [c for c in self._outboxes if c != client][: len(self._outboxes) - KEPT_CLIENTS]:
                del self._outboxes[gone]
        self.client = client
        return self._outboxes[client].next

    @property
    def sounding(self) -> bool:
        """Whether audio was sent to a page a short while ago."""
        return time.monotonic() - self._sent_s < SOUNDING_S

    def play(self, item_id: str, pcm: bytes) -> None:
        """Send audio of an item; without a front end it is counted as dropped."""
        if self.client is None:
            self._unheard_samples[item_id] = self._unheard_samples.get(item_id, 0) + pcm_samples(pcm)
        else:
            self._sent_s = time.monotonic()
            self._post({"type": "speaker.chunk", "item_id": item_id}, [pcm])

    def end(self, item_id: str) -> None:
        """Say that an item is complete."""
        if self.client is not None:
            self._post({"type": "speaker.end", "item_id": item_id})
        else:
            self._report(item_id, 0, "flushed", self._unheard_samples.pop(item_id, 0))

    def flush(self) -> None:
        """Silence the front end at once."""
        if self.client is not None:
            self._post({"type": "speaker.flush"})
        for item_id, samples in self._unheard_samples.items():
            self._report(item_id, 0, "flushed", samples)
        self._unheard_samples.clear()

    def acknowledged(self, client: str, seq: int, *, again: bool) -> None:
        """Forget what has arrived; send the rest once more when the front end misses something."""
        outbox = self._outboxes.get(client)
        if outbox is None:
            return
        outbox.ack(seq)
        self._answered()
        if again:
            for number, (message, buffers) in outbox.since(seq):
                self._send({**message, "client": client, "seq": number}, buffers)

    def probe(self) -> None:
        """Send the newest message again when nothing was acknowledged for a while: it may be lost."""
        outbox = self._outboxes.get(self.client or "")
        if outbox is None or outbox.first == outbox.next or self._probes >= PROBES:
            return
        if time.monotonic() - self._answered_s > PROBE_AFTER_S:
            self._probes += 1
            self._answered_s = time.monotonic()
            ((number, (message, buffers)),) = outbox.since(outbox.next - 1)
            self._send({**message, "client": self.client, "seq": number}, buffers)

    def _answered(self) -> None:
        self._answered_s = time.monotonic()
        self._probes = 0

    def _post(self, message: dict[str, Any], buffers: list[bytes] | None = None) -> None:
        assert self.client is not None  # noqa: S101
        outbox = self._outboxes[self.client]
        if outbox.first == outbox.next:
            self._answered()
        number = outbox.add((message, buffers or []))
        self._send({**message, "client": self.client, "seq": number}, buffers or [])
