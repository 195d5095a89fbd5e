"""Logs out of the server's real engine, in virtual time: what a client would have written down."""

from __future__ import annotations

from engine_driver import Driver

from rt_notebook.core.events import Event
from rt_notebook.log.event_log import EventLog

FRAME_SAMPLES = 768


class DrivenLog:
    """A client of the engine that keeps a log; it sends a frame of audio for each probability."""

    def __init__(self, seed: int = 1) -> None:
        self.events: list[Event] = []
        self.probabilities: list[float] = []
        self._t_s = 0.0
        self._ids = 0
        self.reconnect(seed)

    def reconnect(self, seed: int) -> None:
        self._driver = Driver(seed)
        self._read = 0
        self._take()

    def hear(self, *probabilities: float) -> None:
        for probability in probabilities:
            self._t_s += 0.032
            self.probabilities.append(probability)
            self.events.append(
                Event(self._t_s, "sent", "input_audio_buffer.append", {}, FRAME_SAMPLES, -30.0)
            )
            self._driver.hear(probability)
            self._take()

    def say(self, high: int = 20, low: int = 20, level: float = 0.9) -> None:
        """Some frames of speech and some of silence."""
        self.hear(*[level] * high, *[0.0] * low)

    def send(self, type_: str, **fields) -> None:
        self._ids += 1
        data = {"type": type_, "event_id": f"event_{self._ids}"} | fields
        self.events.append(Event(self._t_s, "sent", type_, data, 0, None))
        self._driver.send(**{"type_": type_, "event_id": data["event_id"]} | fields)
        self._take()

    def update(self, turn_detection) -> None:
        audio = {"input": {"turn_detection": turn_detection}}
        self.send("session.update", session={"type": "realtime", "audio": audio})

    def note(self, type_: str, **data) -> None:
        self.events.append(Event(self._t_s, "local", type_, data, 0, None))

    def log(self) -> EventLog:
        return EventLog(self.events)

    def _take(self) -> None:
        for data in self._driver.events[self._read :]:
            self._t_s += 0.0001
            self.events.append(Event(self._t_s, "received", data["type"], data, 0, None))
        self._read = len(self._driver.events)
