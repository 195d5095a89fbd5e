"""The items of a conversation, and what of them the reply component gets to read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from rt_notebook.core.audio import ms_to_samples
from rt_notebook.server.effects import Message
from rt_notebook.server.settings import BadRequest

__all__ = ["Conversation", "Item"]

Json = dict[str, Any]


@dataclass(slots=True)
class Item:
    """One item: its wire form, and beside it what the wire form does not hold.

    Parameters
    ----------
    wire
        The item as it is sent, in GA form.
    untranscribed
        The user's speech, not yet written down: a reply has to wait for it.
    heard_text
        What a language model reads: the words of the user, or as much of the assistant's as was heard.
    spoken
        For speech of the assistant: (samples so far, characters so far) after each sentence.
    """

    wire: Json
    untranscribed: bool = False
    heard_text: str = ""
    audio_ms: int = 0
    spoken: list[tuple[int, int]] = field(default_factory=list)

    @property
    def id(self) -> str:
        """The item's id."""
        return str(self.wire["id"])

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
        for part in self.wire.get("content", []):
            part.pop("transcript", None)


class Conversation:
    """The items in order."""

    def __init__(self) -> None:
        self.items: list[Item] = []

    def find(self, item_id: object) -> Item | None:
        """Return the item with this id."""
        return next((item for item in self.items if item.id == item_id), None)

    @property
    def last_id(self) -> str | None:
        """Id of the last item."""
        return self.items[-1].id if self.items else None

    def add(self, item: Item, previous_item_id: str | None = None) -> str | None:
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
        self.items.insert(position, item)
        return self.items[position - 1].id if position else None

    def untranscribed(self) -> set[str]:
        """Ids of the items that are not yet written down."""
        return {item.id for item in self.items if item.untranscribed}

    def messages(self, instructions: str | None) -> list[Message]:
        """Return the conversation as a language model reads it."""
        messages = [Message("system", instructions)] if instructions else []
        for item in self.items:
            role = item.wire.get("role")
            if item.wire.get("type") == "message" and isinstance(role, str) and item.heard_text:
                messages.append(Message(role, item.heard_text))
        return messages


def text_of(content: object) -> str:
    """Return the words in a message's content parts."""
    if not isinstance(content, list):
        return ""
    words = [part.get("text") or part.get("transcript") for part in content if isinstance(part, dict)]
    return " ".join(word for word in words if isinstance(word, str))
