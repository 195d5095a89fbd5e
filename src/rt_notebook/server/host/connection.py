"""One client: its socket, its dialect and its engine."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from typing import TYPE_CHECKING, Any

from aiohttp import WebSocketError, WSMessage, WSMsgType

from rt_notebook.core import wire_json
from rt_notebook.core.dialects import NotInDialect
from rt_notebook.server.engine.effects import Close, Send
from rt_notebook.server.host.outbox import Outbox
from rt_notebook.server.host.wire_actions import Binary, FailResponse, Pass, Reset, Stall, Text, Wait
from rt_notebook.server.work.component_work import ComponentWork

if TYPE_CHECKING:
    from aiohttp.web import WebSocketResponse

    from rt_notebook.core.dialects import Dialect
    from rt_notebook.server.components.load import Components
    from rt_notebook.server.engine.effects import Effect
    from rt_notebook.server.engine.engine import Engine
    from rt_notebook.server.host.clock import Clock
    from rt_notebook.server.host.faults import FaultLine
    from rt_notebook.server.host.limits import Limits
    from rt_notebook.server.work.workers import Workers

__all__ = ["Connection"]

_NO_CODE = 1005
_BROKEN = 1006
_POLICY_VIOLATION = 1008
_INTERNAL_ERROR = 1011


class Connection:
    """Carry frames to the engine and its events back; the rest of its effects is `ComponentWork`'s.

    Parameters
    ----------
    websocket, transport
        The WebSocket, accepted, and the TCP connection below it.
    session_s
        How long the session may last.
    faults
        What goes wrong on purpose.
    """

    def __init__(
        self,
        websocket: WebSocketResponse,
        transport: asyncio.Transport,
        dialect: Dialect,
        engine: Engine,
        components: Components,
        workers: Workers,
        *,
        limits: Limits,
        clock: Clock,
        session_s: float,
        faults: FaultLine,
    ) -> None:
        self._socket = websocket
        self._transport = transport
        self._dialect = dialect
        self._engine = engine
        self._limits = limits
        self._clock = clock
        self._session_s = session_s
        self._faults = faults
        self._outbox = Outbox()
        self._eased = asyncio.Event()
        self._work = ComponentWork(engine, components, workers, self._perform)
        self._reading: asyncio.Task[bool] | None = None
        self.close_code: int | None = None

    async def run(self) -> None:
        """Serve the client until it leaves, is given up, or its time is over."""
        reading = self._reading = asyncio.create_task(self._read())
        writing = asyncio.create_task(self._write())
        expiring = asyncio.create_task(self._expire())
        try:
            self._perform(self._engine.start())
            await asyncio.wait({reading, writing}, return_when=asyncio.FIRST_COMPLETED)
            if reading.cancelled():  # fallen silent
                await asyncio.wait({writing})
            elif reading.done() and reading.exception() is not None:
                self.leave(_INTERNAL_ERROR, "The server made a mistake; its log says which.")
                await asyncio.wait({writing}, timeout=self._limits.goodbye_s)
            elif not reading.done():
                # The goodbye is said, or the client takes nothing any more. It has a moment to answer.
                await asyncio.wait({reading}, timeout=self._limits.goodbye_s)
        finally:
            self._work.stop()
            for task in (reading, writing, expiring):
                task.cancel()
            done = await asyncio.gather(reading, writing, expiring, return_exceptions=True)
            await self._hang_up(politely=done[0] is True)
        for result in done:
            if isinstance(result, Exception):
                raise result

    def leave(self, code: int, reason: str) -> None:
        """Say goodbye at once, whatever waits to be sent."""
        self._outbox.close_now(Close(code, reason))

    # -- from the client --------------------------------------------------------------------------------

    async def _read(self) -> bool:
        """Take frames until the connection ends; return whether the client said goodbye."""
        while True:
            await self._room()
            message = await self._socket.receive()
            if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                if not self._outbox.closed:
                    self._take(message.data)
                continue
            if self.close_code is None:
                self.close_code = _close_code(message)
            return message.type == WSMsgType.CLOSE

    async def _room(self) -> None:
        """Wait while the client has left too much unread, or has sent more audio than can be judged.

        What is not read here stays in its socket: it is held back, and nobody else is.
        """
        while (
            self._outbox.waiting_bytes > self._limits.outbox_bytes
            or self._work.undetected_frames > self._limits.undetected_frames
        ):
            self._eased.clear()
            await self._eased.wait()

    def _take(self, frame: str | bytes) -> None:
        try:
            wire_event = wire_json.decode(frame)
            event = self._dialect.client_from_wire(wire_event)
        except NotInDialect as error:
            self._perform(
                self._engine.refuse(error.code, str(error), error.param, wire_event.get("event_id"))
            )
            return
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            self._perform(self._engine.refuse("invalid_event", f"This frame is no event: {error}."))
            return
        self._perform(self._engine.receive(self._faults.from_client(event)))

    # -- to the client ----------------------------------------------------------------------------------

    def _perform(self, effects: list[Effect]) -> None:
        failing: list[FailResponse] = []
        for effect in effects:
            match effect:
                case Send(event):
                    failing += self._send(event)
                case Close():
                    self._outbox.put(effect)
                case _ if not self._outbox.closed:
                    self._work.start(effect)
        if self._outbox.waiting_bytes > self._limits.outbox_full_bytes:
            self.leave(_POLICY_VIOLATION, "You do not read what you are sent.")
        self._eased.set()
        for fail in failing:
            self._perform(self._engine.fail(fail.response_id, fail.problem))

    def _send(self, event: dict[str, Any]) -> list[FailResponse]:
        """Put an event, or what a fault makes of it, into the outbox; return what has to fail."""
        failing = []
        for action in self._faults.to_client(event):
            match action:
                case Pass(passed):
                    wire_event = self._dialect.server_to_wire(passed)
                    if wire_event is not None:
                        self._outbox.put(Text(wire_json.encode(wire_event)))
                case FailResponse():
                    failing.append(action)
                case _:
                    self._outbox.put(action)
        return failing

    async def _write(self) -> None:
        """Send what waits, until a goodbye is sent or the client takes nothing any more."""
        with contextlib.suppress(ConnectionError, TimeoutError):
            while True:
                action = await self._outbox.get()
                self._eased.set()
                match action:
                    case Wait(seconds):
                        await self._clock.sleep(seconds)
                        continue
                    case Stall():
                        await self._fall_silent()
                        return
                    case Reset():
                        self._reset()
                        return
                async with asyncio.timeout(self._limits.write_s):
                    match action:
                        case Text(frame):
                            await self._socket.send_str(frame)
                        case Binary(data):
                            await self._socket.send_bytes(data)
                        case Close(code, reason):
                            self.close_code = code
                            await self._say_goodbye(code, reason)
                            return

    async def _fall_silent(self) -> None:
        """Be like a line that is dead: read nothing, so that pings and goodbyes stay unanswered too."""
        if self._reading is not None:
            self._reading.cancel()
        while not self._transport.is_closing():  # noqa: ASYNC110 - nobody reads, so nothing else tells
            await asyncio.sleep(0.1)

    def _reset(self) -> None:
        # Without lingering, the system answers whatever still comes with a reset, as a broken line would end.
        linger = struct.pack("ii", 1, 0)
        self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self._transport.abort()

    async def _say_goodbye(self, code: int, reason: str) -> None:
        # Only the frame: `close` would end the connection before the client has answered. What it is just
        # sending is then answered with a reset, at which some systems throw away the goodbye, unread.
        payload = code.to_bytes(2, "big") + reason.encode()
        await self._socket.send_frame(payload, WSMsgType.CLOSE)

    async def _hang_up(self, *, politely: bool) -> None:
        if politely:
            if not self._outbox.closed:
                with contextlib.suppress(ConnectionError):
                    await self._say_goodbye(self._socket.close_code or 1000, "")
            self._transport.close()
            # A client that does not read would keep what is still to be flushed, and the socket, for ever.
            asyncio.get_running_loop().call_later(self._limits.goodbye_s, self._transport.abort)
        else:
            self._transport.abort()
        await self._socket.close()

    async def _expire(self) -> None:
        await self._clock.sleep(self._session_s)
        reason = f"Your session hit the maximum duration of {self._session_s / 60:g} minutes."
        self._perform(self._engine.expire(reason))


def _close_code(message: WSMessage) -> int:
    """Return how a client ended the connection: its code, or the one that stands for what it did."""
    if message.type == WSMsgType.CLOSE:
        return message.data or _NO_CODE
    return message.data.code if isinstance(message.data, WebSocketError) else _BROKEN
