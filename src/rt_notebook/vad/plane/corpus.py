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
from rt_notebook.vad.labels import as_labels, guess_labels
from rt_notebook.vad.plane.plane import Counted, count
from rt_notebook.vad.traces.trace import Trace, as_trace, trace

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from concurrent.futures import Executor

    import numpy as np
    import numpy.typing as npt

    from rt_notebook.vad.plane.plane import Plane

    Recording = Trace | str | Path | npt.NDArray[np.generic]

__all__ = ["GUESS", "MAX_TASKS", "Done", "Entry", "Task", "run_tasks", "tasks_of", "trace_of"]

GUESS = "guess"
"""Stands for labels that are guessed from the trace."""

MAX_TASKS = 256
"""Recordings beyond so many share a task, and count as one for the bootstrap and for held-out figures."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One recording of a corpus: where it is and where its labels are, or both themselves."""

    name: str
    recording: Any
    labels: Any


@dataclass(frozen=True, slots=True)
class Done:
    """What a task comes to: what was counted, over which recordings, and what could not be read and why."""

    counted: Counted | None
    names: tuple[str, ...]
    failed: tuple[tuple[str, str], ...]

    @property
    def name(self) -> str:
        """The first recording that was counted, and how many follow it."""
        return self.names[0] + (f" and {len(self.names) - 1} more" if len(self.names) > 1 else "")


@dataclass(frozen=True, slots=True)
class Task:
    """What a worker does at once."""

    entries: tuple[Entry, ...]
    detector: str
    settings: Plane

    def run(self) -> Done:
        """Count over the recordings, one after the other."""
        total: Counted | None = None
        names, failed = [], []
        for entry in self.entries:
            try:
                heard = trace_of(entry.recording, self.detector)
                found = count(heard, self.settings, _labels_of(entry.labels, heard))
            except RtNotebookError as error:
                failed.append((entry.name, str(error)))
            else:
                names.append(entry.name)
                total = found if total is None else total + found
        return Done(total, tuple(names), tuple(failed))


def tasks_of(entries: Sequence[Entry], detector: str, settings: Plane) -> list[Task]:
    """Divide recordings into at most `MAX_TASKS` tasks."""
    size = -(-len(entries) // MAX_TASKS) or 1
    return [Task(tuple(entries[at : at + size]), detector, settings) for at in range(0, len(entries), size)]


def trace_of(recording: Recording, detector: str) -> Trace:
    """Return the trace of a recording: a file is judged, or its kept trace is read."""
    return trace(recording, detector) if isinstance(recording, str | Path) else as_trace(recording)


def _labels_of(labels: Any, heard: Trace) -> npt.NDArray[np.float64] | None:
    if isinstance(labels, str) and labels == GUESS:
        return guess_labels(heard.probabilities, heard.hop_s)
    return None if labels is None else as_labels(labels)


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
    for done in tqdm(results, total=len(tasks), unit="recording", disable=not progress):
        for name, problem in done.failed:
            warnings.warn(f"{name} is left out. {problem}", stacklevel=3)
        failed += done.failed
        if done.counted is not None:
            found.append((done.name, done.counted))
    return found, failed


def _spread(tasks: Sequence[Task], executor: Executor) -> Iterator[Done]:
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
