"""One pass over the events that sorts them into items and responses.

Everything is keyed by the ids that the events carry. Unknown events and missing fields are passed over, an
event that comes twice in a session counts once, and no order of events is an error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rt_notebook.log.accounts import Accounts
from rt_notebook.log.fields import as_dict, as_text
from rt_notebook.log.readers import READERS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rt_notebook.core.events import Event
    from rt_notebook.log.store import EventStore

__all__ = ["Ledger"]


class Ledger(Accounts):
    """The accounts of a log, kept by reading its events."""

    def __init__(self, events: Iterable[Event] = ()) -> None:
        super().__init__()
        self._seen: dict[str, set[str]] = {"sent": set(), "received": set(), "local": set()}
        for event in events:
            self.add(event)

    def read(self, store: EventStore, stop: int) -> None:
        """Read on in a store, from where the last call ended to before `stop`."""
        for event in store.events(self.count, stop):
            self.add(event)

    def add(self, event: Event) -> None:
        """Read the next event."""
        t_s = event.t_s
        if self.count == 0:
            self.start_s = self.end_s = t_s
        elif t_s > self.end_s:
            self.end_s = t_s
        elif t_s < self.start_s:
            self.start_s = t_s
        self.count += 1
        if event.type == "session.created" and event.direction == "received":
            session_id = as_text(as_dict(event.data.get("session")).get("id"))
            if session_id != self.session_id:  # some endpoints count their events from 1 in each
                self._seen["received"].clear()
        event_id = event.data.get("event_id")
        if isinstance(event_id, str):
            seen = self._seen[event.direction]
            if event_id in seen:
                return
            seen.add(event_id)
            if event.direction == "sent":
                self.sent[event_id] = event.t_s, event.type
        reader = READERS.get(event.type)
        if reader is not None:
            reader(self, event)
