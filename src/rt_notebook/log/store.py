"""The columns in which a log holds its events: append-only, with one writer."""

from __future__ import annotations

import math
from array import array
from typing import TYPE_CHECKING, Any

from rt_notebook.core.events import Event

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rt_notebook.core.events import Direction

__all__ = ["EventStore"]

_BLOCK = 1024


class EventStore:
    """Events by columns: 30 bytes an event beside its payload, where an object takes 150.

    One thread appends. Any number may read meanwhile without a lock: a row is counted when it is complete,
    and rows never change. Positions that readers give must be below the length that they have seen.
    """

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self.t_s = array("d")
        self.level_dbfs = array("d")
        self.audio_samples = array("q")
        self.kinds = array("i")
        """Place of each event's direction and type in `kind_names`."""
        self.kind_names: list[tuple[Direction, str]] = []
        self.data: list[dict[str, Any]] = []
        self._kind_of: dict[tuple[Direction, str], int] = {}
        for event in events:
            self.append(event)

    def __len__(self) -> int:
        return len(self.data)

    def append(self, event: Event) -> None:
        """Add one event at the end."""
        name = (event.direction, event.type)
        kind = self._kind_of.get(name)
        if kind is None:
            kind = self._kind_of[name] = len(self.kind_names)
            self.kind_names.append(name)
        self.t_s.append(event.t_s)
        self.level_dbfs.append(math.nan if event.level_dbfs is None else event.level_dbfs)
        self.audio_samples.append(event.audio_samples)
        self.kinds.append(kind)
        self.data.append(event.data)  # last: this is what counts

    def event(self, index: int) -> Event:
        """Return one event."""
        direction, type_ = self.kind_names[self.kinds[index]]
        level = self.level_dbfs[index]
        return Event(
            self.t_s[index],
            direction,
            type_,
            self.data[index],
            self.audio_samples[index],
            None if math.isnan(level) else level,
        )

    def events(self, start: int, stop: int) -> Iterator[Event]:
        """Iterate over the events from `start` to before `stop`."""
        for begin in range(start, stop, _BLOCK):
            end = min(stop, begin + _BLOCK)
            rows = zip(
                self.t_s[begin:end],
                self.kinds[begin:end],
                self.data[begin:end],
                self.audio_samples[begin:end],
                self.level_dbfs[begin:end],
                strict=True,
            )
            for t_s, kind, data, samples, level in rows:
                direction, type_ = self.kind_names[kind]
                yield Event(t_s, direction, type_, data, samples, None if level != level else level)  # noqa: PLR0124 - NaN
