"""The append-only log of everything that happened in a session."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, overload

from rt_notebook.core.events import Event
from rt_notebook.log.explain import Explanation, explain_of
from rt_notebook.log.files import read_jsonl, read_parquet, write_jsonl, write_parquet
from rt_notebook.log.glitches import glitches_of, glitches_table
from rt_notebook.log.html import log_html
from rt_notebook.log.kept import Kept
from rt_notebook.log.latency import latency_of, latency_table
from rt_notebook.log.reported_errors import errors_of, errors_table
from rt_notebook.log.store import EventStore
from rt_notebook.log.table import EventTable
from rt_notebook.log.transcript import transcript_table
from rt_notebook.log.turns import Turn, Turns, turns_table
from rt_notebook.log.usage import forecast, frame_of_forecast, usage_of, usage_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    import pandas as pd

__all__ = ["EventLog"]


class EventLog(Sequence[Event]):
    """Everything that happened, in order. The session is its only writer.

    It is a sequence of `Event`; transcripts, turns, latencies and plots are folds over it. Reading is safe
    from any thread while the session writes: events are only ever added at the end, and what the log hands
    out never changes it.

    Examples
    --------
    >>> session.log.to_pandas()          # one row an event
    >>> session.log.to_pandas("error")   # of one type
    >>> session.log.turns()              # one row a turn, with its timings
    >>> session.log.latency()            # where the time of each turn went
    >>> session.log.transcript()         # who said what, and what of it was heard
    >>> session.log.explain()            # why it is silent
    >>> session.log[-1].type
    """

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self._store = EventStore(events)
        self._tables: dict[str | None, Kept[EventTable]] = {}
        self._turns = Kept(Turns)

    def append(self, event: Event) -> None:
        """Add one event at the end. Only the session that owns the log calls this."""
        self._store.append(event)

    def __len__(self) -> int:
        return len(self._store)

    @overload
    def __getitem__(self, index: int) -> Event: ...
    @overload
    def __getitem__(self, index: slice) -> EventLog: ...
    def __getitem__(self, index: int | slice) -> Event | EventLog:
        if isinstance(index, slice):
            return EventLog(map(self._store.event, range(*index.indices(len(self)))))
        return self._store.event(range(len(self))[index])

    def __iter__(self) -> Iterator[Event]:
        return self._store.events(0, len(self))

    def to_pandas(self, type_: str | None = None) -> pd.DataFrame:
        """One row an event; the columns are described in `rt_notebook.log.table.events_table`.

        Writing into the frame does not change the log. It is cheap enough to be called after every turn.

        Parameters
        ----------
        type_
            Only the events of this type, such as ``"response.done"``: what a comparison with the column
            ``type`` picks out, numbered from 0. The log keeps such a table from the first call on, so that
            the next ones cost nothing, however frequent the type.
        """
        kept = self._tables.get(type_) or self._tables.setdefault(type_, Kept(partial(EventTable, type_)))
        with kept.current(self._store) as table:
            return table.frame()

    # -- files ----------------------------------------------------------------------------------------

    def to_jsonl(self, path: str | Path) -> Path:
        """Write the events as JSON lines, with the schema's version on the first; return the path.

        Keys and tokens are blotted out, numbers that JSON does not have become null. A file that is there
        is replaced; nobody else may read the new one (mode 0600).

        Raises
        ------
        LogFileError
            No file can be made at `path`.
        """
        return write_jsonl(self, path)

    @classmethod
    def from_jsonl(cls, path: str | Path) -> EventLog:
        """Read a log that `to_jsonl` has written.

        Raises
        ------
        LogFileError
            It is something else, was damaged, or a later version wrote it.
        """
        return cls(read_jsonl(path))

    def to_parquet(self, path: str | Path) -> Path:
        """Write the events as Parquet: the columns of `to_pandas` and the whole events; return the path.

        What `to_jsonl` says of keys, numbers and the file is true here as well.

        Raises
        ------
        ComponentMissingError
            pyarrow is not installed (``pip install 'rt-notebook[parquet]'``).
        LogFileError
            No file can be made at `path`.
        """
        return write_parquet(self, path)

    @classmethod
    def from_parquet(cls, path: str | Path) -> EventLog:
        """Read a log that `to_parquet` has written.

        Raises
        ------
        ComponentMissingError
            pyarrow is not installed.
        LogFileError
            It is something else, was damaged, or a later version wrote it.
        """
        return cls(read_parquet(path))

    # -- folds ----------------------------------------------------------------------------------------

    def fold_turns(self) -> list[Turn]:
        """Return the turns as objects, in the order of the conversation."""
        with self._turns.current(self._store) as turns:
            return turns.fold()

    def turns(self) -> pd.DataFrame:
        """One row a turn with its words and timings.

        The columns are the fields of `rt_notebook.log.turns.Turn`.
        """
        return turns_table(self.fold_turns())

    def latency(self) -> pd.DataFrame:
        """One row a turn: its latency in parts that sum to the total, in ms, each with its error bound.

        The columns are the fields of `rt_notebook.log.latency.Latency`.
        """
        with self._turns.current(self._store) as turns:
            return latency_table(latency_of(turns))

    def transcript(self) -> pd.DataFrame:
        """One row for each thing said; the columns are described in `rt_notebook.log.transcript`."""
        return transcript_table(self.fold_turns())

    def usage(self, prices: Mapping[str, float] | None = None) -> pd.DataFrame:
        """One row a turn: its tokens by kind, and the audio that nobody heard.

        Parameters
        ----------
        prices
            The price of a million tokens by kind (`rt_notebook.core.usage.KINDS`), such as
            ``{"input_audio": 32, "cached_audio": 0.4, "output_audio": 64}``. Without it nothing has a cost:
            prices change too often to be built in.

        Raises
        ------
        ConfigError
            There are no tokens of such a kind, or a price is no number from 0.
        """
        with self._turns.current(self._store) as turns:
            return usage_table(usage_of(turns, prices))

    def forecast(self, minutes: float = 60.0, prices: Mapping[str, float] | None = None) -> pd.DataFrame:
        """One row a kind of token: what was used so far, and what `minutes` more like these will use.

        Raises
        ------
        ConfigError
            As for `usage`; or `minutes` is no number from 0.
        """
        with self._turns.current(self._store) as turns:
            ledger = turns.ledger
            usage = usage_of(turns, prices)
            return frame_of_forecast(forecast(usage, ledger.end_s - ledger.start_s, minutes, prices))

    def glitches(self) -> pd.DataFrame:
        """One row for each gap, drop and underrun, with its place on the way to the endpoint and back."""
        with self._turns.current(self._store) as turns:
            return glitches_table(glitches_of(turns))

    def errors(self) -> pd.DataFrame:
        """One row an error, with the event that caused it."""
        with self._turns.current(self._store) as turns:
            return errors_table(errors_of(turns))

    def explain(self) -> Explanation:
        """Why is it silent? The first step on the way to a spoken answer that is missing, in plain words."""
        with self._turns.current(self._store) as turns:
            return explain_of(turns)

    def __repr__(self) -> str:
        end_s = self._store.t_s[-1] if len(self) else 0.0
        return f"<EventLog: {len(self)} events, {end_s:.1f} s>"

    def _repr_html_(self) -> str:
        with self._turns.current(self._store) as turns:
            return log_html(list(self), turns)
