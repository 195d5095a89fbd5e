"""One session's work for the speech components: effects in, results back to the engine."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import TYPE_CHECKING

from rt_notebook.errors import RtNotebookError
from rt_notebook.server.components.reply import PreparingReplier
from rt_notebook.server.engine.effects import (
    CancelReply,
    CancelTranscribe,
    Detect,
    JudgeEnd,
    MakeReply,
    Prepare,
    Transcribe,
)
from rt_notebook.server.work.reply_worker import make_reply

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from concurrent.futures import Future

    from rt_notebook.server.components.load import Components
    from rt_notebook.server.engine.effects import Effect
    from rt_notebook.server.engine.engine import Engine
    from rt_notebook.server.work.workers import Workers
    from rt_notebook.vad.detectors import DetectStream

__all__ = ["ComponentWork"]

_logger = logging.getLogger("rt_notebook.server")

# A response out of band may run beside the one that is spoken.
_REPLIES_AT_ONCE = 2
# A turn that waits longer for its judge ends by its silence, as it does without one.
_JUDGE_S = 1.0


class ComponentWork:
    """Run the components off the event loop. The engine is only ever touched on it.

    Parameters
    ----------
    engine
        Whose effects these are.
    components
        What does the work.
    workers
        Threads shared by all sessions.
    perform
        Takes what the engine answers to a result.
    """

    def __init__(
        self,
        engine: Engine,
        components: Components,
        workers: Workers,
        perform: Callable[[list[Effect]], None],
    ) -> None:
        self._engine = engine
        self._components = components
        self._workers = workers
        self._perform = perform
        self._loop = asyncio.get_running_loop()
        self._lane = workers.detect_line.lane(self._detected)
        self._streams: dict[int, DetectStream] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        # What can be cancelled: by response or job id, set once nobody wants it any more.
        self._cancelled: dict[str, threading.Event] = {}
        self._reading: list[Future[None]] = []
        self._transcribe_turn = asyncio.Semaphore(1)
        self._reply_turn = asyncio.Semaphore(_REPLIES_AT_ONCE)
        self.undetected_frames = 0

    def start(self, effect: Effect) -> None:
        """Begin what an effect asks for; its result comes later."""
        match effect:
            case Detect(frames, rate_hz):
                self.undetected_frames += len(frames)
                self._lane.put(self._stream(rate_hz), frames)
            case JudgeEnd():
                self._spawn(self._judge_end(effect))
            case Transcribe(job_id):
                self._spawn(self._transcribe(effect, self._cancellable(job_id)))
            case Prepare():
                self._prepare(effect)
            case MakeReply(response_id):
                self._spawn(self._reply(effect, self._cancellable(response_id)))
            case CancelReply(wanted_no_more) | CancelTranscribe(wanted_no_more):
                if (cancelled := self._cancelled.get(wanted_no_more)) is not None:
                    cancelled.set()

    def stop(self) -> None:
        """End all work; nobody is there any more. What has not begun never runs."""
        self._lane.close()
        for cancelled in self._cancelled.values():
            cancelled.set()
        self._drop_reading()
        for task in list(self._tasks):
            task.cancel()

    def _cancellable(self, job_id: str) -> threading.Event:
        return self._cancelled.setdefault(job_id, threading.Event())

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # -- turns ----------------------------------------------------------------------------------------

    def _detected(self, probabilities: list[float]) -> None:
        self.undetected_frames -= len(probabilities)
        self._perform(self._engine.detected(probabilities))

    def _stream(self, rate_hz: int) -> DetectStream:
        if rate_hz not in self._streams:
            self._streams[rate_hz] = self._components.detector.stream(rate_hz)
        return self._streams[rate_hz]

    async def _judge_end(self, work: JudgeEnd) -> None:
        judge, probability = self._components.judge, None
        if judge is not None:
            try:
                judging = self._loop.run_in_executor(self._workers.judge, judge.judge, work.pcm, work.rate_hz)
                probability = await asyncio.wait_for(judging, _JUDGE_S)
            except TimeoutError:
                _logger.warning("the end of a turn could not be judged in time")
            except Exception:
                _logger.exception("the end of a turn could not be judged")
        self._perform(self._engine.judged(work.job_id, probability))

    # -- words ----------------------------------------------------------------------------------------

    async def _transcribe(self, work: Transcribe, cancelled: threading.Event) -> None:
        transcriber = self._components.transcriber
        text: str | None = None
        problem: str | None = None
        try:
            if transcriber is None:
                problem = str(self._components.running["transcribe"]["note"])
            else:
                async with self._transcribe_turn:
                    if not cancelled.is_set():
                        text = await self._loop.run_in_executor(
                            self._workers.transcribe,
                            transcriber.transcribe,
                            work.pcm,
                            work.rate_hz,
                            cancelled.is_set,
                        )
        except Exception as error:
            _logger.exception("transcription failed")
            problem = f"The speech could not be written down ({type(error).__name__})."
        finally:
            self._cancelled.pop(work.job_id, None)
        if not cancelled.is_set():
            self._perform(self._engine.transcribed(work.job_id, text, problem))

    # -- replies --------------------------------------------------------------------------------------

    def _prepare(self, work: Prepare) -> None:
        replier = self._components.replier
        if isinstance(replier, PreparingReplier):
            self._drop_reading()  # what has not begun is out of date
            self._reading.append(self._workers.prepare.submit(_read, replier, work))

    def _drop_reading(self) -> None:
        """Read nothing more in advance; what is being read just now cannot be stopped."""
        self._reading = [job for job in self._reading if not job.cancel() and not job.done()]

    async def _reply(self, work: MakeReply, cancelled: threading.Event) -> None:
        problem, cut = None, False
        try:
            async with self._reply_turn:
                self._drop_reading()
                for job in self._reading:
                    # To wait for it is quicker than to read the same beside it.
                    await asyncio.wrap_future(job)
                if not cancelled.is_set():
                    cut = await self._loop.run_in_executor(
                        self._workers.reply,
                        make_reply,
                        self._components,
                        work,
                        cancelled.is_set,
                        _EngineSink(self, work.response_id, cancelled),
                    )
        except RtNotebookError as error:
            # It tells the client what to do. Its problem is not logged: it may quote what a client sent.
            _logger.warning("reply failed (%s): %s", type(error).__name__, error.remedy)
            problem = str(error)
        except Exception as error:
            _logger.exception("reply failed")
            problem = f"The reply component failed ({type(error).__name__}: {error})."
        finally:
            self._cancelled.pop(work.response_id, None)
        if not cancelled.is_set():
            self._perform(self._engine.finished(work.response_id, problem, cut=cut))

    def report(self, cancelled: threading.Event, result: Callable[[Engine], list[Effect]]) -> None:
        """Carry a result from a worker thread to the engine; in order, and not at all when cancelled."""

        def arrive() -> None:
            if not cancelled.is_set():
                self._perform(result(self._engine))

        if not cancelled.is_set():
            self._loop.call_soon_threadsafe(arrive)


def _read(replier: PreparingReplier, work: Prepare) -> None:
    try:
        replier.prepare(work.messages, work.tools)
    except Exception:
        # Nothing is lost but some time.
        _logger.exception("a conversation could not be read in advance")


class _EngineSink:
    """The engine as the place where a reply goes."""

    def __init__(self, work: ComponentWork, response_id: str, cancelled: threading.Event) -> None:
        self._work = work
        self._response_id = response_id
        self._cancelled = cancelled

    def text(self, text: str) -> None:
        self._work.report(self._cancelled, lambda engine: engine.replied(self._response_id, text))

    def speech(self, pcm: bytes, text_end_chars: int) -> None:
        self._work.report(
            self._cancelled, lambda engine: engine.spoke(self._response_id, pcm, text_end_chars)
        )

    def call(self, name: str, arguments: str) -> None:
        self._work.report(self._cancelled, lambda engine: engine.called(self._response_id, name, arguments))
