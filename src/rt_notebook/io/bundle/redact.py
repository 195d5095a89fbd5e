"""Take the words out of events and leave times and structure.

What is kept is named here; anything else that is text is replaced, also in events that nobody knows yet.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from msgspec import structs

from rt_notebook.core.events import data_left_out

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rt_notebook.core.events import Event

__all__ = ["redacted", "redacted_event"]

_KEPT = frozenset(
    {
        "by",
        "call_id",
        "cause",
        "client",
        "client_id",
        "code",
        "conversation_id",
        "detail",
        "dialect",
        "direction",
        "eagerness",
        "endpoint",
        "event_id",
        "format",
        "id",
        "ignored",
        "input_audio_format",
        "interrupted",
        "item_id",
        "limit",
        "modalities",
        "model",
        "object",
        "output_audio_format",
        "output_modalities",
        "param",
        "phase",
        "previous_item_id",
        "reason",
        "response_id",
        "restored_items",
        "role",
        "state",
        "status",
        "tool_choice",
        "type",
        "voice",
        "where",
    }
)
"""Fields whose text is a name out of the API's vocabulary or an id."""

_EMPTIED = frozenset({"bytes", "include", "logprobs", "metadata", "parameters", "tools", "top_logprobs"})
"""Fields that hold words in another form: as numbers, as names of fields."""

_NAME = re.compile(r"[A-Za-z0-9_.:/-]{1,128}", re.ASCII)
_ENVELOPE = re.compile(r"[0-9a-f]*", re.ASCII)
_FIELD = re.compile(r"[A-Za-z0-9_.-]{1,64}", re.ASCII)
_FILLER = "redacted "
_LONGEST = 4096
"""Longer placeholders would say nothing but how large a picture or a recording was."""


def redacted(events: Iterable[Event]) -> list[Event]:
    """Return the events without words: every text is replaced by a placeholder of the same length."""
    return [redacted_event(event) for event in events]


def redacted_event(event: Event) -> Event:
    """Return one event without words; see `redacted`."""
    if event.data == {"type": event.type}:
        return event  # the many pieces of audio
    try:
        return structs.replace(event, data=_fields(event.data))
    except RecursionError:
        return structs.replace(event, data=data_left_out(event, "RecursionError"))


def _fields(fields: dict[str, Any]) -> dict[str, Any]:
    # Notes of users have names that are no text, too: they are written as text.
    named = ((str(name), value) for name, value in fields.items())
    return {
        name if _FIELD.fullmatch(name) else placeholder(name): _value(name, value) for name, value in named
    }


def _value(name: str, value: Any) -> Any:
    if name in _EMPTIED and isinstance(value, dict | list):
        return type(value)()
    if isinstance(value, dict):
        return _fields(value)
    if isinstance(value, list | tuple):
        # A number alone in a list could be a letter; numbers that matter have a name.
        return [_value(name, entry) for entry in value if isinstance(entry, str | dict | list | tuple)]
    if not isinstance(value, str) or (name in _KEPT and _NAME.fullmatch(value)):
        return value
    # How loud each 5 ms were: latencies are measured by it; it says when somebody spoke, and no word.
    levels = name == "envelope" and _ENVELOPE.fullmatch(value)
    return value if levels else placeholder(value)


def placeholder(text: str) -> str:
    """Return something as long that says nothing, not even how long the words are."""
    length = min(len(text), _LONGEST)
    return (_FILLER * (length // len(_FILLER) + 1))[:length]
