"""A thread that belongs to one widget and runs what others hand it, in order.

A comm handler may not work, the session thread may not run a user's code nor wait for it: both hand it over.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Worker"]

TICK_S = 0.1
"""Time between two ticks: views are told of changes ten times a second at most."""

_log = logging.getLogger(__name__)


class Worker:
    """Runs tasks in the order in which they were submitted, and `tick` about ten times a second."""

    def __init__(self, name: str, tick: Callable[[], object]) -> None:
        self._tasks: queue.SimpleQueue[Callable[[], object] | None] = queue.SimpleQueue()
        self._tick = tick
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, task: Callable[[], object]) -> None:
        """Run `task` after everything submitted before. Never blocks; does nothing once stopped."""
        if not self._stopped:
            self._tasks.put(task)

    def stop(self) -> None:
        """Run what was submitted, then end the thread. A second call does nothing."""
        if not self._stopped:
            self._stopped = True
            self._tasks.put(None)

    def join(self, timeout_s: float) -> None:
        """Wait until the thread has ended; returns at once when called on it."""
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout_s)

    def _run(self) -> None:
        next_tick_s = time.monotonic() + TICK_S
        while True:
            try:
                task = self._tasks.get(timeout=max(0.0, next_tick_s - time.monotonic()))
            except queue.Empty:
                task = self._tick
            if task is None:
                return
            try:
                task()
                if time.monotonic() >= next_tick_s and task is not self._tick:
                    self._tick()
            except Exception:
                _log.exception("A widget's observer failed; the widget goes on.")
            if time.monotonic() >= next_tick_s:
                next_tick_s = time.monotonic() + TICK_S
