"""The append-only log of everything that happened in a session."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, overload

from rt_notebook.core.events import Event
from rt_notebook.log.html import log_html
from rt_notebook.log.latency import latency_table
from rt_notebook.log.table import events_table
from rt_notebook.log.transcript import transcript_table
from rt_notebook.log.turns import Turn, fold_turns, turns_table

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["EventLog"]


class EventLog(Sequence[Event]):
    """Everything that happened, in order. The session is its only writer.

    It is a sequence of `Event`; transcripts, turns, latencies and plots are folds over it. Reading is safe
    from any thread while the session writes: events are frozen and are only ever added at the end.

    Examples
    --------
    >>> session.log.to_pandas()          # one row an event
    >>> session.log.turns()              # one row a turn, with its timings
    >>> session.log.latency()            # where the time of each turn went
    >>> session.log.transcript()         # who said what, and what of it was heard
    >>> session.log[-1].type
    """

    def __init__(self, events: Sequence[Event] = ()) -> None:
        self._events: list[Event] = list(events)

    def append(self, event: Event) -> None:
        """Add one event at the end. Only the session that owns the log calls this."""
        self._events.append(event)

    def __len__(self) -> int:
        return len(self._events)

    @overload
    def __getitem__(self, index: int) -> Event: ...
    @overload
    def __getitem__(self, index: slice) -> EventLog: ...
    def __getitem__(self, index: int | slice) -> Event | EventLog:
        if isinstance(index, slice):
            return EventLog(self._events[index])
        return self._events[index]

    def __iter__(self) -> Iterator[Event]:
        return iter(self._events[:])

    def to_pandas(self) -> pd.DataFrame:
        """One row an event; the columns are described in `rt_notebook.log.table.events_table`.

        The frame is a copy: writing into it does not change the log.
        """
        return events_table(self._events[:])

    def fold_turns(self) -> list[Turn]:
        """Return the turns as objects, in the order of the conversation."""
        return fold_turns(self._events[:])

    def turns(self) -> pd.DataFrame:
        """One row a turn with its words and timings.

        The columns are the fields of `rt_notebook.log.turns.Turn`.
        """
        return turns_table(self.fold_turns())

    def latency(self) -> pd.DataFrame:
        """One row a turn: the parts of its latency, in milliseconds, and their total.

        The columns are the fields of `rt_notebook.log.latency.Latency`.
        """
        return latency_table(self.fold_turns())

    def transcript(self) -> pd.DataFrame:
        """One row for each thing said; the columns are described in `rt_notebook.log.transcript`."""
        return transcript_table(self.fold_turns())

    def __repr__(self) -> str:
        end_s = self._events[-1].t_s if self._events else 0.0
        return f"<EventLog: {len(self)} events, {end_s:.1f} s>"

    def _repr_html_(self) -> str:
        return log_html(self._events[:])
