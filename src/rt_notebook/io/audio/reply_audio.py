"""The assistant's voice as it arrived, kept in memory for the last few minutes and nowhere else."""

from __future__ import annotations

from collections import OrderedDict

from rt_notebook.core.audio import BYTES_PER_SAMPLE, SAMPLE_RATE_HZ

__all__ = ["ReplyAudio"]

KEEP_S = 600


class ReplyAudio:
    """PCM16 audio by item id. The oldest items go when more than ten minutes are held."""

    def __init__(self, keep_s: float = KEEP_S) -> None:
        # As it came: to grow one piece of memory costs more than all else that is done with the audio.
        self._items: OrderedDict[str, list[bytes]] = OrderedDict()
        self._keep_bytes = int(keep_s * SAMPLE_RATE_HZ * BYTES_PER_SAMPLE)
        self._bytes = 0

    def add(self, item_id: str, pcm: bytes) -> None:
        """Append what arrived of an item."""
        self._items.setdefault(item_id, []).append(pcm)
        self._bytes += len(pcm)
        while self._bytes > self._keep_bytes and len(self._items) > 1:
            _, oldest = self._items.popitem(last=False)
            self._bytes -= sum(map(len, oldest))

    def get(self, item_id: str | None = None) -> bytes:
        """Audio of one item, of the latest by default; empty when it is not held."""
        if item_id is None:
            item_id = next(reversed(self._items), None)
        # A copy, so that it may go on growing meanwhile.
        return b"".join(list(self._items.get(item_id or "", ())))
