"""The conversation as a new connection is told it: text items, the assistant's as far as they were heard."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rt_notebook.core.audio import SAMPLES_PER_MS
from rt_notebook.log.fields import as_dict, as_text
from rt_notebook.log.heard import words_heard
from rt_notebook.log.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rt_notebook.core.events import Event
    from rt_notebook.log.records import Item

__all__ = ["History", "fold_history"]

Json = dict[str, Any]

LONGEST_ID_CHARS = 32


@dataclass(frozen=True, slots=True)
class History:
    """What can be told again.

    Attributes
    ----------
    items
        Conversation items, ready for ``conversation.item.create``. They keep their ids, so that they are
        the same items in the log.
    left_out
        One sentence for each kind of thing that cannot be told again.
    """

    items: list[Json]
    left_out: list[str]


def fold_history(events: Iterable[Event]) -> History:
    """Fold events into the conversation as it stands, in its order."""
    events = list(events)
    ledger = Ledger(events)
    calls = _calls(events)
    answered = {call["call_id"] for call in calls.values() if call["type"] == "function_call_output"}
    items: list[Json] = []
    wordless, open_calls, cut = 0, 0, 0
    order = ledger.order + [item_id for item_id in ledger.items if item_id not in set(ledger.order)]
    for item_id in order:
        item = ledger.items[item_id]
        if item.deleted:
            continue
        if item.type in {"function_call", "function_call_output"}:
            payload = calls.get(item_id)
            if payload is not None and payload["call_id"] in answered:
                items.append(payload)
            elif item.type == "function_call":
                open_calls += 1
        elif item.type == "message" and item.role in {"user", "assistant", "system"}:
            text = _heard(item) if item.role == "assistant" else item.text
            if text:
                items.append(_message(item, text))
                cut += item.role == "assistant" and text != item.text
            elif item.role == "user" and item.spoken and item.placed:
                wordless += 1
            elif item.role == "assistant" and item.text:
                cut += 1
    left_out = []
    if any(item.spoken or item.deltas for item in ledger.items.values()):
        left_out.append("the sound of what was said: only its words")
    for count, what in (
        (wordless, "spoken items of which no words are known"),
        (cut, "the rest of answers that were not heard to their end"),
        (open_calls, "function calls without an output"),
    ):
        if count:
            left_out.append(f"{what} ({count})")
    return History(items, left_out)


def _message(item: Item, text: str) -> Json:
    kind = "output_text" if item.role == "assistant" else "input_text"
    known = {"id": item.id} if len(item.id) <= LONGEST_ID_CHARS else {}
    return known | {"type": "message", "role": item.role, "content": [{"type": kind, "text": text}]}


def _heard(item: Item) -> str | None:
    """Return the words that left the speaker. Without one, nobody tells, and all of them count."""
    text = item.text
    if text is None or not item.deltas:
        return text
    audio_ms = item.audio_samples / SAMPLES_PER_MS
    ends_ms = [audio_ms]
    if item.played_samples is not None and item.cut_short:
        ends_ms.append(item.played_samples / SAMPLES_PER_MS)
    if item.truncated_ms is not None:
        ends_ms.append(item.truncated_ms)
    return words_heard(text, min(ends_ms), audio_ms)


def _calls(events: Sequence[Event]) -> dict[str, Json]:
    """Return function calls and their outputs, ready to be told again, by item id."""
    found: dict[str, Json] = {}
    for event in events:
        payload = as_dict(event.data.get("item"))
        item_id, call_id = event.item_id, as_text(payload.get("call_id"))
        if item_id is None or call_id is None:
            continue
        known: Json = {"id": item_id} if len(item_id) <= LONGEST_ID_CHARS else {}
        if payload.get("type") == "function_call" and as_text(payload.get("arguments")):
            names = {key: payload.get(key) for key in ("name", "arguments")}
            found[item_id] = known | {"type": "function_call", "call_id": call_id} | names
        elif payload.get("type") == "function_call_output" and as_text(payload.get("output")) is not None:
            output = {"call_id": call_id, "output": payload["output"]}
            found[item_id] = known | {"type": "function_call_output"} | output
    return found
