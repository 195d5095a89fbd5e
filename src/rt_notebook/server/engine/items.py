"""The items of a conversation, and what of them the reply component gets to read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rt_notebook.core.audio import ms_to_samples
from rt_notebook.server.engine.effects import FunctionCall, Message
from rt_notebook.server.engine.refusal import BadRequest

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Conversation", "Item", "messages_of"]

Json = dict[str, Any]

_KEPT_AUDIO_BYTES = 32 * 1024 * 1024
"""Audio that a conversation keeps for ``conversation.item.retrieve``: over ten minutes of PCM."""

_MOST_ITEMS = 4096
_KEPT_CHARS = 4_000_000
"""What a conversation holds: days of talk. Without an end, a client that adds items could fill the memory."""


@dataclass(slots=True)
class Item:
    """One item: its wire form, and beside it what the wire form does not hold.

    Parameters
    ----------
    wire
        The item as it is sent, in GA form, without its audio.
    untranscribed
        The user's speech, not yet written down: a reply has to wait for it.
    heard_text
        What a language model reads: the words of the user, or as much of the assistant's as was heard.
    audio
        The audio as it came or went over the wire; dropped when a conversation gets too long.
    bytes_per_ms
        How much of `audio` lasts a millisecond.
    audio_ms
        Length of the audio, which is known longer than the audio is kept.
    heard
        The user's speech as PCM16 at 24 kHz, for repliers that listen themselves.
    spoken
        For speech of the assistant: (samples so far at 24 kHz, characters so far) after each sentence.
    chars
        Text that it came with, once it is part of a conversation.
    """

    wire: Json
    untranscribed: bool = False
    heard_text: str = ""
    audio: bytes = b""
    bytes_per_ms: int = 48
    audio_ms: int = 0
    heard: bytes = b""
    spoken: list[tuple[int, int]] = field(default_factory=list)
    chars: int = 0

    @property
    def id(self) -> str:
        """The item's id."""
        return str(self.wire["id"])

    def snapshot(self) -> Json:
        """Return the wire form as it stands; the item goes on changing."""
        if "content" not in self.wire:
            return dict(self.wire)
        return self.wire | {"content": [dict(part) for part in self.wire["content"]]}

    @property
    def audio_bytes(self) -> int:
        """How much audio it keeps. Where the wire carries PCM at 24 kHz, `heard` is `audio` itself."""
        return len(self.audio) + (0 if self.heard is self.audio else len(self.heard))

    def truncate(self, audio_end_ms: int) -> None:
        """Forget what comes after `audio_end_ms` of the assistant's speech; words are cut in proportion."""
        end_samples = ms_to_samples(audio_end_ms)
        before_samples = before_chars = 0
        for samples, chars in self.spoken:
            if samples > end_samples:
                share = (end_samples - before_samples) / max(1, samples - before_samples)
                cut = before_chars + int((chars - before_chars) * share)
                self.heard_text = self.heard_text[:cut].rsplit(" ", 1)[0] if cut else ""
                break
            before_samples, before_chars = samples, chars
        self.audio = self.audio[: audio_end_ms * self.bytes_per_ms]
        self.audio_ms = min(self.audio_ms, audio_end_ms)
        for part in self.wire.get("content", []):
            part.pop("transcript", None)

    def message(self) -> Message | None:
        """Return the item as a language model reads it; None for one without words."""
        wire = self.wire
        match wire.get("type"):
            case "message" if self.heard_text:
                return Message(wire["role"], self.heard_text)
            case "function_call":
                call = FunctionCall(wire["call_id"], wire["name"], wire["arguments"])
                return Message("assistant", "", call=call)
            case "function_call_output":
                return Message("tool", wire["output"], call_id=wire["call_id"])
        return None


def messages_of(items: Iterable[Item], instructions: str | None) -> list[Message]:
    """Return items as a language model reads them, after the instructions."""
    start = [Message("system", instructions)] if instructions else []
    return start + [message for item in items if (message := item.message()) is not None]


class Conversation:
    """The items in order."""

    def __init__(self) -> None:
        self.items: list[Item] = []

    def find(self, item_id: object) -> Item | None:
        """Return the item with this id."""
        return next((item for item in self.items if item.id == item_id), None)

    def before(self, item: Item) -> str | None:
        """Id of the item before this one."""
        at = self.items.index(item) if item in self.items else 0
        return self.items[at - 1].id if at else None

    def add(self, item: Item, previous_item_id: object = None) -> str | None:
        """Insert an item and return the id of the one before it.

        `previous_item_id` None puts it at the end, ``"root"`` at the start.
        """
        if self.find(item.id) is not None:
            raise BadRequest("invalid_value", f"Item {item.id!r} already exists.", "item.id")
        if previous_item_id is None:
            position = len(self.items)
        elif previous_item_id == "root":
            position = 0
        else:
            before = self.find(previous_item_id)
            if before is None:
                raise BadRequest(
                    "invalid_value", f"Previous item {previous_item_id!r} does not exist.", "previous_item_id"
                )
            position = self.items.index(before) + 1
        parts = [item.wire, *item.wire.get("content", ())]
        item.chars = sum(len(text) for part in parts for text in part.values() if isinstance(text, str))
        self.items.insert(position, item)
        self.forget_old_audio()
        previous = self.items[position - 1].id if position else None
        self._forget_old_items(item)
        return previous

    def _forget_old_items(self, newest: Item) -> None:
        """Drop the oldest items until what is kept is within bounds; the one that just came stays."""
        chars = sum(item.chars for item in self.items)
        while len(self.items) > _MOST_ITEMS or (chars > _KEPT_CHARS and len(self.items) > 1):
            oldest = self.items[0] if self.items[0] is not newest else self.items[1]
            chars -= oldest.chars
            self.items.remove(oldest)

    def forget_old_audio(self) -> None:
        """Drop the oldest audio until what is kept is within bounds."""
        kept_bytes = sum(item.audio_bytes for item in self.items)
        for item in self.items:
            if kept_bytes <= _KEPT_AUDIO_BYTES:
                return
            kept_bytes -= item.audio_bytes
            item.audio = item.heard = b""
