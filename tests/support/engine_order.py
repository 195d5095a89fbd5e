"""The laws of order that hold for whatever the engine sends, as one pass over its GA events.

Each response is created once and done once, with all its events in between; at most one writes into the
conversation. Each output item is announced, filled and closed; what its deltas say is what its end says. The
conversation can be rebuilt from the events alone. Turns begin before they end, and time does not run back.
"""

from __future__ import annotations

from typing import Any

__all__ = ["OrderKeeper", "check_order"]

Json = dict[str, Any]

_ENDS = {
    "response.output_text.done": ("response.output_text.delta", "text"),
    "response.output_audio_transcript.done": ("response.output_audio_transcript.delta", "transcript"),
    "response.function_call_arguments.done": ("response.function_call_arguments.delta", "arguments"),
}


class OrderKeeper:
    """Follows the events; every broken law is an assertion."""

    def __init__(self) -> None:
        self.responses: dict[str, Json] = {}
        self.done: set[str] = set()
        self.items: list[str] = []
        self.open_items: dict[str, str] = {}
        self.open_parts: set[str] = set()
        self.said: dict[tuple[str, str], str] = {}
        self.indexes: dict[str, int] = {}
        self.speaking: Json | None = None
        self.time_ms = 0
        self.event_ids: set[str] = set()
        self.listening: Any = None

    @property
    def open(self) -> list[str]:
        """Ids of the responses that are not done."""
        return [id_ for id_ in self.responses if id_ not in self.done]

    def take(self, event: Json) -> None:
        """Follow one event."""
        assert event["event_id"] not in self.event_ids
        if not self.event_ids:
            assert event["type"] == "session.created"
        self.event_ids.add(event["event_id"])
        kind = event["type"]
        if kind.startswith("response."):
            self._response(kind, event)
        elif kind.startswith("conversation.item."):
            self._item(kind, event)
        elif kind.startswith("input_audio_buffer."):
            self._input(kind, event)
        elif kind in {"session.created", "session.updated"}:
            self._settings(event["session"]["audio"]["input"])

    def _response(self, kind: str, event: Json) -> None:
        if kind == "response.created":
            response = event["response"]
            assert response["id"] not in self.responses
            if response["conversation_id"] is not None:
                shared = [id_ for id_ in self.open if self.responses[id_]["conversation_id"] is not None]
                assert shared == [], "two responses write into the conversation"
            self.responses[response["id"]] = response
            self.indexes[response["id"]] = 0
            return
        response_id = event["response"]["id"] if kind == "response.done" else event["response_id"]
        assert response_id in self.open, f"{kind} of a response that is not open"
        if kind == "response.done":
            self._response_done(event["response"])
        elif kind == "response.output_item.added":
            assert event["output_index"] == self.indexes[response_id]
            self.indexes[response_id] += 1
            self.open_items[event["item"]["id"]] = response_id
        elif kind == "response.output_item.done":
            item = event["item"]
            assert self.open_items.pop(item["id"]) == response_id
            assert item["id"] not in self.open_parts
            assert item["status"] in {"completed", "incomplete"}
        else:
            self._inside(kind, event, response_id)

    def _response_done(self, response: Json) -> None:
        assert response["status"] in {"completed", "cancelled", "failed", "incomplete"}
        assert (response["status_details"] is None) == (response["status"] == "completed")
        assert response["id"] not in self.open_items.values(), "an item is left open"
        assert len(response["output"]) == self.indexes[response["id"]]
        self.done.add(response["id"])

    def _inside(self, kind: str, event: Json, response_id: str) -> None:
        item_id = event["item_id"]
        assert self.open_items[item_id] == response_id
        if kind == "response.content_part.added":
            self.open_parts.add(item_id)
        elif kind == "response.content_part.done":
            self.open_parts.remove(item_id)
        elif not kind.startswith("response.function_call"):
            assert item_id in self.open_parts, f"{kind} outside of a part"
        if kind in _ENDS:
            delta, field = _ENDS[kind]
            assert event[field].strip() == self.said.pop((item_id, delta), "").strip()
        elif kind.endswith(".delta") and not kind.startswith("response.output_audio.delta"):
            key = (item_id, kind)
            self.said[key] = self.said.get(key, "") + event["delta"]

    def _item(self, kind: str, event: Json) -> None:
        if kind == "conversation.item.added":
            item_id, before = event["item"]["id"], event["previous_item_id"]
            assert item_id not in self.items
            self.items.insert(0 if before is None else self.items.index(before) + 1, item_id)
        elif "transcription" in kind:
            assert event["item_id"] in self.items, "words of an item that is not there"
        elif kind == "conversation.item.deleted":
            self.items.remove(event["item_id"])
        elif kind in {"conversation.item.done", "conversation.item.retrieved"}:
            assert event["item"]["id"] in self.items
        elif kind == "conversation.item.truncated":
            assert event["item_id"] in self.items

    def _settings(self, audio_input: Json) -> None:
        detection = audio_input["turn_detection"]
        listening = (audio_input["format"], None if detection is None else detection["type"])
        if listening != self.listening:
            self.speaking = None  # a turn does not outlive a change of how it is heard
        self.listening = listening

    def _input(self, kind: str, event: Json) -> None:
        if kind == "input_audio_buffer.speech_started":
            assert self.speaking is None
            assert event["audio_start_ms"] >= self.time_ms
            self.speaking, self.time_ms = event, event["audio_start_ms"]
        elif kind == "input_audio_buffer.speech_stopped":
            assert self.speaking is not None
            assert event["item_id"] == self.speaking["item_id"]
            assert event["audio_end_ms"] > self.time_ms
            self.speaking, self.time_ms = None, event["audio_end_ms"]
        elif kind in {"input_audio_buffer.committed", "input_audio_buffer.cleared"}:
            self.speaking = None


def check_order(events: list[Json]) -> OrderKeeper:
    """Check all events of a session."""
    keeper = OrderKeeper()
    for event in events:
        keeper.take(event)
    return keeper
