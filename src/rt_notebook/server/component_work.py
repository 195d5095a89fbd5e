"""One session's work for the speech components: effects in, results back to the engine."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from rt_notebook.server.effects import CancelReply, Detect, MakeReply, Transcribe
from rt_notebook.server.reply_worker import make_reply

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from concurrent.futures import Executor

    from rt_notebook.server.components.detect import DetectStream
    from rt_notebook.server.components.load import Components
    from rt_notebook.server.effects import Effect
    from rt_notebook.server.engine import Engine

__all__ = ["ComponentWork"]

_logger = logging.getLogger("rt_notebook.server")


class ComponentWork:
    """Run the components off the event loop. The engine is only ever touched on it.

    Parameters
    ----------
    engine
        Whose effects these are.
    components
        What does the work.
    workers, detect_workers
        Threads shared by all sessions.
    perform
        Takes what the engine answers to a result.
    """

    def __init__(
        self,
        engine: Engine,
        components: Components,
        workers: Executor,
        detect_workers: Executor,
        perform: Callable[[list[Effect]], None],
    ) -> None:
        self._engine = engine
        self._components = components
        self._workers = workers
        self._detect_workers = detect_workers
        self._perform = perform
        self._loop = asyncio.get_running_loop()
        self._frames: asyncio.Queue[list[bytes]] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()
        self._cancelled: set[str] = set()
        self._gone = False
        self.undetected_frames = 0
        self._spawn(self._detect())

    def start(self, effect: Effect) -> None:
        """Begin what an effect asks for; its result comes later."""
        match effect:
            case Detect(frames):
                self.undetected_frames += len(frames)
                self._frames.put_nowait(frames)
            case Transcribe(job_id, pcm):
                self._spawn(self._transcribe(job_id, pcm))
            case MakeReply():
                self._spawn(self._reply(effect))
            case CancelReply(response_id):
                self._cancelled.add(response_id)

    def stop(self) -> None:
        """End all work; nobody is there any more."""
        self._gone = True
        for task in list(self._tasks):
            task.cancel()

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _detect(self) -> None:
        """Judge frames in order, those that are waiting together: a burst then costs one hop, not many."""
        stream = self._components.detector.stream()
        while True:
            frames = list(await self._frames.get())
            while not self._frames.empty():
                frames += self._frames.get_nowait()
            judged = await self._loop.run_in_executor(self._detect_workers, _judge, stream, frames)
            self.undetected_frames -= len(frames)
            self._perform(self._engine.detected(judged))

    async def _transcribe(self, job_id: str, pcm: bytes) -> None:
        transcriber = self._components.transcriber
        text: str | None = None
        if transcriber is None:
            problem: str | None = str(self._components.running["transcribe"]["note"])
        else:
            try:
                text = await self._loop.run_in_executor(self._workers, transcriber.transcribe, pcm)
                problem = None
            except Exception as error:
                _logger.exception("transcription failed")
                problem = f"The speech could not be written down ({type(error).__name__})."
        self._perform(self._engine.transcribed(job_id, text, problem))

    async def _reply(self, work: MakeReply) -> None:
        response_id = work.response_id

        def back(result: Callable[[], list[Effect]]) -> None:
            # From a worker thread to the loop; in order, and not at all for who is no longer there.
            if not self._gone:
                self._loop.call_soon_threadsafe(lambda: self._perform(result()))

        def run() -> None:
            make_reply(
                self._components,
                work,
                lambda: self._gone or response_id in self._cancelled,
                lambda text: back(lambda: self._engine.replied(response_id, text)),
                lambda pcm, chars: back(lambda: self._engine.spoke(response_id, pcm, chars)),
            )

        problem = None
        try:
            await self._loop.run_in_executor(self._workers, run)
        except Exception as error:
            _logger.exception("reply failed")
            problem = f"The reply component failed ({type(error).__name__}: {error})."
        self._cancelled.discard(response_id)
        self._perform(self._engine.finished(response_id, problem))


def _judge(stream: DetectStream, frames: list[bytes]) -> list[float]:
    return [stream.push(frame) for frame in frames]
