"""A fold that is kept current: made once, then shown only what is new."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rt_notebook.log.store import EventStore

__all__ = ["Kept"]


class StoreReader(Protocol):
    """Whatever reads a store from its beginning, event by event."""

    def read(self, store: EventStore, stop: int) -> None:
        """Read on to before `stop`."""


R = TypeVar("R", bound=StoreReader)


class Kept(Generic[R]):
    """A reader that has read as far as somebody last asked for.

    Whoever uses it takes it out and puts it back, so that no two threads have the same one and no lock is
    needed; who finds it taken makes another from the beginning. One that failed half-way is not put back.
    """

    def __init__(self, make: Callable[[], R]) -> None:
        self._make = make
        self._free: list[R] = []

    @contextmanager
    def current(self, store: EventStore) -> Iterator[R]:
        """Lend the reader, having read all that is in the store now."""
        try:
            reader = self._free.pop()
        except IndexError:
            reader = self._make()
        reader.read(store, len(store))
        yield reader
        if not self._free:
            self._free.append(reader)
