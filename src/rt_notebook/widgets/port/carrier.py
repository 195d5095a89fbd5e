"""Numbered messages that arrive complete and in order, and who may send them.

The sender keeps what is not acknowledged; the receiver takes only the next number and says when one is
missing; the sender then starts again from there (go-back-N). Pure: no clock, no thread, no widget. The front
end keeps to the same rule (``carrier.ts``), with an outbox for the microphone and an inbox for the voice.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Inbox", "Lease", "Outbox"]

T = TypeVar("T")


@dataclass
class Lease:
    """Whose microphone the kernel listens to: one client, and one recording of it (`epoch`), at a time."""

    client: str | None = None
    epoch: int = -1

    def grant(self, client: str, epoch: int) -> str | None:
        """Give the lease to `client`; return the client that lost it, None when there was no other.

        A recording older than the one held by the same client is refused silently: its messages are late.
        """
        if client == self.client and epoch <= self.epoch:
            return None
        previous = self.client if self.client != client else None
        self.client, self.epoch = client, epoch
        return previous

    def holds(self, client: object, epoch: object) -> bool:
        """Whether a message of this client and recording is to be listened to."""
        return self.client is not None and client == self.client and epoch == self.epoch

    def release(self) -> None:
        """End the recording; nobody holds the lease."""
        self.client = None


class Inbox:
    """Receiver of chunks that come in batches: takes each number once, in order.

    Attributes
    ----------
    expected
        The number that comes next; as many have been taken or given up so far.
    lost
        Chunks that the sender had given up before they arrived.
    again
        Whether the last batch lay behind a hole, so that the sender should start again at `expected`.
    """

    def __init__(self) -> None:
        self.expected = 0
        self.lost = 0
        self.again = False

    def receive(self, seq: int, chunks: Sequence[T], first: int) -> list[T]:
        """Return the chunks of a batch that are new and next.

        Parameters
        ----------
        seq
            Number of ``chunks[0]``.
        chunks
            Consecutive chunks.
        first
            Oldest number that the sender still holds: what is missing before it will never come.
        """
        # A sender cannot give up what it has not counted; a wrong `first` must not skip chunks at hand.
        given_up = min(first, seq)
        if given_up > self.expected:
            self.lost += given_up - self.expected
            self.expected = given_up
        self.again = seq > self.expected
        if self.again:
            return []
        new = list(chunks[self.expected - seq :])
        self.expected += len(new)
        return new


class Outbox(Generic[T]):
    """Sender: numbers messages and keeps them until they are acknowledged, `capacity` at most."""

    def __init__(self, capacity: int) -> None:
        self.next = 0
        self._kept: deque[T] = deque(maxlen=capacity)

    @property
    def first(self) -> int:
        """Number of the oldest message that is still held."""
        return self.next - len(self._kept)

    def add(self, message: T) -> int:
        """Keep `message` and return its number."""
        self._kept.append(message)
        self.next += 1
        return self.next - 1

    def ack(self, seq: int) -> None:
        """Forget everything before `seq`. Numbers never given out are ignored."""
        while self.first < min(seq, self.next):
            self._kept.popleft()

    def since(self, seq: int) -> list[tuple[int, T]]:
        """Return the held messages from number `seq` on, with their numbers."""
        start = max(seq, self.first)
        return list(enumerate(islice(self._kept, start - self.first, None), start))
