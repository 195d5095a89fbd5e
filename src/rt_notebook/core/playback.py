"""How much of each reply was heard: played is not received.

Audio arrives faster than it is spoken. When the user interrupts, what the speaker had not yet played was
never heard, and the endpoint must be told to forget it (``conversation.item.truncate``).
"""

from __future__ import annotations

from dataclasses import dataclass

from rt_notebook.core.audio import samples_to_ms

__all__ = ["Playback"]


@dataclass(slots=True)
class _Item:
    received_samples: int = 0
    played_samples: int = 0
    silenced: bool = False
    truncated: bool = False


class Playback:
    """Account of received and played samples by item."""

    def __init__(self) -> None:
        self._items: dict[str, _Item] = {}

    def receive(self, item_id: str, samples: int) -> bool:
        """Count audio that arrived; False when the item was silenced and must not be played."""
        item = self._items.setdefault(item_id, _Item())
        item.received_samples += samples
        return not item.silenced

    def audible(self) -> list[str]:
        """Items with audio that has not been played and may still be."""
        return [
            item_id
            for item_id, item in self._items.items()
            if not item.silenced and item.played_samples < item.received_samples
        ]

    def silence(self, item_id: str) -> None:
        """Stop the item: what arrives of it from now on is not played."""
        self._items.setdefault(item_id, _Item()).silenced = True

    def report(self, item_id: str, played_samples: int) -> None:
        """Take the speaker's count for an item. Counts never go back and never pass what arrived."""
        item = self._items.setdefault(item_id, _Item())
        item.played_samples = max(item.played_samples, min(played_samples, item.received_samples))

    def seal(self) -> None:
        """Note that the endpoint does not know these items any more: none of them can be cut there."""
        for item in self._items.values():
            item.truncated = True

    def truncate_at_ms(self, item_id: str) -> int | None:
        """Where the endpoint should cut the item, in ms of its audio, once; None when all of it was heard.

        Whole milliseconds, rounded down: an endpoint refuses a cut past the audio that it made.
        """
        item = self._items.get(item_id)
        if item is None or item.truncated or not item.silenced or item.received_samples == 0:
            return None
        if item.played_samples >= item.received_samples:
            return None
        item.truncated = True
        return samples_to_ms(item.played_samples)
