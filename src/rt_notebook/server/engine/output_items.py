"""The items that a response writes: the assistant's message, and its function calls.

Each sends its events in the order of the wire: ``output_item.added``, ``conversation.item.added``, then its
deltas, the ``done`` events from the inside out, ``conversation.item.done`` and ``output_item.done``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rt_notebook.core.audio import SAMPLES_PER_MS, pcm_samples
from rt_notebook.core.audio_format import AudioFormat, OutputEncoder
from rt_notebook.core.wire_json import encode_audio
from rt_notebook.server.engine.items import Item

if TYPE_CHECKING:
    from rt_notebook.server.engine.state import SessionState

__all__ = ["OutputCall", "OutputItem", "OutputMessage"]

Json = dict[str, Any]

# The first piece is short so that it can be heard early; the others are as long as the vendors' are.
_FIRST_PIECE_MS = 60
_PIECE_MS = 200


class OutputItem:
    """What both kinds share.

    Parameters
    ----------
    state
        The session.
    response_id, output_index
        Where the item stands.
    wire
        The item as it begins.
    shared
        Whether it belongs to the conversation. A response out of band keeps its items to itself.
    """

    def __init__(
        self, state: SessionState, response_id: str, output_index: int, wire: Json, *, shared: bool
    ) -> None:
        self._state = state
        self._place = {"response_id": response_id, "output_index": output_index}
        self._shared = shared
        self.item = Item({"id": state.new_id("item")} | wire)
        previous = state.conversation.add(self.item) if shared else None
        state.send({"type": "response.output_item.added"} | self._place | {"item": self.item.snapshot()})
        if shared:
            self._tell("conversation.item.added", previous)

    def _tell(self, kind: str, previous: str | None) -> None:
        self._state.send({"type": kind, "previous_item_id": previous, "item": self.item.snapshot()})

    def _end(self, status: str) -> None:
        self.item.wire["status"] = status
        # A client may have deleted it in the meantime: then nobody waits for its end.
        if self._shared and self.item in self._state.conversation.items:
            self._tell("conversation.item.done", self._state.conversation.before(self.item))
        self._state.send({"type": "response.output_item.done"} | self._place | {"item": self.item.snapshot()})


class OutputMessage(OutputItem):
    """The assistant's message, with one content part: speech and its transcript, or text.

    Parameters
    ----------
    aloud
        Whether it is speech.
    audio_format
        The wire's format of that speech.
    """

    def __init__(
        self,
        state: SessionState,
        response_id: str,
        output_index: int,
        *,
        shared: bool,
        aloud: bool,
        audio_format: AudioFormat,
    ) -> None:
        wire: Json = {"type": "message", "status": "in_progress", "role": "assistant", "content": []}
        super().__init__(state, response_id, output_index, wire, shared=shared)
        self._aloud = aloud
        self._encoder = OutputEncoder(audio_format)
        self._bytes_per_ms = self.item.bytes_per_ms = audio_format.bytes_per_ms
        self._unsent = b""
        self._sent_any = False
        self.text = ""
        self._samples = 0
        self._send_part("response.content_part.added", "")

    @property
    def audio_ms(self) -> int:
        """Speech made so far."""
        return self._samples // SAMPLES_PER_MS

    @property
    def _where(self) -> Json:
        return {
            "response_id": self._place["response_id"],
            "item_id": self.item.id,
            "output_index": self._place["output_index"],
            "content_index": 0,
        }

    def _send_part(self, kind: str, text: str) -> None:
        part = {"type": "audio", "transcript": text} if self._aloud else {"type": "text", "text": text}
        event = {"type": kind} | self._where | {"part": part}
        if self._state.azure and not self._state.preview:
            event["content"] = part  # Azure's GA path says it twice.
        self._state.send(event)

    def write(self, text: str) -> None:
        """Send some more text."""
        self.text += text
        kind = "response.output_audio_transcript.delta" if self._aloud else "response.output_text.delta"
        self._state.send({"type": kind} | self._where | {"delta": text})

    def speak(self, pcm: bytes, text_end: int) -> None:
        """Send some speech (PCM16, 24 kHz), which says the text up to character `text_end`."""
        self._samples += pcm_samples(pcm)
        self.item.spoken.append((self._samples, text_end))
        self.item.audio_ms = self.audio_ms
        self._send_audio(self._encoder.push(pcm))

    def _send_audio(self, data: bytes) -> None:
        self.item.audio += data
        start = 0
        while start < len(data):
            piece_ms = _PIECE_MS if self._sent_any else _FIRST_PIECE_MS
            piece = data[start : start + piece_ms * self._bytes_per_ms]
            self._state.send(
                {"type": "response.output_audio.delta"} | self._where | {"delta": encode_audio(piece)}
            )
            self._sent_any = True
            start += len(piece)

    def close(self, status: str) -> None:
        """End the part and the item, with status completed or incomplete."""
        text = self.text.strip()
        if self._aloud:
            self._send_audio(self._encoder.flush())
            self._state.send({"type": "response.output_audio.done"} | self._where)
            done = {"type": "response.output_audio_transcript.done"} | self._where
            self._state.send(done | {"transcript": text})
            content = {"type": "output_audio", "transcript": text}
        else:
            self._state.send({"type": "response.output_text.done"} | self._where | {"text": text})
            content = {"type": "output_text", "text": text}
        self._send_part("response.content_part.done", text)
        self.item.wire["content"] = [content]
        self.item.heard_text = text
        self._state.conversation.forget_old_audio()
        self._end(status)


class OutputCall(OutputItem):
    """A function call."""

    def __init__(
        self, state: SessionState, response_id: str, output_index: int, name: str, *, shared: bool
    ) -> None:
        call_id = state.new_id("call")
        wire = {"type": "function_call", "status": "in_progress", "name": name, "call_id": call_id}
        super().__init__(state, response_id, output_index, wire | {"arguments": ""}, shared=shared)
        self.arguments = ""

    @property
    def _where(self) -> Json:
        return {
            "response_id": self._place["response_id"],
            "item_id": self.item.id,
            "output_index": self._place["output_index"],
            "call_id": self.item.wire["call_id"],
        }

    def write(self, arguments: str) -> None:
        """Send some more of the arguments' JSON text."""
        self.arguments += arguments
        self._state.send(
            {"type": "response.function_call_arguments.delta"} | self._where | {"delta": arguments}
        )

    def close(self, status: str) -> None:
        """End the call, with status completed or incomplete."""
        self.item.wire["arguments"] = self.arguments
        done = {"type": "response.function_call_arguments.done"} | self._where
        self._state.send(done | {"name": self.item.wire["name"], "arguments": self.arguments})
        self._end(status)
