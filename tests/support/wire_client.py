"""A client at the engine, in virtual time: it speaks one dialect and sees the wire's own events.

The scripted parts (what is heard, transcribed and replied) are `engine_driver.Driver`'s.
"""

from __future__ import annotations

import base64
from typing import Any

from engine_driver import FRAME, Driver
from strict_models import problems

from rt_notebook.core.dialects import DIALECTS, NotInDialect

__all__ = ["GA_TO_PREVIEW", "WEATHER", "WireClient", "asked", "message"]

Json = dict[str, Any]

GA_TO_PREVIEW = {
    "conversation.item.added": "conversation.item.created",
    "response.output_text.delta": "response.text.delta",
    "response.output_text.done": "response.text.done",
    "response.output_audio.delta": "response.audio.delta",
    "response.output_audio.done": "response.audio.done",
    "response.output_audio_transcript.delta": "response.audio_transcript.delta",
    "response.output_audio_transcript.done": "response.audio_transcript.done",
}

WEATHER = {
    "type": "function",
    "name": "get_weather",
    "description": "Look up the weather for a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


def message(text: str, role: str = "user", **fields: Any) -> Json:
    """Return a message item in GA form, as a client creates it."""
    part = {"type": "output_text" if role == "assistant" else "input_text", "text": text}
    return {"type": "message", "role": role, "content": [part]} | fields


class WireClient:
    """One session. Events are written in GA form and go over the wire in the client's dialect.

    Every method returns the events that came back, as they are on the wire. `options` are the engine's; on
    Azure, which is what the tests are on unless they say otherwise, there are no rate limits.
    """

    def __init__(self, dialect: str = "ga", *, azure: bool = True, **options: Any) -> None:
        self.dialect = dialect
        self._codec = DIALECTS[dialect]
        self.driver = Driver(preview=dialect == "preview", azure=azure, **options)
        self.engine = self.driver.engine
        self.job_id = ""

    @property
    def wire(self) -> list[Json]:
        """All that the server has sent, in the client's dialect."""
        return self._from(0)

    def _from(self, start: int) -> list[Json]:
        sent = (self._codec.server_to_wire(event) for event in self.driver.events[start:])
        return [event for event in sent if event is not None]

    def types(self) -> list[str]:
        """Return the types of all that the server has sent."""
        return [event["type"] for event in self.wire]

    def last(self, type_: str) -> Json:
        """Return the last event of a type, named in GA."""
        name = self.name(type_)
        return next(event for event in reversed(self.wire) if event["type"] == name)

    def name(self, type_: str) -> str:
        """Return the name of a GA server event in the client's dialect."""
        return GA_TO_PREVIEW.get(type_, type_) if self.dialect == "preview" else type_

    def problems(self) -> list[str]:
        """Return what of all that was sent is wrong for the models."""
        return [found for event in self.wire for found in problems(event, self.dialect)]

    # -- the client -----------------------------------------------------------------------------------

    def raw(self, event: Json) -> list[Json]:
        """Send an event in the wire's own form."""
        start = len(self.driver.events)
        try:
            self.driver.take(self.engine.receive(self._codec.client_from_wire(event)))
        except NotInDialect as error:
            self.driver.take(self.engine.refuse(error.code, str(error), error.param, event.get("event_id")))
        return self._from(start)

    def send(self, type_: str, **fields: Any) -> list[Json]:
        """Send an event in GA form."""
        return self.raw(self._codec.client_to_wire({"type": type_} | fields))

    def update(self, **session: Any) -> list[Json]:
        """Update the session, in GA form."""
        return self.send("session.update", session={"type": "realtime"} | session)

    def listen(self, turn_detection: Json | None, **audio_input: Any) -> list[Json]:
        """Update the turn detection, and other settings of the input."""
        return self.update(audio={"input": {"turn_detection": turn_detection} | audio_input})

    def write(self, text: str, **fields: Any) -> list[Json]:
        """Put a typed message of the user into the conversation."""
        return self.send("conversation.item.create", item=message(text, **fields))

    def hear(self, *probabilities: float, type_: str = "input_audio_buffer.append") -> list[Json]:
        """Append one frame of audio for each probability that the detector will find in it."""
        self.driver.probabilities = list(probabilities)
        return self.send(type_, audio=base64.b64encode(FRAME * len(probabilities)).decode())

    def say(self, frames: int = 20, silent_frames: int = 7) -> list[Json]:
        """Speak, and be silent for as long as ends a turn by default."""
        return self.hear(*[0.9] * frames, *[0.0] * silent_frames)

    # -- the components -------------------------------------------------------------------------------

    def transcribe(self, text: str | None = "hello there", problem: str | None = None) -> list[Json]:
        """Let the oldest transcription end."""
        start = len(self.driver.events)
        self.driver.transcribe(text, problem)
        return self._from(start)

    def reply(self, *sentences: str, end: bool = True) -> list[Json]:
        """Let the oldest reply be made, a second of speech for a sentence."""
        start = len(self.driver.events)
        self.job_id = self.driver.reply(*sentences, end=end)
        return self._from(start)

    def finish(self, problem: str | None = None, **options: Any) -> list[Json]:
        """Let the reply end that was begun last."""
        start = len(self.driver.events)
        self.driver.take(self.engine.finished(self.job_id, problem, **options))
        return self._from(start)

    def call(self, name: str = "get_weather", arguments: str = '{"city": "London"}') -> list[Json]:
        """Let the oldest reply be a call of a function, its arguments in two pieces."""
        start = len(self.driver.events)
        work = self.driver.replying.pop(0)
        self.driver.take(self.engine.called(work.response_id, name, arguments[:5]))
        self.driver.take(self.engine.called(work.response_id, "", arguments[5:]))
        self.driver.take(self.engine.finished(work.response_id))
        return self._from(start)

    def spoken_turn(self, *sentences: str) -> list[Json]:
        """Speak, be understood and be answered."""
        start = len(self.driver.events)
        self.say()
        self.transcribe()
        self.reply(*sentences or ("Hello. ", "How are you?"))
        return self._from(start)


def asked(dialect: str = "ga", **fields: Any) -> WireClient:
    """Return a client that has asked something; its response is under way."""
    client = WireClient(dialect)
    client.write("Hello.")
    client.send("response.create", **fields)
    return client
