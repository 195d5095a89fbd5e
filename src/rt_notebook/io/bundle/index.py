"""Where the audio of each item lies in the tracks of a recording. Pure: computed from the events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rt_notebook.core.audio import ms_to_samples
from rt_notebook.io.bundle.manifest import side_of
from rt_notebook.log.fields import as_dict, as_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rt_notebook.core.events import Event
    from rt_notebook.io.bundle.manifest import Side

__all__ = ["AudioIndex"]

Stretch = tuple[int, int]


class AudioIndex:
    """Stretches of the tracks, in samples, by item.

    The user's track is what was sent, piece after piece. A position that the endpoint names
    (``audio_start_ms``) counts from where its connection began, which `connections` tells. The assistant's
    track is what was received, piece after piece.

    Attributes
    ----------
    samples
        By side, the length of the audio that the events tell of.
    connections
        Positions in the user's track at which a session with the endpoint began.
    user_items
        By item id, from the first sample kept of the speech to the end of the silence behind it.
    assistant_items
        By item id, the pieces of its audio in the order in which they came.
    played_samples
        By item id, how much of it left the speaker, at the last report.
    """

    def __init__(self, events: Iterable[Event]) -> None:
        self.samples: dict[Side, int] = {"user": 0, "assistant": 0}
        self.connections: list[int] = [0]
        self.user_items: dict[str, Stretch] = {}
        self.assistant_items: dict[str, list[Stretch]] = {}
        self.played_samples: dict[str, int] = {}
        self._session_id: str | None = None
        for event in events:
            self._read(event)

    def _read(self, event: Event) -> None:
        item_id = event.item_id
        if event.audio_samples:
            side = side_of(event)
            start = self.samples[side]
            self.samples[side] = start + event.audio_samples
            if side == "assistant" and item_id is not None:
                self.assistant_items.setdefault(item_id, []).append((start, self.samples[side]))
        elif event.type == "session.created":
            session_id = as_text(as_dict(event.data.get("session")).get("id"))
            if self._session_id not in {None, session_id}:
                self.connections.append(self.samples["user"])
            self._session_id = session_id
        elif item_id is None:
            return
        elif event.type == "input_audio_buffer.speech_started":
            start = self._position(event.data.get("audio_start_ms"))
            self.user_items.setdefault(item_id, (start, self.samples["user"]))
        elif event.type == "input_audio_buffer.speech_stopped" and item_id in self.user_items:
            end = self._position(event.data.get("audio_end_ms"))
            self.user_items[item_id] = (self.user_items[item_id][0], end)
        elif event.type == "local.playback":
            played = event.data.get("played_samples")
            if isinstance(played, int) and played >= 0:
                self.played_samples[item_id] = max(played, self.played_samples.get(item_id, 0))

    def _position(self, ms: object) -> int:
        """Return the place in the user's track that the endpoint names, in what it has been sent so far."""
        if isinstance(ms, bool) or not isinstance(ms, int | float) or not 0 <= ms < 1e9:
            return self.samples["user"]
        return min(self.connections[-1] + ms_to_samples(ms), self.samples["user"])
