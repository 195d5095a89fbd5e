"""What each type of event adds to the accounts. A type that has no reader adds nothing."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import TYPE_CHECKING

from rt_notebook.log.readers import incidents, items, microphone, playback, responses, session

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rt_notebook.core.events import Event
    from rt_notebook.log.accounts import Accounts

__all__ = ["READERS", "Reader"]

Reader = Callable[["Accounts", "Event"], object]
"""Adds what an event tells to the accounts."""


def _both(first: Reader, second: Reader) -> Reader:
    def read(accounts: Accounts, event: Event) -> None:
        first(accounts, event)
        second(accounts, event)

    return read


_CONVERSATION = session.READERS | microphone.READERS | items.READERS | responses.READERS | playback.READERS

READERS: Mapping[str, Reader] = MappingProxyType(
    _CONVERSATION
    | incidents.READERS
    | {
        type_: _both(_CONVERSATION[type_], incidents.READERS[type_])
        for type_ in _CONVERSATION.keys() & incidents.READERS.keys()
    }
)
"""Readers by event type, in the GA vocabulary. Incidents are noted last."""
