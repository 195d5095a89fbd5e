"""The part of a session that runs on the session thread: socket, protocol, log, playback."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
from typing import TYPE_CHECKING, Any

from rt_notebook.core.dialects import DIALECTS
from rt_notebook.core.events import Event
from rt_notebook.core.playback import Playback
from rt_notebook.core.protocol import ClientProtocol
from rt_notebook.errors import ConnectError, ServerError, SessionClosedError
from rt_notebook.io.reply_audio import ReplyAudio
from rt_notebook.io.transport import Transport, open_websocket

if TYPE_CHECKING:
    from collections.abc import Callable

    from rt_notebook.io.endpoints import Endpoint
    from rt_notebook.io.speakers import Speaker
    from rt_notebook.log.event_log import EventLog

    Listener = Callable[[Event | None], object]
    Tap = Callable[[Event, bytes], object]

__all__ = ["Link"]

ANSWER_TIMEOUT_S = 15.0

_logger = logging.getLogger("rt_notebook.session")


class Link:
    """One connection to an endpoint. Every method is called on the session thread."""

    def __init__(
        self, endpoint: Endpoint, log: EventLog, clock_s: Callable[[], float], speaker: Speaker | None
    ) -> None:
        self.endpoint = endpoint
        self.log = log
        self.clock_s = clock_s
        self.speaker = speaker
        self.protocol = ClientProtocol(DIALECTS[endpoint.dialect])
        self.playback = Playback()
        self.reply_audio = ReplyAudio()
        self.listeners: list[Listener] = []
        self.tap: Tap | None = None  # a recorder: takes every event with the audio that it carried
        self.is_open = False
        self._transport: Transport | None = None
        self._outbox: asyncio.Queue[dict[str, Any] | bytes] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []
        self._waiting: list[tuple[Callable[[Event], bool], asyncio.Future[Event]]] = []
        self._silenced_responses: set[str] = set()
        self._event_ids = itertools.count(1)
        self._closing = False

    # -- opening and closing ------------------------------------------------------------------------

    async def open(self) -> None:
        """Connect and wait for ``session.created``."""
        address = await self.endpoint.address()
        self._transport = await open_websocket(address)
        self.is_open = True
        self.record("local.connected", endpoint=self.endpoint.label, dialect=self.endpoint.dialect)
        created = self.next_event(lambda event: event.type == "session.created")
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._write())]
        await self._answer(created, "session.created")

    async def close(self) -> None:
        """Close the connection and tell every listener that it is over."""
        if self._closing:
            return
        self._closing = True
        if self._transport is not None:
            if self.speaker is not None:
                self.speaker.flush()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._outbox.join(), 1.0)
            await self._transport.close()
            await asyncio.gather(self._tasks[0], return_exceptions=True)
        self._end_listeners()

    def _end_listeners(self) -> None:
        self._tell(None)
        self.listeners.clear()

    # -- receiving ------------------------------------------------------------------------------------

    async def _read(self) -> None:
        assert self._transport is not None  # noqa: S101 - set before the task is made
        async for frame in self._transport.frames():
            event, audio = self.protocol.receive(frame, self.clock_s())
            self._append(event, audio)
            self._react(event, audio)
        self.is_open = False
        self._tasks[1].cancel()
        closed_by = self._transport.closed_by
        self.record("local.closed", code=closed_by.code, reason=closed_by.reason, expected=self._closing)
        lost = SessionClosedError(
            f"The connection was closed (code {closed_by.code}) {closed_by.reason}".rstrip() + ".",
            "Open a new Session.",
        )
        for _, future in self._waiting:
            if not future.done():
                future.set_exception(lost)
        self._waiting.clear()
        if not self._closing:
            self._end_listeners()

    def _react(self, event: Event, audio: bytes) -> None:
        item_id = event.item_id
        if audio and item_id is not None:
            self.reply_audio.add(item_id, audio)
            if event.response_id in self._silenced_responses:
                self.playback.silence(item_id)
            if self.playback.receive(item_id, event.audio_samples) and self.speaker is not None:
                self.speaker.play(item_id, audio)
        elif event.type == "response.output_audio.done" and item_id is not None and self.speaker is not None:
            self.speaker.end(item_id)
        elif event.type == "input_audio_buffer.speech_started" and self._interrupts():
            self.silence()

    def _interrupts(self) -> bool:
        detection = self.protocol.audio_input.get("turn_detection")
        return isinstance(detection, dict) and detection.get("interrupt_response", True) is not False

    def silence(self) -> None:
        """Stop the assistant's voice at once; what the speaker then reports decides where its item is cut."""
        if self.protocol.active_response_id is not None:
            self._silenced_responses.add(self.protocol.active_response_id)
        audible = self.playback.audible()
        for item_id in audible:
            self.playback.silence(item_id)
        if audible and self.speaker is not None:
            self.speaker.flush()

    def report_playback(
        self, item_id: str, played_samples: int, state: str, dropped_samples: int = 0
    ) -> None:
        """Take the speaker's report; after a flush, tell the endpoint how much was heard."""
        self.playback.report(item_id, played_samples)
        self.record(
            "local.playback",
            item_id=item_id,
            played_samples=played_samples,
            dropped_samples=dropped_samples,
            state=state,
        )
        if state != "flushed":
            return
        self.playback.silence(item_id)
        at_ms = self.playback.truncate_at_ms(item_id)
        if at_ms is not None and self.is_open and not self._closing:
            self.send(
                {
                    "type": "conversation.item.truncate",
                    "item_id": item_id,
                    "content_index": 0,
                    "audio_end_ms": at_ms,
                }
            )

    # -- sending --------------------------------------------------------------------------------------

    def send(self, event: dict[str, Any]) -> None:
        """Queue one GA client event behind what is queued."""
        if self.is_open:
            self._outbox.put_nowait(event)

    def send_audio(self, pcm: bytes) -> None:
        """Queue microphone audio; without a connection there is nobody to hear it."""
        if self.is_open and pcm:
            self._outbox.put_nowait(pcm)

    async def _write(self) -> None:
        assert self._transport is not None  # noqa: S101 - set before the task is made
        while True:
            what = await self._outbox.get()
            now_s = self.clock_s()
            if isinstance(what, bytes):
                frame, event = self.protocol.send_audio(what, now_s)
            else:
                frame, event = self.protocol.send(what, now_s)
            self._append(event, what if isinstance(what, bytes) else b"")
            self._outbox.task_done()
            try:
                await self._transport.send(frame)
            except ConnectionError:
                return

    async def request(self, event: dict[str, Any], answer: str) -> Event:
        """Send an event and wait for the event that answers it.

        Raises
        ------
        ServerError
            The endpoint answered with an error to this very event.
        SessionClosedError
            The connection is or was closed.
        ConnectError
            No answer came.
        """
        if not self.is_open:
            raise SessionClosedError(
                "The session is not open.", "Call connect() first, or make a new Session."
            )
        event_id = f"rt_{next(self._event_ids)}"

        def answers(candidate: Event) -> bool:
            if candidate.type == "error":
                error = candidate.data.get("error")
                return isinstance(error, dict) and error.get("event_id") == event_id
            return candidate.type == answer

        waiting = self.next_event(answers)
        self.send(event | {"event_id": event_id})
        return await self._answer(waiting, answer)

    def next_event(self, wanted: Callable[[Event], bool]) -> asyncio.Future[Event]:
        """Return a future of the next event that is wanted."""
        future: asyncio.Future[Event] = asyncio.get_running_loop().create_future()
        self._waiting.append((wanted, future))
        return future

    async def _answer(self, waiting: asyncio.Future[Event], name: str) -> Event:
        try:
            event = await asyncio.wait_for(waiting, ANSWER_TIMEOUT_S)
        except TimeoutError:
            raise ConnectError(
                f"{self.endpoint.label} did not answer with {name} within {ANSWER_TIMEOUT_S:.0f} s.",
                "Look into session.log for what it sent instead.",
            ) from None
        if event.type != "error":
            return event
        error = event.data["error"]
        said = str(error.get("message", "")).rstrip(".") + "."
        raise ServerError(
            f"{self.endpoint.label} refused: {said}",
            f"Correct {error.get('param') or 'the request'} and try again.",
            error.get("code"),
            error.get("param"),
        )

    # -- the log --------------------------------------------------------------------------------------

    def record(self, type_: str, **data: Any) -> None:
        """Log something that this side knows and the wire does not say."""
        self._append(Event(self.clock_s(), "local", type_, {"type": type_} | data))

    def _append(self, event: Event, audio: bytes = b"") -> None:
        self.log.append(event)
        if self.tap is not None:
            self.tap(event, audio)
        for entry in list(self._waiting):
            wanted, future = entry
            if future.done():
                self._waiting.remove(entry)
            elif event.direction == "received" and wanted(event):
                self._waiting.remove(entry)
                future.set_result(event)
        self._tell(event)

    def _tell(self, event: Event | None) -> None:
        for listener in list(self.listeners):
            try:
                listener(event)
            except Exception:
                # A listener is somebody else's code; its fault must not end the session.
                _logger.exception("a listener of the session failed")
