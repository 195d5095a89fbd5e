"""The client's requests about items: create, retrieve, delete, truncate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rt_notebook.server.items import Conversation, Item, text_of
from rt_notebook.server.settings import BadRequest

if TYPE_CHECKING:
    from collections.abc import Callable

    from rt_notebook.server.ids import IdMaker

__all__ = ["ItemRequests"]

Json = dict[str, Any]


class ItemRequests:
    """Carry out requests on a conversation and send what answers them."""

    def __init__(self, conversation: Conversation, new_id: IdMaker, send: Callable[[Json], None]) -> None:
        self._conversation = conversation
        self._new_id = new_id
        self._send = send

    def announce(self, item: Item, previous_item_id: str | None) -> None:
        """Send the events that tell of a new item."""
        for kind in ("conversation.item.added", "conversation.item.done"):
            snapshot = item.wire | {"content": [dict(part) for part in item.wire.get("content", [])]}
            if "content" not in item.wire:
                del snapshot["content"]
            self._send({"type": kind, "previous_item_id": previous_item_id, "item": snapshot})

    def create(self, event: Json) -> None:
        """Add an item at the end or where the client wants it."""
        given = event.get("item")
        if not isinstance(given, dict) or not isinstance(given.get("type"), str):
            raise BadRequest("missing_required_parameter", "Missing required parameter: 'item.type'.", "item")
        wire = {"id": self._new_id("item"), "status": "completed"} | given
        if not isinstance(wire["id"], str) or not wire["id"]:
            raise BadRequest("invalid_value", "An item's id is a string.", "item.id")
        if given["type"] == "message":
            if given.get("role") not in {"user", "assistant", "system"}:
                raise BadRequest("invalid_value", "Unknown role.", "item.role")
            if not isinstance(given.get("content"), list):
                raise BadRequest("invalid_type", "content must be a list.", "item.content")
            if not all(isinstance(part, dict) for part in given["content"]):
                raise BadRequest("invalid_type", "content parts must be objects.", "item.content")
        item = Item(wire, heard_text=text_of(wire.get("content")))
        previous = self._conversation.add(item, event.get("previous_item_id"))
        self.announce(item, previous)

    def _found(self, event: Json, action: str) -> Item:
        item = self._conversation.find(event.get("item_id"))
        if item is None:
            raise BadRequest(
                f"item_{action}_invalid_item_id",
                f"Item {event.get('item_id')!r} cannot be {action}d: there is no such item.",
                "item_id",
            )
        return item

    def retrieve(self, event: Json) -> None:
        """Show an item."""
        self._send({"type": "conversation.item.retrieved", "item": self._found(event, "retrieve").wire})

    def delete(self, event: Json) -> None:
        """Forget an item."""
        item = self._found(event, "delete")
        self._conversation.items.remove(item)
        self._send({"type": "conversation.item.deleted", "item_id": item.id})

    def truncate(self, event: Json) -> None:
        """Cut an assistant's speech at what was heard."""
        item = self._found(event, "truncate")
        end_ms = event.get("audio_end_ms")
        if isinstance(end_ms, bool) or not isinstance(end_ms, int) or end_ms < 0:
            raise BadRequest("invalid_value", "audio_end_ms must be a whole number.", "audio_end_ms")
        if not item.spoken:
            raise BadRequest(
                "unsupported_content_type", "Only model output audio messages can be truncated.", "item_id"
            )
        if end_ms > item.audio_ms:
            raise BadRequest(
                "invalid_value", f"Audio content of {item.audio_ms}ms is already shorter than {end_ms}ms."
            )
        item.truncate(end_ms)
        self._send(
            {
                "type": "conversation.item.truncated",
                "item_id": item.id,
                "content_index": event.get("content_index", 0),
                "audio_end_ms": end_ms,
            }
        )
