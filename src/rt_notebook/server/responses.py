"""One response in the making: which events go out, in which order, until it is done.

Order: ``response.created``, then for its one item ``output_item.added``, ``conversation.item.added``,
``content_part.added``, deltas of transcript and audio, ``output_audio.done``,
``output_audio_transcript.done``, ``content_part.done``, ``conversation.item.done``, ``output_item.done``,
and ``response.done``.
"""

from __future__ import annotations

from typing import Any

from rt_notebook.core.audio import BYTES_PER_SAMPLE, SAMPLES_PER_MS, pcm_samples
from rt_notebook.core.wire_json import encode_audio
from rt_notebook.server.items import Item

__all__ = ["Response"]

Json = dict[str, Any]

# The first piece is short so that it can be heard early; the others are as long as the vendors' are.
_FIRST_PIECE_MS = 60
_PIECE_MS = 200


class Response:
    """A response and the assistant's message that it writes.

    `aloud` is False for text. `conversation_id` is None for a response outside the conversation.
    """

    def __init__(
        self, response_id: str, item_id: str, settings: Json, instructions: str | None, *, aloud: bool
    ) -> None:
        self.id = response_id
        self.instructions = instructions
        self.aloud = aloud
        self.settings = settings
        self.item = Item({"id": item_id, "type": "message", "status": "in_progress", "role": "assistant"})
        self.item.wire["content"] = []
        self.text = ""
        self.samples = 0
        self.waiting_for: set[str] = set()
        self.reply_requested = False
        self.item_open = False

    @property
    def audio_ms(self) -> int:
        """Speech made so far."""
        return self.samples // SAMPLES_PER_MS

    def object(self, status: str, details: Json | None = None, usage: Json | None = None) -> Json:
        """Return the response object as it stands."""
        output = [self.item_object()] if self.item_open and status != "in_progress" else []
        return {
            "object": "realtime.response",
            "id": self.id,
            "status": status,
            "status_details": details,
            "output": output,
            "usage": usage,
        } | self.settings

    def item_object(self) -> Json:
        """Return the item as it stands; a snapshot, since the item goes on changing."""
        return self.item.wire | {"content": [dict(part) for part in self.item.wire["content"]]}

    def _where(self) -> Json:
        return {"response_id": self.id, "item_id": self.item.id, "output_index": 0, "content_index": 0}

    def _part(self, text: str) -> Json:
        return {"type": "audio", "transcript": text} if self.aloud else {"type": "text", "text": text}

    def open_item(self, previous_item_id: str | None) -> list[Json]:
        """Return the events that announce the item and its one content part."""
        self.item_open = True
        item = self.item_object()
        return [
            {"type": "response.output_item.added", "response_id": self.id, "output_index": 0, "item": item},
            {"type": "conversation.item.added", "previous_item_id": previous_item_id, "item": item},
            {"type": "response.content_part.added"} | self._where() | {"part": self._part("")},
        ]

    def write(self, text: str) -> Json:
        """Return the event for some more text."""
        self.text += text
        kind = "response.output_audio_transcript.delta" if self.aloud else "response.output_text.delta"
        return {"type": kind} | self._where() | {"delta": text}

    def speak(self, pcm: bytes, text_end: int) -> list[Json]:
        """Return the events for some speech, which says the text up to character `text_end`."""
        events = []
        start = 0
        while start < len(pcm):
            piece_ms = _FIRST_PIECE_MS if self.samples == 0 and start == 0 else _PIECE_MS
            piece = pcm[start : start + piece_ms * SAMPLES_PER_MS * BYTES_PER_SAMPLE]
            delta = {"type": "response.output_audio.delta"} | self._where() | {"delta": encode_audio(piece)}
            events.append(delta)
            start += len(piece)
        self.samples += pcm_samples(pcm)
        self.item.spoken.append((self.samples, text_end))
        self.item.audio_ms = self.audio_ms
        return events

    def close_item(self, status: str, previous_item_id: str | None) -> list[Json]:
        """Return the events that end the part and the item, with status completed or incomplete."""
        text = self.text.strip()
        where = self._where()
        kind, key = ("output_audio", "transcript") if self.aloud else ("output_text", "text")
        self.item.wire["status"] = status
        self.item.wire["content"] = [{"type": kind, key: text}]
        self.item.heard_text = text
        item = self.item_object()
        ends: list[Json] = []
        if self.aloud:
            ends.append({"type": "response.output_audio.done"} | where)
            ends.append({"type": "response.output_audio_transcript.done"} | where | {"transcript": text})
        else:
            ends.append({"type": "response.output_text.done"} | where | {"text": text})
        return [
            *ends,
            {"type": "response.content_part.done"} | where | {"part": self._part(text)},
            {"type": "conversation.item.done", "previous_item_id": previous_item_id, "item": item},
            {"type": "response.output_item.done", "response_id": self.id, "output_index": 0, "item": item},
        ]
