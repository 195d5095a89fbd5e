"""One event as a line of JSON, in logs that are saved and in recordings."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from rt_notebook.core.events import Direction, Event, data_left_out

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["EventLine", "encode_data", "encode_event", "encode_json"]

_Finite = Annotated[float, msgspec.Meta(ge=-sys.float_info.max, le=sys.float_info.max)]


class EventLine(msgspec.Struct, omit_defaults=True):
    """The fields of `Event`, in the order of the line. A field that has its default is left out."""

    t_s: _Finite
    direction: Direction
    type: str
    data: dict[str, Any] | None = None
    """None stands for an event that is nothing but its type: the many pieces of audio."""
    audio_samples: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)] = 0
    level_dbfs: _Finite | None = None

    def event(self) -> Event:
        """Return the event that it tells of."""
        data = {"type": self.type} if self.data is None else self.data
        return Event(self.t_s, self.direction, self.type, data, self.audio_samples, self.level_dbfs)


def _plain(value: object) -> object:
    """Make something plain of what JSON does not have: users note what they like."""
    numbers = getattr(value, "tolist", None)
    return numbers() if callable(numbers) else str(value)


_encoder = msgspec.json.Encoder(enc_hook=_plain)
encode_json = _encoder.encode
"""JSON of whatever users note; numbers that it does not have become null."""


def encode_event(event: Event) -> bytes:
    """Return one event as a line, without its line feed."""

    def line(data: dict[str, Any]) -> bytes:
        told = None if data == {"type": event.type} else data
        return encode_json(
            EventLine(event.t_s, event.direction, event.type, told, event.audio_samples, event.level_dbfs)
        )

    return _written(event, line)


def encode_data(event: Event) -> bytes:
    """Return the event's data as JSON."""
    return _written(event, encode_json)


def _written(event: Event, write: Callable[[dict[str, Any]], bytes]) -> bytes:
    """Write the event's data, or why it cannot be written: one event must not end the file."""
    try:
        return write(event.data)
    except (msgspec.MsgspecError, TypeError, ValueError, OverflowError, RecursionError) as error:
        return write(data_left_out(event, type(error).__name__))
