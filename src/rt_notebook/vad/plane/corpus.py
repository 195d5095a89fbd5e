"""Recordings by the hundred: any executor, tasks that carry paths, and small arrays that come back.

What a task returns depends on its recordings alone, and results are put in the order of the recordings. So
serial, threads, processes and a cluster give equal results.
"""

from __future__ import annotations

import warnings
from concurrent.futures import BrokenExecutor, CancelledError
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm.auto import tqdm

from rt_notebook.errors import RtNotebookError
from rt_notebook.vad.labels import as_labels, read_labels
from rt_notebook.vad.plane.plane import Counted, count
from rt_notebook.vad.traces.trace import Trace, as_trace, trace

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from concurrent.futures import Executor

    import numpy as np
    import numpy.typing as npt

    from rt_notebook.vad.plane.plane import Plane

    Recording = Trace | str | Path | npt.NDArray[np.generic]

__all__ = ["MAX_TASKS", "Item", "Task", "labels_of", "run_tasks", "tasks_of", "trace_of"]


MAX_TASKS = 256
"""Recordings beyond so many share a task, and count as one for the bootstrap and for held-out figures."""


@dataclass(frozen=True, slots=True)
class Item:
    """One recording: where it is and where its labels are, or both themselves."""

    name: str
    recording: Any
    labels: Any


@dataclass(frozen=True, slots=True)
class Task:
    """What a worker does at once."""

    items: tuple[Item, ...]
    detector: str
    settings: Plane

    @property
    def name(self) -> str:
        """The first recording, and how many follow it."""
        rest = f" and {len(self.items) - 1} more" if len(self.items) > 1 else ""
        return self.items[0].name + rest

    def run(self) -> tuple[Counted | None, list[tuple[str, str]]]:
        """Count over the recordings; return the sum, and names and reasons of what could not be read."""
        total: Counted | None = None
        failed = []
        for item in self.items:
            try:
                labels = None if item.labels is None else labels_of(item.labels)
                found = count(trace_of(item.recording, self.detector), self.settings, labels)
            except RtNotebookError as error:
                failed.append((item.name, str(error)))
            else:
                total = found if total is None else total + found
        return total, failed


def tasks_of(items: Sequence[Item], detector: str, settings: Plane) -> list[Task]:
    """Divide recordings into at most `MAX_TASKS` tasks."""
    size = -(-len(items) // MAX_TASKS)
    return [Task(tuple(items[at : at + size]), detector, settings) for at in range(0, len(items), size or 1)]


def trace_of(recording: Recording, detector: str) -> Trace:
    """Return the trace of a recording: a file is judged, or its kept trace is read."""
    return trace(recording, detector) if isinstance(recording, str | Path) else as_trace(recording)


def labels_of(labels: str | Path | npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return the labels themselves, or those of a file."""
    return read_labels(labels) if isinstance(labels, str | Path) else as_labels(labels)


def run_tasks(
    tasks: Sequence[Task], executor: Executor | None, *, progress: bool
) -> tuple[list[tuple[str, Counted]], list[tuple[str, str]]]:
    """Run the tasks; return what was counted and what could not be read, each in the order of the tasks.

    An interrupt ends the run and cancels what has not begun. Traces that were made are kept, so that the
    next run goes on from there.
    """
    found: list[tuple[str, Counted]] = []
    failed: list[tuple[str, str]] = []
    results = (task.run() for task in tasks) if executor is None else _spread(tasks, executor)
    for task, (counted, problems) in zip(
        tasks, tqdm(results, total=len(tasks), unit="recording", disable=not progress), strict=True
    ):
        for name, problem in problems:
            warnings.warn(f"{name} is left out. {problem}", stacklevel=3)
        failed += problems
        if counted is not None:
            found.append((task.name, counted))
    return found, failed


def _spread(tasks: Sequence[Task], executor: Executor) -> Iterator[Any]:
    futures: list[Any] = []
    try:
        for task in tasks:
            try:
                futures.append(executor.submit(task.run))
            except BrokenExecutor:
                futures.append(None)
        for task, future in zip(tasks, futures, strict=True):
            try:
                result = task.run() if future is None else future.result()
            except (BrokenExecutor, CancelledError):
                # A worker was killed: by the system for its memory, or by somebody. A pool of processes is
                # lost with it; a cluster gives the task to another worker by itself.
                result = task.run()
            yield result
    finally:
        for future in futures:
            if future is not None:
                future.cancel()
