"""Turn what a blocking function pushes into an iterator that can be left at any time."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["pushed"]

T = TypeVar("T")

_LOOK_EVERY_S = 0.05


class _End:
    def __init__(self, error: Exception | None) -> None:
        self.error = error


def pushed(run: Callable[[Callable[[T], bool]], None], cancelled: Callable[[], bool]) -> Iterator[T]:
    """Yield what `run` pushes, in its order; what it raises is raised here.

    Parameters
    ----------
    run
        Called in a thread of its own with a function that takes a value, and that says whether nobody
        wants more: then it should end soon.
    cancelled
        Looked at many times a second, also while nothing comes; True ends this iterator at once.
    """
    values: queue.SimpleQueue[T | _End] = queue.SimpleQueue()
    left = threading.Event()

    def push(value: T) -> bool:
        values.put(value)
        return left.is_set() or cancelled()

    def work() -> None:
        try:
            run(push)
        except Exception as error:
            values.put(_End(error))
        else:
            values.put(_End(None))

    threading.Thread(target=work, name="rt_notebook reply source", daemon=True).start()
    try:
        while not cancelled():
            try:
                value = values.get(timeout=_LOOK_EVERY_S)
            except queue.Empty:
                continue
            if isinstance(value, _End):
                if value.error is not None:
                    raise value.error
                return
            yield value
    finally:
        left.set()
