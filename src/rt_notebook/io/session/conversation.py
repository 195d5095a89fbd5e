"""What a person does in a session: speak a recording, type, ask and wait for the whole answer, interrupt."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from rt_notebook.core.audio import BYTES_PER_SAMPLE, ms_to_samples
from rt_notebook.core.wire_json import whole_text
from rt_notebook.errors import NoReplyError, RtNotebookError, ServerError, SessionClosedError
from rt_notebook.io.audio.sources import CHUNK_MS, chunks
from rt_notebook.io.connection.asking import REPLY_TIMEOUT_S, ask_for_answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from rt_notebook.core.events import Event
    from rt_notebook.io.session.link import Link

__all__ = ["ask", "give_up", "interrupt", "send_text", "speak"]

TRAILING_MS = 500
"""Silence after a recording, beyond the silence that ends a turn: a microphone stays open as well."""

HEARING_TIMEOUT_S = 8.0
GIVE_UP_TIMEOUT_S = 5.0

_SILENT_CHUNK = bytes(ms_to_samples(CHUNK_MS) * BYTES_PER_SAMPLE)
_TRANSCRIBED = (
    "conversation.item.input_audio_transcription.completed",
    "conversation.item.input_audio_transcription.failed",
)


class _Pace:
    """Chunks go out at the pace at which a microphone makes them, by a clock that does not drift."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._due_s = self._loop.time()

    async def send(self, link: Link, chunk: bytes) -> None:
        if link.life.state == "closed":
            raise link.life.over()
        if link.life.state not in {"open", "switching", "resting"}:
            raise SessionClosedError(
                "The connection was lost while the recording was being spoken.",
                "The session connects again by itself; speak it again.",
            )
        link.send_audio(chunk)
        self._due_s += len(chunk) / BYTES_PER_SAMPLE / ms_to_samples(1000)
        await asyncio.sleep(max(0.0, self._due_s - self._loop.time()))


def _detection(link: Link) -> dict[str, object] | None:
    found = link.protocol.audio_input.get("turn_detection")
    return found if isinstance(found, dict) else None


async def speak(link: Link, pcm: bytes) -> _Pace:
    """Send a recording in real time. Without turn detection, commit it and ask for the answer."""
    await link.life.ready()
    pace = _Pace()
    for chunk in chunks(pcm):
        await pace.send(link, chunk)
    detection = _detection(link)
    if detection is None:
        await link.request({"type": "input_audio_buffer.commit"}, "input_audio_buffer.committed")
        async with link.creating:
            await ask_for_answer(link)
        return pace
    silence_ms = detection.get("silence_duration_ms")
    wait_ms = TRAILING_MS + (silence_ms if isinstance(silence_ms, int) else 0)
    for _ in range(0, wait_ms, CHUNK_MS):
        await pace.send(link, _SILENT_CHUNK)
    return pace


async def send_text(link: Link, text: str) -> None:
    """Add a typed message and ask for the answer; an answer that is still running is interrupted."""
    await link.life.ready()
    async with link.creating:
        await interrupt(link)
        item = {
            "type": "message",
            "role": "user",
            "content": [{"type": "input_text", "text": whole_text(text)}],
        }
        await link.request({"type": "conversation.item.create", "item": item}, "conversation.item.added")
        await ask_for_answer(link)


async def interrupt(link: Link) -> None:
    """Stop the voice at once, cancel calls of tools and a running answer, and wait until it is cancelled."""
    link.silence()
    link.tools.interrupt()
    response_id = link.protocol.active_response_id
    if response_id is not None:
        try:
            await link.request({"type": "response.cancel", "response_id": response_id}, "response.done")
        except ServerError as error:
            # It ended by itself while the cancellation was under way.
            if error.code != "response_cancel_not_active":
                raise


async def give_up(link: Link) -> None:
    """Take back a question that nobody waits for any more: what was half said, and its answer."""
    if not link.is_open:
        return
    connection = link.life.connection
    if connection is not None and connection.watch.speaking:
        link.send({"type": "input_audio_buffer.clear"})
    # The endpoint may have been asked for an answer that it has not begun yet.
    with contextlib.suppress(RtNotebookError, TimeoutError):
        async with asyncio.timeout(GIVE_UP_TIMEOUT_S):
            while link.is_open and connection is not None and connection.watch.awaiting:
                await link.answers.next(lambda event: event.type in {"response.created", "error"})
        await interrupt(link)


async def ask(link: Link, question: bytes | str) -> str | None:
    """Speak or type a question and return when it has been answered and written down.

    Silence goes on being sent while the answer is awaited, as a microphone would. When it is cancelled, so
    is the answer, and what was not heard of it is cut off.

    Returns
    -------
    str or None
        Id of the response that answered it last.

    Raises
    ------
    NoReplyError
        No speech was heard in the recording, or no answer came.
    """
    watch = _Watch(link)
    link.listeners.append(watch)
    try:
        if isinstance(question, str):
            await send_text(link, question)
            return await watch.answered()
        pace = await speak(link, question)
        if _detection(link) is None:
            return await watch.answered()
        listening = asyncio.create_task(_stay_open(link, pace))
        try:
            await watch.heard()
            return await watch.answered()
        finally:
            listening.cancel()
    except asyncio.CancelledError:
        await asyncio.shield(asyncio.ensure_future(give_up(link)))
        raise
    finally:
        if watch in link.listeners:
            link.listeners.remove(watch)


async def _stay_open(link: Link, pace: _Pace) -> None:
    with contextlib.suppress(SessionClosedError):  # of the loss, the question itself tells
        while True:
            await pace.send(link, _SILENT_CHUNK)


class _Watch:
    """Follow the events of one question: speech still open, items not yet written down, answers running."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._changed = asyncio.Event()
        self._speaking = False
        self._spoke = False
        self._unwritten: set[str] = set()
        self._written: set[str] = set()
        self._running: set[str] = set()
        self._done: set[str] = set()
        self._answers = 0
        self._answer_id: str | None = None
        self._over = False
        self._lost = False

    def __call__(self, event: Event | None) -> None:
        self._changed.set()
        if event is None:
            self._over = True
        elif event.type == "local.closed":
            self._lost = True
        elif event.type == "input_audio_buffer.speech_started":
            self._speaking = self._spoke = True
        elif event.type == "input_audio_buffer.speech_stopped":
            self._speaking = False
        elif event.type == "input_audio_buffer.committed" and event.item_id is not None:
            # The next answer is the one that counts: this one was given before the question was over.
            self._answers = 0
            if event.item_id not in self._written and self._transcribes():
                self._unwritten.add(event.item_id)
        elif event.type in _TRANSCRIBED and event.item_id is not None:
            self._written.add(event.item_id)
            self._unwritten.discard(event.item_id)
        elif event.type == "response.created" and event.response_id is not None:
            if event.response_id not in self._done:
                self._running.add(event.response_id)
        elif event.type == "response.done" and event.response_id in self._running:
            # An answer that was begun before this question, and ends because of it, is not an answer to it.
            self._running.discard(event.response_id)
            self._done.add(event.response_id)
            self._answers += 1
            self._answer_id = event.response_id

    def _transcribes(self) -> bool:
        return self._link.protocol.audio_input.get("transcription") is not None

    async def heard(self) -> None:
        """Wait until speech was heard."""
        await self._until(
            lambda: self._spoke,
            HEARING_TIMEOUT_S,
            "No speech was heard in the recording.",
            "Lower turn_detection's threshold, or give a recording with louder speech.",
        )

    async def answered(self) -> str | None:
        """Return the answer's id: the user is silent, every item written down, an answer complete."""
        await self._until(
            lambda: (
                self._answers > 0
                and not (self._speaking or self._unwritten or self._running or self._link.tools.busy)
            ),
            REPLY_TIMEOUT_S,
            "No complete answer came.",
            "Look into session.log; with create_response=False an answer must be asked for.",
        )
        return self._answer_id

    async def _until(
        self, condition: Callable[[], bool], timeout_s: float, problem: str, remedy: str
    ) -> None:
        try:
            async with asyncio.timeout(timeout_s):
                while not condition():
                    if self._lost and not self._over:
                        raise NoReplyError(
                            "The connection was lost before the answer was complete.",
                            "The session connects again by itself; ask again.",
                        )
                    if self._over:
                        raise self._link.life.over()
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise NoReplyError(problem, remedy) from None
