"""The client's requests about items: create, retrieve, delete, truncate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rt_notebook.core.wire_json import encode_audio
from rt_notebook.server.engine.item_check import checked_item
from rt_notebook.server.engine.refusal import BadRequest, required, whole_at

if TYPE_CHECKING:
    from collections.abc import Callable

    from rt_notebook.server.engine.items import Item
    from rt_notebook.server.engine.state import SessionState

__all__ = ["ItemRequests"]

Json = dict[str, Any]


class ItemRequests:
    """Carry out requests on the conversation and send what answers them.

    Parameters
    ----------
    state
        The session.
    write_down
        Asks for the words of an item that holds speech.
    """

    def __init__(self, state: SessionState, write_down: Callable[[Item], None]) -> None:
        self._state = state
        self._write_down = write_down

    def announce(self, item: Item, previous_item_id: str | None) -> None:
        """Send the events that tell of a new item."""
        for kind in ("conversation.item.added", "conversation.item.done"):
            self._state.send({"type": kind, "previous_item_id": previous_item_id, "item": item.snapshot()})

    def create(self, event: Json) -> None:
        """Add an item at the end or where the client wants it."""
        state = self._state
        given = required(event, "item", "item")
        item = checked_item(given, state.new_id, state.conversation.items, state.input_format)
        previous = state.conversation.add(item, event.get("previous_item_id"))
        self.announce(item, previous)
        if item.audio:
            self._write_down(item)

    def _found(self, event: Json, action: str) -> Item:
        item_id = required(event, "item_id", "item_id")
        item = self._state.conversation.find(item_id)
        if item is None:
            raise BadRequest(
                f"item_{action}_invalid_item_id",
                f"Error: there is no item with id '{item_id}' to {action}.",
                "item_id",
            )
        return item

    def retrieve(self, event: Json) -> None:
        """Show an item, with its audio: no other event holds that."""
        item = self._found(event, "retrieve")
        shown = item.snapshot()
        for part in shown.get("content", []):
            if item.audio and part["type"] in {"input_audio", "output_audio"}:
                part["audio"] = encode_audio(item.audio)
        self._state.send({"type": "conversation.item.retrieved", "item": shown})

    def delete(self, event: Json) -> None:
        """Forget an item."""
        item = self._found(event, "delete")
        self._state.conversation.items.remove(item)
        self._state.send({"type": "conversation.item.deleted", "item_id": item.id})

    def truncate(self, event: Json) -> None:
        """Cut an assistant's speech at what was heard."""
        item = self._found(event, "truncate")
        content_index = whole_at(required(event, "content_index", "content_index"), "content_index")
        end_ms = whole_at(required(event, "audio_end_ms", "audio_end_ms"), "audio_end_ms")
        if not item.spoken:
            raise BadRequest(
                "unsupported_content_type", "Only model output audio messages can be truncated.", "item_id"
            )
        if content_index != 0:
            raise BadRequest("invalid_value", "The item has no such content part.", "content_index")
        if end_ms > item.audio_ms:
            raise BadRequest(
                "invalid_value",
                f"Audio content of {item.audio_ms}ms is already shorter than {end_ms}ms",
                "audio_end_ms",
            )
        item.truncate(end_ms)
        self._state.send(
            {
                "type": "conversation.item.truncated",
                "item_id": item.id,
                "content_index": content_index,
                "audio_end_ms": end_ms,
            }
        )
