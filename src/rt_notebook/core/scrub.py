"""Take keys and tokens out of events that are about to leave this process."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from msgspec import structs

from rt_notebook.core.events import data_left_out

if TYPE_CHECKING:
    from rt_notebook.core.events import Event

__all__ = ["scrub_text", "scrubbed"]

_SHAPES = re.compile(
    r"\bsk-[A-Za-z0-9_-]{16,}"  # OpenAI's keys
    r"|\bek_[A-Za-z0-9]{16,}"  # and those for browsers
    r"|\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"  # JSON web tokens
    r"|(?i:(?<=bearer )|(?<=api-key: )|(?<=api-key=)|(?<=api_key=))[A-Za-z0-9._~+/-]{12,}=*"
)

_SECRET_FIELDS = frozenset(
    {"api-key", "api_key", "apikey", "authorization", "client_secret", "headers", "password", "x-api-key"}
)
"""Fields whose text is a secret whatever it looks like: a session names remote tools with their keys."""

_MASK = "***"


def scrub_text(text: str) -> str:
    """Return `text` with whatever looks like a key or a token blotted out."""
    return _SHAPES.sub(_MASK, text)


def scrubbed(event: Event) -> Event:
    """Return the event without keys and tokens: the same event if there are none.

    Of one that is nested too deep to be looked through, nothing but its type is left.
    """
    if event.data.keys() <= {"type"}:
        return event  # the many chunks of audio
    try:
        data = _clean(event.data)
        return event if data == event.data else structs.replace(event, data=data)
    except RecursionError:
        return structs.replace(event, data=data_left_out(event, "RecursionError"))


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return scrub_text(value)
    if isinstance(value, dict):
        return {
            (scrub_text(key) if isinstance(key, str) else key): (
                _blot(entry) if isinstance(key, str) and key.lower() in _SECRET_FIELDS else _clean(entry)
            )
            for key, entry in value.items()
        }
    if isinstance(value, list):
        return [_clean(entry) for entry in value]
    return value


def _blot(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _blot(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_blot(entry) for entry in value]
    return _MASK if isinstance(value, str) else value
