"""What is lost between two connections, counted while it happens and told when it is over."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rt_notebook.io.connection.connection import Connection
    from rt_notebook.io.connection.restore import Restored

__all__ = ["Gap"]


@dataclass
class Gap:
    """A stretch of session time without a connection.

    Attributes
    ----------
    since_s
        Session seconds at which it began: of a line that fell silent, its last sign of life.
    lost_samples
        Microphone audio that was not sent.
    doubtful_samples
        Audio that was sent after the last sign of life: nobody knows whether it arrived.
    dropped_events
        Events that were not sent.
    interrupted
        Responses that were being made.
    speaking
        Whether the user was being heard.
    """

    since_s: float
    cause: str
    lost_samples: int = 0
    doubtful_samples: int = 0
    dropped_events: int = 0
    interrupted: list[str] = field(default_factory=list)
    speaking: bool = False

    def take(self, connection: Connection) -> None:
        """Count what a connection took along."""
        self.interrupted += connection.watch.responses
        self.speaking = self.speaking or connection.watch.speaking
        self.doubtful_samples += connection.doubtful_samples
        self.lost_samples += connection.outbox.waiting_samples
        self.dropped_events += connection.undelivered_events

    def told(self, restored: Restored, generation: int, now_s: float) -> dict[str, Any]:
        """Return the fields of ``local.gap``."""
        left_out = list(restored.left_out)
        left_out += ["what was just being said"] if self.speaking else []
        left_out += ["the answer that was being given"] if self.interrupted else []
        return {
            "generation": generation,
            "cause": self.cause,
            "length_s": now_s - self.since_s,
            "lost_samples": self.lost_samples,
            "doubtful_samples": self.doubtful_samples,
            "dropped_events": self.dropped_events,
            "interrupted": list(self.interrupted),
            "restored": restored.told,
            "restored_items": restored.item_ids,
            "not_restored": left_out,
        }
