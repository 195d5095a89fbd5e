"""A recording, played again: what was received comes as frames, at the recorded pace or another."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rt_notebook.core import wire_json
from rt_notebook.core.audio import BYTES_PER_SAMPLE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from rt_notebook.core.events import Event
    from rt_notebook.io.bundle.recording import Recording
    from rt_notebook.io.bundle.track import Track

__all__ = ["RecordedEvent", "Replay"]

_BREATH = 64
"""As fast as possible still lets others have a turn, after so many events."""


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """One event of a recording.

    Attributes
    ----------
    event
        As it was recorded.
    audio
        What it carried; silence of the same length where the recording holds none.
    frame
        What an endpoint would write on the wire; None for what was sent, or is not on the wire.
    """

    event: Event
    audio: bytes
    frame: str | None


class Replay:
    """Plays a recording.

    Parameters
    ----------
    speed
        1.0 is the recorded pace, 2.0 twice as fast, ``math.inf`` as fast as possible.

    Attributes
    ----------
    now_s
        The recording's own time: session seconds of the latest event.
    """

    def __init__(self, recording: Recording, speed: float) -> None:
        self.now_s = 0.0
        self._recording = recording
        self._speed = speed

    async def events(self) -> AsyncIterator[RecordedEvent]:
        """Yield every event in its time. Waiting for the first word on the wire is left out."""
        loop = asyncio.get_running_loop()
        began_s = first_s = None
        positions = {"sent": 0, "received": 0, "local": 0}
        for number, event in enumerate(self._recording.log):
            if event.direction != "local" and (began_s is None or first_s is None):
                began_s, first_s = loop.time(), event.t_s
            if began_s is not None and first_s is not None and not math.isinf(self._speed):
                due_s = began_s + (event.t_s - first_s) / self._speed
                if due_s > loop.time():
                    await asyncio.sleep(due_s - loop.time())
            if number % _BREATH == 0:
                await asyncio.sleep(0)
            start = positions[event.direction]
            positions[event.direction] = start + event.audio_samples
            audio = self._audio(event, start)
            self.now_s = max(self.now_s, event.t_s)
            frame = _frame(event, audio) if event.direction == "received" else None
            yield RecordedEvent(event, audio, frame)

    def holds_audio(self, event: Event) -> bool:
        """Whether the recording holds the audio that this event carried."""
        return len(self._track(event)) > 0

    def _track(self, event: Event) -> Track:
        recording = self._recording
        return recording.user_audio if event.direction == "sent" else recording.assistant_audio

    def _audio(self, event: Event, start: int) -> bytes:
        size = event.audio_samples
        held = self._track(event).pcm(start, start + size) if size else b""
        return held.ljust(size * BYTES_PER_SAMPLE, b"\0")


def _frame(event: Event, audio: bytes) -> str:
    data = event.data if "type" in event.data else {"type": event.type} | event.data
    return wire_json.encode(data | {"delta": wire_json.encode_audio(audio)} if audio else data)
