"""What two runs of one conversation have in common, whatever their timing: the canonical form of events.

The rules, and why:

1. Deltas of one kind of one content part are one event, at the place of the first: how often, how long and
   how interleaved they come is a matter of time.
2. Transcriptions of the user's speech have no fixed place beside a response's events; they are a line of
   their own for each item.
3. ``rate_limits.updated`` counts only where the recording has it: endpoints send it or not, for no reason
   that a client could see.
4. Ids are named by the order of their first appearance, so that it counts which events share one.
5. ``conversation.item.done`` is sometimes without the ``previous_item_id`` that its ``added`` had, so only
   the latter's counts.
6. Words, numbers of tokens, times and padding are left out; statuses, roles, types and places are kept.
"""

from __future__ import annotations

from typing import Any

__all__ = ["main_line", "missing_fields", "shapes", "transcriptions", "types"]

Json = dict[str, Any]

_TRANSCRIPTION = "conversation.item.input_audio_transcription."
_RATE_LIMITS = "rate_limits.updated"
_IDS = ("item_id", "response_id", "call_id", "conversation_id", "previous_item_id", "id")
_KEPT = ("type", "status", "role", "name", "object", "output_index", "content_index")


def _folded(events: list[Json]) -> list[Json]:
    seen: set[tuple[object, ...]] = set()
    kept = []
    for event in events:
        if event["type"].endswith(".delta"):
            part = (event["type"], event.get("item_id"), event.get("content_index"))
            if part in seen:
                continue
            seen.add(part)
        kept.append(event)
    return kept


def main_line(events: list[Json], *, rate_limits: bool) -> list[Json]:
    """Return the events that have a fixed order: all but transcriptions, deltas folded.

    `rate_limits` tells whether the recording has ``rate_limits.updated``.
    """
    aside = () if rate_limits else (_RATE_LIMITS,)
    return [
        event
        for event in _folded(events)
        if not event["type"].startswith(_TRANSCRIPTION) and event["type"] not in aside
    ]


def transcriptions(events: list[Json]) -> list[list[str]]:
    """Return, for each item of the user in order, the types of its transcription's events."""
    lines: dict[str, list[str]] = {}
    for event in _folded(events):
        if event["type"].startswith(_TRANSCRIPTION):
            lines.setdefault(event["item_id"], []).append(event["type"])
    return list(lines.values())


def types(events: list[Json]) -> list[str]:
    """Return the types, in order."""
    return [event["type"] for event in events]


def shapes(events: list[Json]) -> list[Any]:
    """Return the events with ids named by first appearance, without what depends on words and times."""
    names: dict[str, str] = {}

    def name(value: Any) -> Any:
        return names.setdefault(value, f"#{len(names)}") if isinstance(value, str) else value

    def shape(value: Any) -> Any:
        if isinstance(value, list):
            return [shape(inner) for inner in value]
        if not isinstance(value, dict):
            return value
        kept = {}
        for key in sorted(value):
            if key == "previous_item_id" and value.get("type") == "conversation.item.done":
                continue
            if key in _IDS:
                kept[key] = name(value[key])
            elif key == "modalities":
                kept[key] = sorted(value[key])
            elif key in _KEPT:
                kept[key] = value[key]
            elif key in {"item", "response", "part", "output", "content", "status_details"}:
                kept[key] = shape(value[key])
        return kept

    return [shape(event) for event in events if not event["type"].startswith("session.")]


def missing_fields(recorded: Json, ours: Json, path: str) -> list[str]:
    """Name the fields of a recorded event that ours lacks or has with another JSON type; padding apart."""
    found = []
    for key, value in recorded.items():
        if key == "obfuscation":
            continue
        here = f"{path}.{key}"
        if key not in ours:
            found.append(f"{here}: missing")
        elif value is not None and ours[key] is None:
            found.append(f"{here}: null instead of a value")
        elif isinstance(value, dict) and isinstance(ours[key], dict):
            found += missing_fields(value, ours[key], here)
        elif isinstance(value, list) and isinstance(ours[key], list):
            for each, other in zip(value, ours[key], strict=False):
                if isinstance(each, dict) and isinstance(other, dict):
                    found += missing_fields(each, other, here)
        elif value is not None and _kind(value) != _kind(ours[key]):
            found.append(f"{here}: {_kind(ours[key])} instead of {_kind(value)}")
    return found


def _kind(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return type(value).__name__
    return "number"
