"""The frames of all sessions, on their way through the detector together.

One at a time they would cost a hop to a thread and a call of the model each: 780 a second for 25 sessions.
While one batch is judged the next one gathers, so batches grow with the load, and alone nobody waits.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import TYPE_CHECKING

from rt_notebook.vad.detectors.silero import push_together

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor

    from rt_notebook.vad.detectors import DetectStream

__all__ = ["DetectLine", "Lane"]

_logger = logging.getLogger("rt_notebook.server")

Frames = list[tuple["DetectStream", bytes]]

# Of one session at once: the others do not wait for a burst.
_FRAMES_AT_ONCE = 8


class DetectLine:
    """Shared by the sessions of a server; used on its event loop only.

    Parameters
    ----------
    executor
        Where the detector runs, one batch at a time.
    """

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._waiting: dict[Lane, None] = {}
        self._running: asyncio.Task[None] | None = None

    def lane(self, done: Callable[[list[float]], None]) -> Lane:
        """Begin a session's lane; `done` takes the probabilities of its frames, in their order."""
        return Lane(self, done)

    def wake(self, lane: Lane) -> None:
        """Note that a lane has frames."""
        self._waiting[lane] = None
        if self._running is None or self._running.done():
            self._running = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            lanes = list(self._waiting)
            batch = [lane.take(_FRAMES_AT_ONCE) for lane in lanes]
            for lane in lanes:
                if lane.empty:
                    del self._waiting[lane]
            judged = await loop.run_in_executor(self._executor, _judge, batch)
            for lane, probabilities in zip(lanes, judged, strict=True):
                lane.finish(probabilities)


class Lane:
    """One session's frames."""

    def __init__(self, line: DetectLine, done: Callable[[list[float]], None]) -> None:
        self._line = line
        self._done: Callable[[list[float]], None] | None = done
        self._frames: deque[tuple[DetectStream, bytes]] = deque()

    @property
    def empty(self) -> bool:
        """Whether no frame waits."""
        return not self._frames

    def put(self, stream: DetectStream, frames: list[bytes]) -> None:
        """Have these frames judged after those that were put before."""
        self._frames.extend((stream, frame) for frame in frames)
        if self._frames:
            self._line.wake(self)

    def take(self, most: int) -> Frames:
        """Return the frames whose turn it is."""
        return [self._frames.popleft() for _ in range(min(most, len(self._frames)))]

    def finish(self, probabilities: list[float]) -> None:
        """Hand on what the detector has said."""
        if self._done is None or not probabilities:
            return
        try:
            self._done(probabilities)
        except Exception:
            # The fault of one session is not that of the others in the batch.
            _logger.exception("the result of the detector could not be used")

    def close(self) -> None:
        """Want nothing more."""
        self._done = None
        self._frames.clear()


def _judge(batch: list[Frames]) -> list[list[float]]:
    judged: list[list[float]] = [[] for _ in batch]
    for step in range(max(map(len, batch))):
        members = [number for number, frames in enumerate(batch) if step < len(frames)]
        try:
            probabilities = push_together([batch[number][step] for number in members])
        except Exception:
            # The clock of every session has to go on.
            _logger.exception("speech could not be detected")
            probabilities = [0.0] * len(members)
        for number, probability in zip(members, probabilities, strict=True):
            judged[number].append(probability)
    return judged
