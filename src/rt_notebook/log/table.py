"""Events as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from rt_notebook.core.audio import SAMPLES_PER_MS
from rt_notebook.core.events import TEXT_KEYS, id_in, text_in
from rt_notebook.log.fields import as_dict, as_text
from rt_notebook.log.store import EventStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import pandas as pd

    from rt_notebook.core.events import Event

__all__ = ["EventTable", "events_table"]

DIRECTIONS: Final = ("sent", "received", "local")
_FLOATS = ("t_s", "audio_ms", "level_dbfs")
_STRINGS = ("event_id", "item_id", "response_id", "text", "error_code")
_ORDER = (
    *("t_s", "direction", "type", "event_id", "item_id", "response_id"),
    *("audio_ms", "level_dbfs", "text", "error_code"),
)
_SAYING = frozenset({*TEXT_KEYS, "error"})
_FAILING = frozenset({"error", "response"})
_FIRST_ROWS = 1024
_GROWTH = 1.25
_BLOCK = 256
"""So many payloads are read for all columns before the next: they are still in the processor's cache."""


class EventTable:
    """The table of a log, which grows with it.

    The columns are arrays with room for more rows. A frame is a view of their first rows, so that it costs
    the same however long the log is: rows that are there never change, and new ones go behind what was handed
    out. Pandas copies what a user writes into, because the frame of the whole room refers to it as well.
    (It does not protect ``.array``; whoever writes there changes later frames, but never the events.)

    Parameters
    ----------
    type_
        Events of this type alone; None for all.
    """

    def __init__(self, type_: str | None = None) -> None:
        self._type = type_
        self._seen = 0
        self._rows = 0
        self._types: dict[str, int] = {}
        self._kinds: list[tuple[int, int]] = []
        self._columns: dict[str, np.ndarray[Any, Any]] = {}
        self._rooms: dict[int, pd.DataFrame] = {}
        self._make_room(_FIRST_ROWS, np.dtype("int8"))

    def read(self, store: EventStore, stop: int) -> None:
        """Add the rows of the events up to `stop`."""
        self._read_kinds(store)
        new = slice(self._seen, stop)
        self._seen = stop
        kinds = np.array(store.kinds[new], dtype=np.intp)
        codes = np.array(self._kinds, dtype=np.int64).reshape(-1, 2)
        wanted = np.flatnonzero(codes[kinds, 1] >= 0)
        start, end = self._rows, self._rows + len(wanted)
        if end > len(self._columns["t_s"]) or self._code_dtype() != self._columns["type"].dtype:
            self._make_room(max(end, int(_GROWTH * end)), self._code_dtype())
        columns, rows = self._columns, slice(start, end)
        columns["t_s"][rows] = np.array(store.t_s[new])[wanted]
        columns["level_dbfs"][rows] = np.array(store.level_dbfs[new])[wanted]
        columns["audio_ms"][rows] = np.array(store.audio_samples[new])[wanted] / SAMPLES_PER_MS
        columns["direction"][rows], columns["type"][rows] = codes[kinds[wanted]].T
        payloads = store.data[new]
        for begin in range(0, len(wanted), _BLOCK):
            block = [payloads[index] for index in wanted[begin : begin + _BLOCK].tolist()]
            for name, values in _strings(block).items():
                columns[name][start + begin : start + begin + len(block)] = values
        self._rows = end

    def frame(self) -> pd.DataFrame:
        """Return the table of what was read."""
        import pandas as pd

        room = self._rooms.get(len(self._types))
        if room is None:
            # An older room stays: frames that were handed out of it are protected by it.
            room = self._rooms[len(self._types)] = self._room()
        frame = room.iloc[: self._rows]
        # Before pandas 3, views are written through.
        return frame if int(pd.__version__.partition(".")[0]) >= 3 else frame.copy()

    def _read_kinds(self, store: EventStore) -> None:
        for direction, type_ in store.kind_names[len(self._kinds) :]:
            wanted = self._type is None or type_ == self._type
            code = self._types.setdefault(type_, len(self._types)) if wanted else -1
            self._kinds.append((DIRECTIONS.index(direction), code))

    def _code_dtype(self) -> np.dtype[Any]:
        """Return the type of codes that pandas takes for so many categories without copying them."""
        count = len(self._types)
        return np.dtype("int8" if count < 127 else "int16" if count < 32767 else "int32")

    def _make_room(self, rows: int, codes: np.dtype[Any]) -> None:
        import pandas as pd

        dtypes = dict.fromkeys(_FLOATS, np.dtype(float)) | {"direction": np.dtype("int8"), "type": codes}
        old, self._columns, self._rooms = self._columns, {}, {}
        for name in _ORDER:
            new = np.zeros(rows, dtypes[name]) if name in dtypes else np.full(rows, pd.NA, dtype=object)
            if old:
                new[: self._rows] = old[name][: self._rows]
            self._columns[name] = new

    def _room(self) -> pd.DataFrame:
        import pandas as pd

        if self._rooms:
            # Another list of types: codes of its own, and for the rest the columns of the room before, so
            # that pandas knows which frames of both lie on the same memory.
            *_, before = self._rooms.values()
            parts: dict[str, Any] = {name: before[name] for name in _ORDER}
            self._columns["type"] = self._columns["type"].copy()
        else:
            parts = dict(self._columns)
            for name in _STRINGS:
                parts[name] = pd.arrays.StringArray(self._columns[name], copy=False)
            parts["direction"] = self._categorical("direction", DIRECTIONS)
        parts["type"] = self._categorical("type", tuple(self._types))
        return pd.DataFrame(parts, copy=False)

    def _categorical(self, name: str, categories: tuple[str, ...]) -> pd.Categorical:
        import pandas as pd

        dtype = pd.CategoricalDtype(pd.Index(categories, dtype=None if categories else object))
        return pd.Categorical.from_codes(self._columns[name], dtype=dtype, validate=False)


def events_table(events: Iterable[Event]) -> pd.DataFrame:
    """Return one row an event, in the order of the log.

    ============  ===========  ==============================================================================
    column        dtype        meaning
    ============  ===========  ==============================================================================
    t_s           float64      seconds on the session clock
    direction     category     ``sent``, ``received`` or ``local``
    type          category     the event's type, in the GA vocabulary
    event_id      string       the event's own id
    item_id       string       the item that it is about
    response_id   string       the response that it is about
    audio_ms      float64      length of the audio that it carried; 0 for none
    level_dbfs    float64      RMS level of that audio, dB relative to full scale; NaN for none
    text          string       its words: a delta, a transcript, an error's message
    error_code    string       the code of the error that it reports
    ============  ===========  ==============================================================================

    The columns and their types are the same for every log, also for an empty one. Writing into the frame
    does not change the log.
    """
    store = EventStore(events)
    table = EventTable()
    table.read(store, len(store))
    return table.frame()


def _strings(payloads: list[dict[str, Any]]) -> dict[str, list[Any]]:
    """Return the columns of strings. One pass for each: for most events, none of them needs a call."""
    import pandas as pd

    none = pd.NA

    def at_hand(key: str, elsewhere: Callable[[dict[str, Any]], str | None]) -> list[Any]:
        return [
            value
            if type(value := data.get(key)) is str
            else none
            if (found := elsewhere(data)) is None
            else found
            for data in payloads
        ]

    def rare(keys: frozenset[str], find: Callable[[dict[str, Any]], str | None]) -> list[Any]:
        return [
            none if keys.isdisjoint(data) or (found := find(data)) is None else found for data in payloads
        ]

    return {
        "event_id": at_hand("event_id", lambda data: as_text(data.get("event_id"))),
        "item_id": at_hand("item_id", lambda data: id_in(data, "item_id", "item")),
        "response_id": at_hand("response_id", lambda data: id_in(data, "response_id", "response")),
        "text": rare(_SAYING, text_in),
        "error_code": rare(_FAILING, error_code),
    }


def error_code(data: dict[str, Any]) -> str | None:
    """Return the code of an error, a failed transcription or a failed response; its type if it has none."""
    if "error" not in data and "response" not in data:
        return None
    details = as_dict(as_dict(data.get("response")).get("status_details"))
    error = as_dict(data.get("error")) or as_dict(details.get("error"))
    return as_text(error.get("code")) or as_text(error.get("type"))
