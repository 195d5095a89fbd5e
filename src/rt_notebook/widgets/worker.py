"""The thread of one widget: sets its traits and runs its observers.

Neither the comm's handlers nor the session thread may run a user's code or wait for it; both hand it here.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable

__all__ = ["Worker"]

TICK_S = 0.1
"""Time between two ticks: views are told of changes ten times a second at most."""

_log = logging.getLogger(__name__)


class Worker:
    """Runs what it is given, in order, and `tick` when a tenth of a second has passed."""

    def __init__(self, name: str, tick: Callable[[], object]) -> None:
        self._tasks: queue.SimpleQueue[Callable[[], object] | None] = queue.SimpleQueue()
        self._tick = tick
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()
        threading.Thread(target=self._beat, name=f"{name}-tick", daemon=True).start()

    def submit(self, task: Callable[[], object]) -> None:
        """Run `task` after everything submitted before. Never blocks."""
        if not self._stopped.is_set():
            self._tasks.put(task)

    def stop(self) -> None:
        """Run what was submitted, then end the thread. A second call does nothing."""
        if not self._stopped.is_set():
            self._stopped.set()
            self._tasks.put(None)

    def _beat(self) -> None:
        # Waits for the last tick to end, so that a slow observer does not pile them up.
        while not self._stopped.wait(TICK_S):
            done = threading.Event()
            self._tasks.put(lambda done=done: self._tick_then(done))  # type: ignore[misc]
            done.wait()

    def _tick_then(self, done: threading.Event) -> None:
        try:
            self._tick()
        finally:
            done.set()

    def _run(self) -> None:
        while (task := self._tasks.get()) is not None:
            try:
                task()
            except Exception:
                _log.exception("A widget's observer failed; the widget goes on.")
