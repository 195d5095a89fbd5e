"""A TCP proxy on loopback that breaks WebSocket connections at a chosen frame, or when it is told to."""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import asynccontextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Strike:
    """What is done to one connection, and when.

    Parameters
    ----------
    how
        ``"reset"`` (RST to both sides), ``"cut"`` (FIN without a goodbye), ``"stall"`` (nothing passes any
        more, the sockets stay open), ``"hang"`` (accepted, and never a byte passes).
    down, up
        The frame, from the server or from the client, after which it strikes, from 1; 0 never does.
    byte
        Instead of after the frame, inside of it, when so many of its bytes have passed.
    """

    how: str = "reset"
    down: int = 0
    up: int = 0
    byte: int = 0


class _Frames:
    """Finds the ends of frames in a stream that begins with an HTTP head."""

    def __init__(self):
        self._head = b""
        self._in_head = True
        self._left = 0
        self.seen = 0

    def passing(self, data, limit, byte):
        """Return how much of `data` may pass, and whether the frame `limit` is complete with it."""
        at = 0
        while at < len(data):
            if self._in_head:
                self._head += data[at : at + 1]
                at += 1
                if self._head.endswith(b"\r\n\r\n"):
                    self._in_head, self._head = False, b""
                continue
            if self._left == 0:
                self._head += data[at : at + 1]
                at += 1
                size = _size(self._head)
                if size is None:
                    continue
                self._left, self._head = size, b""
                if limit and byte and self.seen + 1 == limit:
                    return at, True
            taken = min(self._left, len(data) - at)
            at += taken
            self._left -= taken
            if self._left == 0:
                self.seen += 1
                if limit and self.seen == limit:
                    return at, True
        return at, False


def _size(head):
    """Return the length of the payload, once the whole header is there."""
    if len(head) < 2:
        return None
    masked, length = head[1] >> 7, head[1] & 127
    extra = {126: 2, 127: 8}.get(length, 0)
    if len(head) < 2 + extra + 4 * masked:
        return None
    return int.from_bytes(head[2 : 2 + extra], "big") if extra else length


class ChaosProxy:
    """Passes everything on, unless a strike says otherwise.

    Attributes
    ----------
    strikes
        One for each connection to come; after them all pass.
    connections
        How many have come.
    """

    def __init__(self, port, strikes=()):
        self.to_port = port
        self.strikes = list(strikes)
        self.connections = 0
        self.frames_down = self.frames_up = 0
        self._live = []
        self._stalled = False
        self._tasks = set()

    async def start(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self):
        self._server.close()
        self.reset()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    def reset(self):
        """Break every connection that is open."""
        live, self._live = self._live, []
        for writers in live:
            for writer in writers:
                _reset(writer)

    def stall(self):
        """Let nothing pass any more on the connections that are open."""
        for task in self._tasks:
            task.cancel()

    async def _serve(self, reader, writer):
        self.connections += 1
        strike = self.strikes.pop(0) if self.strikes else Strike()
        if strike.how == "hang":
            self._live.append((writer,))
            return
        server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self.to_port)
        self._live.append((writer, server_writer))
        for part in (
            self._pump(server_reader, writer, server_writer, strike, "down"),
            self._pump(reader, server_writer, writer, strike, "up"),
        ):
            task = asyncio.create_task(part)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pump(self, reader, writer, other, strike, direction):
        frames, limit = _Frames(), getattr(strike, direction)
        try:
            while data := await reader.read(65536):
                length, strikes = frames.passing(data, limit, strike.byte)
                writer.write(data[:length])
                setattr(self, f"frames_{direction}", frames.seen)
                if strikes:
                    await self._strike(strike.how, writer, other)
                    return
                await writer.drain()
        except ConnectionError:
            pass
        for end in (writer, other):
            end.close()

    async def _strike(self, how, writer, other):
        if how == "stall":
            await asyncio.Event().wait()
        if how == "cut":
            writer.close()
            other.close()
            return
        _reset(writer)
        _reset(other)


def _reset(writer):
    raw = writer.get_extra_info("socket")
    if raw is not None and raw.fileno() >= 0:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@asynccontextmanager
async def chaos(port, *strikes):
    """Run a proxy before a port of this machine."""
    proxy = ChaosProxy(port, strikes)
    await proxy.start()
    try:
        yield proxy
    finally:
        await proxy.stop()
