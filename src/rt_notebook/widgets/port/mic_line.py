"""The microphone's way into the kernel. Confined to the widget's line thread."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from rt_notebook.core.audio import BYTES_PER_SAMPLE
from rt_notebook.widgets.port.carrier import Inbox, Lease
from rt_notebook.widgets.port.clock_line import recorded

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["MicLine"]

ACK_EVERY_CHUNKS = 6
TAKEN_OVER = "Another window listens now: press Start listening here to take the microphone back."


class MicLine:
    """Takes the chunks of one front end at a time, complete and in order.

    Parameters
    ----------
    send
        Puts a message on the comm.
    on_chunk
        Told each chunk of PCM16 once, in the order in which it was recorded; a `RecordedPcm` where
        the page tells its times.
    on_gap
        Told how many samples were lost for good, before the chunk that follows them.

    Attributes
    ----------
    chunks, samples, lost_samples
        What the present recording has brought so far.
    """

    def __init__(
        self,
        send: Callable[[dict[str, Any]], None],
        on_chunk: Callable[[bytes], None],
        on_gap: Callable[[int], None],
    ) -> None:
        self._send = send
        self._on_chunk = on_chunk
        self._on_gap = on_gap
        self._lease = Lease()
        self._inbox = Inbox()
        self._acked = 0
        self._overrun_samples = 0
        self._closing_seq: int | None = None
        self.samples = 0
        self.lost_samples = 0

    @property
    def chunks(self) -> int:
        """Chunks that the present recording has brought."""
        return self._inbox.expected - self._inbox.lost

    @property
    def client(self) -> str | None:
        """The front end that is listened to; None for none."""
        return self._lease.client

    def open(self, client: str, epoch: int) -> None:
        """Begin a recording; whoever recorded before is told to stop."""
        previous = self._lease.grant(client, epoch)
        if previous is not None:
            self._send({"type": "mic.revoked", "client": previous, "reason": TAKEN_OVER})
        self._inbox = Inbox()
        self._acked = self._overrun_samples = self.samples = self.lost_samples = 0
        self._closing_seq = None

    def receive(self, message: dict[str, Any], pcm: bytes) -> None:
        """Take a batch of chunks."""
        if not self._lease.holds(message["client"], message["epoch"]):
            return
        counts: list[int] = message["counts"]
        ends = [0]
        for count in counts:
            ends.append(ends[-1] + count * BYTES_PER_SAMPLE)
        pieces = enumerate(itertools.pairwise(ends))
        chunks = [recorded(message, index, pcm[a:b]) for index, (a, b) in pieces]
        self._count_lost(message, counts[0] if counts else 0)
        for chunk in self._inbox.receive(message["seq"], chunks, message["first"]):
            self.samples += len(chunk) // BYTES_PER_SAMPLE
            self._on_chunk(chunk)
        due = self._inbox.expected - self._acked >= ACK_EVERY_CHUNKS
        if due or self._inbox.again or message.get("probe"):
            self._ack()
        self._finish()

    def close(self, client: str, epoch: int, seq: int) -> None:
        """End a recording of `seq` chunks; what is missing of it is asked for once more."""
        if self._lease.holds(client, epoch):
            self._closing_seq = seq
            self._inbox.again = self._inbox.expected < seq
            self._ack()
            self._finish()

    def revoke(self, reason: str) -> None:
        """Tell the front end to close its microphone."""
        if self._lease.client is not None:
            self._send({"type": "mic.revoked", "client": self._lease.client, "reason": reason})
            self._lease.release()

    def _finish(self) -> None:
        if self._closing_seq is not None and self._inbox.expected >= self._closing_seq:
            self._lease.release()

    def _count_lost(self, message: dict[str, Any], chunk_samples: int) -> None:
        given_up = max(0, min(message["first"], message["seq"]) - self._inbox.expected)
        overrun = max(0, int(message.get("overrun_samples", 0)) - self._overrun_samples)
        self._overrun_samples += overrun
        lost = given_up * chunk_samples + overrun
        if lost:
            self.lost_samples += lost
            self._on_gap(lost)

    def _ack(self) -> None:
        self._acked = self._inbox.expected
        self._send(
            {
                "type": "mic.ack",
                "client": self._lease.client,
                "epoch": self._lease.epoch,
                "seq": self._inbox.expected,
                "again": self._inbox.again,
            }
        )
