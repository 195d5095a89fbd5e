"""One socket and what belongs to it alone. Every connection of a session gets a new one of these."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from time import time as unix_s
from typing import TYPE_CHECKING, Any

from rt_notebook.core.dialects import DIALECTS
from rt_notebook.core.events import Event
from rt_notebook.core.outbox import Outbox
from rt_notebook.core.protocol import ClientProtocol
from rt_notebook.core.reconnect import Ending, ending_of_close
from rt_notebook.core.turn_watch import TurnWatch
from rt_notebook.core.watchdog import Watchdog
from rt_notebook.io.connection.transport import open_websocket
from rt_notebook.log.fields import as_dict, as_number, as_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from rt_notebook.core.reconnect import ReconnectPolicy
    from rt_notebook.io.connection.transport import WebSocketTransport
    from rt_notebook.io.endpoints.endpoint import Endpoint

    Arrived = Callable[["Connection", Event, bytes], None]

__all__ = ["Connection"]

INVALID_FRAMES = 20
INVALID_FRAMES_S = 60.0
"""So many frames that are no events in so much time, and the connection is given up."""

SERVER_ERRORS = 2
"""So many answers in a row that fail by a mistake of the endpoint: it sticks to the session (Azure)."""

GOODBYE_S = 1.0
"""Time for what still waits to be sent."""

WRITE_BYTES = 32 * 1024
"""What waits is written in pieces of this size, so that the rest may still be dropped."""

STALLED_S = 0.5
"""A check that comes so late says that this process stood still, and nothing about the endpoint."""

_logger = logging.getLogger("rt_notebook.session")


class Connection:
    """From an open socket to its end.

    Parameters
    ----------
    generation
        Number of the connection in its session, from 1.
    arrived
        Called with this connection, each event, sent or received, and the audio that came with it.
    owed
        Whether somebody waits for an answer: silence is then noticed sooner.
    lost
        Called with the samples that were dropped because the socket took too little.

    Attributes
    ----------
    protocol, outbox, watch
        State that ends with the connection.
    last_heard_s
        When the endpoint gave its last sign of life.
    doubtful_samples
        Audio written since then: nobody knows whether it arrived.
    silent
        Whether it ended because no sign of life came any more.
    ended
        Its end, once that is known.
    """

    def __init__(
        self,
        generation: int,
        endpoint: Endpoint,
        policy: ReconnectPolicy,
        clock_s: Callable[[], float],
        arrived: Arrived,
        owed: Callable[[], bool],
        lost: Callable[[int], None],
    ) -> None:
        self.generation = generation
        self.protocol = ClientProtocol(DIALECTS[endpoint.dialect])
        self.outbox = Outbox()
        self.watch = TurnWatch()
        self.ended: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()
        self.opened_s = 0.0
        self.expires_s: float | None = None
        self.last_heard_s = 0.0
        self.doubtful_samples = 0
        self.silent = False
        self._failed_events = 0
        self._endpoint = endpoint
        self._policy = policy
        self._clock_s = clock_s
        self._arrived = arrived
        self._owed = owed
        self._lost = lost
        self._transport: WebSocketTransport | None = None
        self._filled = asyncio.Event()
        self._written = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._error_code: str | None = None
        self._invalid_s: deque[float] = deque(maxlen=INVALID_FRAMES)
        self._server_errors = 0
        self._closing: str | None = None
        self._pinging: asyncio.Task[None] | None = None

    @property
    def undelivered_events(self) -> int:
        """Events that were never written, or while the connection broke."""
        return self._failed_events + self.outbox.waiting_events

    async def open(self) -> None:
        """Shake hands. Nothing is read yet.

        Raises
        ------
        ConnectError
            The endpoint cannot be reached, or refuses.
        """
        self._address = await self._endpoint.address()
        self._transport = await open_websocket(self._address, self._policy.open_timeout_s)
        self.opened_s = self._clock_s()

    def start(self) -> None:
        """Begin to read, write and watch."""
        self._dog = Watchdog(self._policy, self._clock_s())
        self._alive()
        self._tasks = [asyncio.create_task(part) for part in (self._read(), self._write(), self._guard())]
        self._ask()

    # -- sending ------------------------------------------------------------------------------------

    def send(self, what: dict[str, Any] | bytes) -> None:
        """Queue an event, or microphone audio."""
        self.outbox.put(what)
        self._written.clear()
        self._filled.set()

    async def _write(self) -> None:
        assert self._transport is not None  # noqa: S101 - opened before it is started
        while True:
            frames, events = self._next_frames()
            if not frames:
                self._written.set()
                self._filled.clear()
                await self._filled.wait()
                continue
            try:
                await self._transport.send(frames)
            except ConnectionError:
                self._failed_events += events
                return

    def _next_frames(self) -> tuple[list[bytes], int]:
        """Take what waits, up to `WRITE_BYTES`; return it as frames, and how many are events, not audio."""
        frames: list[bytes] = []
        size = events = 0
        while size < WRITE_BYTES:
            now_s = self._clock_s()
            if audio := self.outbox.take_audio(WRITE_BYTES - size):
                for pcm, (frame, event) in zip(audio, self.protocol.send_audio(audio, now_s), strict=True):
                    self._arrived(self, event, pcm)
                    self.doubtful_samples += event.audio_samples
                    frames.append(frame)
                    size += len(frame)
                if self.outbox.dropped_samples:
                    self._lost(self.outbox.take_dropped())
            elif (what := self.outbox.take()) is not None:
                assert isinstance(what, dict)  # noqa: S101 - audio was taken before
                try:
                    frame, event = self.protocol.send(what, now_s)
                except Exception as error:
                    self._failed_events += 1
                    self._survive(f"{what.get('type')} was not sent: it is no JSON", error)
                    continue
                self._follow(event)
                self._arrived(self, event, b"")
                events += 1
                frames.append(frame)
                size += len(frame)
            else:
                break
        return frames, events

    def _survive(self, what: str, error: Exception) -> None:
        """Tell of a failure that concerns one event: those that come after it are read and written."""
        _logger.error("%s", what, exc_info=error)
        self._note("local.error", message=f"{what} ({type(error).__name__}). The session goes on without it.")

    def _note(self, type_: str, **data: Any) -> None:
        self._arrived(self, Event(self._clock_s(), "local", type_, {"type": type_} | data), b"")

    def _alive(self) -> None:
        self.last_heard_s = self._clock_s()
        self.doubtful_samples = 0
        self._dog.heard(self.last_heard_s)

    # -- receiving ----------------------------------------------------------------------------------

    async def _read(self) -> None:
        assert self._transport is not None  # noqa: S101 - opened before it is started
        async for frames in self._transport.frames():
            self._alive()
            for frame in frames:
                try:
                    self._take(frame)
                except Exception as error:
                    self._survive("The event before this one could not be followed", error)
                if self.ended.done():
                    return
        how = self._transport.closed_by
        if self._closing is not None:
            self._end(Ending("local", self._closing or how.reason, how.code))
            return
        past_expiry = self.expires_s is not None and self._clock_s() >= self.expires_s - 1.0
        reason = self._address.masked(how.reason)
        self._end(ending_of_close(how.code, reason, error_code=self._error_code, past_expiry=past_expiry))

    def _take(self, frame: str | bytes) -> None:
        event, audio = self.protocol.receive(self._address.masked_frame(frame), self._clock_s())
        if not audio:
            self._follow(event)
        self._arrived(self, event, audio)
        self._judge(event)
        if event.type == "input_audio_buffer.speech_started" and not self.ended.done():
            self._ask()

    def _follow(self, event: Event) -> None:
        answers = False
        if event.type == "input_audio_buffer.speech_stopped":
            detection = self.protocol.audio_input.get("turn_detection")
            answers = isinstance(detection, dict) and detection.get("create_response", True) is not False
        self.watch.follow(event, answers_turns=answers)

    def _judge(self, event: Event) -> None:
        """Look at what arrived for a reason to end the connection."""
        match event.type:
            case "session.created":
                expires_at = as_number(self.protocol.session.get("expires_at"))
                if expires_at is not None:
                    left_s = expires_at - unix_s()
                    # Of clocks that disagree by more than a session lasts, nothing is to be learnt.
                    self.expires_s = event.t_s + left_s if left_s > 0 else None
            case "error":
                self._error_code = as_text(as_dict(event.data.get("error")).get("code"))
            case "local.invalid_frame":
                self._invalid_s.append(event.t_s)
                full = len(self._invalid_s) == INVALID_FRAMES
                if full and event.t_s - self._invalid_s[0] < INVALID_FRAMES_S:
                    self.give_up(Ending("loss", f"{INVALID_FRAMES} frames in a minute were no events"))
            case "response.done":
                self._server_errors = self._server_errors + 1 if _is_server_error(event) else 0
                if self._server_errors == SERVER_ERRORS:
                    why = f"{SERVER_ERRORS} answers in a row failed with server_error"
                    self.give_up(Ending("loss", why, fruitless=True))

    # -- watching -----------------------------------------------------------------------------------

    async def _guard(self) -> None:
        """Ask a silent endpoint whether it is there; take it for dead when it does not answer."""
        while not self.ended.done():
            busy = self.watch.busy or self._owed()
            due_s = self._dog.next_check_s(self._clock_s(), busy=busy)
            await asyncio.sleep(max(0.0, due_s - self._clock_s()))
            now_s = self._clock_s()
            if now_s - due_s > STALLED_S:
                self._dog.heard(now_s)
                continue
            match self._dog.check(now_s, busy=self.watch.busy or self._owed()):
                case "ping":
                    self._ask()
                case "dead":
                    self.silent = True
                    silent_s = now_s - self.last_heard_s
                    self.give_up(Ending("loss", f"silent for {silent_s:.1f} s, and no answer to a ping"))

    def _ask(self) -> None:
        """Ask for a sign of life, unless an answer is awaited, and log how long it takes to come."""
        if self._pinging is None or self._pinging.done():
            self._pinging = asyncio.create_task(self._ping())

    async def _ping(self) -> None:
        assert self._transport is not None  # noqa: S101 - opened before it is started
        asked_s = self._clock_s()
        with contextlib.suppress(ConnectionError):
            await self._transport.ping()
            self._alive()
            self._note("local.round_trip", round_trip_s=self.last_heard_s - asked_s)

    # -- the end ------------------------------------------------------------------------------------

    def _end(self, ending: Ending) -> None:
        if not self.ended.done():
            self.ended.set_result(ending)

    def give_up(self, ending: Ending) -> None:
        """Break the connection off: nobody is there, or nothing good comes of it."""
        self._end(ending)
        if self._transport is not None:
            self._transport.abort()

    async def close(self, reason: str = "") -> None:
        """Send what waits, say goodbye and end; `ended` is then set. `reason` is for the log."""
        self._closing = reason
        if self._transport is not None:
            if self._tasks and not self.ended.done():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._written.wait(), GOODBYE_S)
            await self._transport.close()
            if self._tasks:
                await asyncio.gather(self._tasks[0], return_exceptions=True)
        self._end(Ending("local", reason, 1000))
        await self.stop()

    async def stop(self) -> None:
        """End its tasks; it hands on nothing from then on."""
        tasks = [*self._tasks, *([] if self._pinging is None else [self._pinging])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._transport is not None:
            self._transport.abort()


def _is_server_error(event: Event) -> bool:
    details = as_dict(as_dict(event.data.get("response")).get("status_details"))
    error = as_dict(details.get("error"))
    return "server_error" in (error.get("type"), error.get("code"))
