"""The rows that the playground shows, folded from events one by one. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rt_notebook.core.audio import samples_to_ms

if TYPE_CHECKING:
    from rt_notebook.core.events import Event

__all__ = ["EventRows", "TranscriptRows"]

Row = dict[str, Any]

_ASSISTANT_DELTAS = {"response.output_audio_transcript.delta", "response.output_text.delta"}
_ASSISTANT_DONE = {"response.output_audio_transcript.done", "response.output_text.done"}
_WRITTEN = "conversation.item.input_audio_transcription."


class TranscriptRows:
    """What both sides said: one row an item, in the order in which the items began.

    A row's `state` is ``"waiting"`` (nothing to read yet), ``"partial"``, ``"final"``, ``"cut"`` (the
    assistant was interrupted; `heard_ms` says after how long) or ``"failed"``.
    """

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        self._changed: dict[str, None] = {}

    def take_changed(self) -> list[Row]:
        """Return the rows that are new or changed since the last call."""
        changed = [dict(self.rows[item_id]) for item_id in self._changed]
        self._changed.clear()
        return changed

    def add(self, event: Event) -> None:
        """Take the next event."""
        item_id = event.item_id
        if event.direction != "received" or item_id is None:
            return
        kind, data = event.type, event.data
        if kind == "input_audio_buffer.speech_started":
            self._row(item_id, event, role="user")
        elif kind == "conversation.item.added":
            self._typed(item_id, event)
        elif kind == "response.output_item.added" and data.get("item", {}).get("type") == "message":
            self._row(item_id, event, role="assistant")
        elif kind in _ASSISTANT_DELTAS or kind == _WRITTEN + "delta":
            row = self._row(item_id, event, role="user" if kind.startswith(_WRITTEN) else "assistant")
            row["text"] += str(data.get("delta", ""))
            if row["state"] == "waiting":
                row["state"] = "partial"
        elif kind in _ASSISTANT_DONE:
            self._finish(self._row(item_id, event, role="assistant"), event.text)
        elif kind == _WRITTEN + "completed":
            self._finish(self._row(item_id, event, role="user"), event.text)
        elif kind == _WRITTEN + "failed":
            self._row(item_id, event, role="user")["state"] = "failed"
        elif kind == "conversation.item.truncated":
            row = self._row(item_id, event, role="assistant")
            row["state"], row["heard_ms"] = "cut", data.get("audio_end_ms")

    def _row(self, item_id: str, event: Event, role: str) -> Row:
        row = self.rows.get(item_id)
        if row is None:
            row = {
                "item_id": item_id,
                "role": role,
                "text": "",
                "state": "waiting",
                "time_s": event.t_s,
                "heard_ms": None,
            }
            self.rows[item_id] = row
        self._changed[item_id] = None
        return row

    def _finish(self, row: Row, text: str | None) -> None:
        row["text"] = (text or "").strip()
        if row["state"] != "cut":
            row["state"] = "final" if row["text"] else "failed"

    def _typed(self, item_id: str, event: Event) -> None:
        item = event.data.get("item", {})
        texts = [part.get("text") for part in item.get("content") or () if part.get("type") == "input_text"]
        if item.get("type") == "message" and item.get("role") in {"user", "system"} and texts:
            self._finish(self._row(item_id, event, role=item["role"]), " ".join(filter(None, texts)))


class EventRows:
    """Every event in short, repeats grouped: one row for a run of equal types."""

    def __init__(self) -> None:
        self._last: Row | None = None
        self._changed: dict[int, Row] = {}
        self._next_id = 0

    def take_changed(self) -> list[Row]:
        """Return the rows that are new or changed since the last call."""
        changed = [dict(row) for row in self._changed.values()]
        self._changed.clear()
        return changed

    def add(self, event: Event) -> None:
        """Take the next event."""
        last = self._last
        if last is None or (last["type"], last["direction"]) != (event.type, event.direction):
            last = {
                "id": self._next_id,
                "t_s": round(event.t_s, 3),
                "direction": event.direction,
                "type": event.type,
                "text": "",
                "audio_ms": 0.0,
                "count": 0,
            }
            self._next_id += 1
            self._last = last
        last["count"] += 1
        last["audio_ms"] += event.audio_ms
        last["text"] = (last["text"] + (_in_short(event) or ""))[:200]
        self._changed[last["id"]] = last


def _in_short(event: Event) -> str | None:
    """Return what an event says; of a report of the speaker, how much has been heard."""
    if event.type == "local.playback":
        return f"{event.data.get('state')}, {samples_to_ms(event.data.get('played_samples', 0))} ms heard"
    if event.type == "conversation.item.truncate":
        return f"cut at {event.data.get('audio_end_ms')} ms"
    return event.text or event.data.get("reason")
