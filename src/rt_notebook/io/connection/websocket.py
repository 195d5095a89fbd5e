"""A WebSocket of the websockets library, with a shorter way for what a session does thousands of times."""

from __future__ import annotations

import asyncio
import os
import struct
from typing import TYPE_CHECKING, Any

from websockets.asyncio.client import ClientConnection
from websockets.frames import DATA_OPCODES, Frame, apply_mask  # type: ignore[attr-defined] # in C or not
from websockets.protocol import State

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["MAX_FRAME_BYTES", "Socket"]

MAX_FRAME_BYTES = 16 * 1024 * 1024
"""Hundreds of times the largest event that an endpoint sends unasked; what is larger ends the connection."""

WAITING_MESSAGES = 64
"""With so many messages that nobody has taken, the network is left to wait."""

# RFC 6455, 5.2: the last (here: only) frame of a text message; a client's frames are masked.
_WHOLE_TEXT, _MASKED = 0x81, 0x80
_IN_2_BYTES, _IN_8_BYTES = 126, 127
_ANSWER_END = b"\r\n\r\n"


class Socket(ClientConnection):
    """Many messages at a time, either way, as the UTF-8 that is on the wire.

    Nearly all that a session sends and receives are text messages of one frame; these are written and cut
    here, with one writing and one waking for all that come together. Everything else is the library's: the
    opening, fragments, pings, the goodbye, and whatever breaks the rules.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._answer_end = b""
        self._unread = bytearray()
        self._wanted_bytes = 0
        self._messages: list[bytes] = []
        self._fragments: list[bytes] = []
        self._waiting: asyncio.Future[None] | None = None
        self._over = False

    async def take(self) -> list[bytes]:
        """Wait for messages and return all that have arrived; none when the connection is over."""
        while not self._messages and not self._over:
            self._waiting = asyncio.get_running_loop().create_future()
            await self._waiting
        taken, self._messages = self._messages, []
        if len(taken) >= WAITING_MESSAGES:
            self.transport.resume_reading()
        return taken

    async def put(self, messages: Sequence[bytes]) -> None:
        """Write text messages; return when the network has taken enough of them.

        Raises
        ------
        ConnectionError
            The connection is closed, or being closed; nothing was written.
        """
        if self.protocol.state is not State.OPEN:
            raise ConnectionError("the connection is closed")
        masks = os.urandom(4 * len(messages))
        pieces: list[bytes] = []
        for number, message in enumerate(messages):
            size, mask = len(message), masks[4 * number : 4 * number + 4]
            if size < _IN_2_BYTES:
                head = struct.pack("!BB", _WHOLE_TEXT, _MASKED | size)
            elif size < 1 << 16:
                head = struct.pack("!BBH", _WHOLE_TEXT, _MASKED | _IN_2_BYTES, size)
            else:
                head = struct.pack("!BBQ", _WHOLE_TEXT, _MASKED | _IN_8_BYTES, size)
            pieces += (head, mask, apply_mask(message, mask))
        self.transport.write(b"".join(pieces))
        if self.paused:
            await self.drain()

    # -- called by asyncio and by the library ---------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Take what has arrived, however it was cut on the way."""
        at = self._open(data) if self.protocol.state is State.CONNECTING else 0
        while at < len(data):
            at = self._take_more(data, at) if self._unread else self._take_frame(data, at)
        if self._messages:
            self._wake()
        if len(self._messages) >= WAITING_MESSAGES:
            self.transport.pause_reading()

    def _open(self, data: bytes) -> int:
        """Give the library the answer to the opening; return where frames begin."""
        seen = self._answer_end + data
        at = seen.find(_ANSWER_END)
        at = len(data) if at < 0 else at + len(_ANSWER_END) - len(self._answer_end)
        self._answer_end = seen[-len(_ANSWER_END) + 1 :]
        super().data_received(data[:at])
        return at

    def _take_more(self, data: bytes, at: int) -> int:
        """Complete the frame of which there was a part; return where the next one begins."""
        end = at + self._wanted_bytes - len(self._unread)
        self._unread += data[at:end]
        if len(self._unread) == self._wanted_bytes:
            frame = bytes(self._unread)
            self._unread.clear()
            self._take_frame(frame, 0)
        return end

    def _take_frame(self, data: bytes, at: int) -> int:
        """Take the frame that begins there, or keep what there is of it; return where the next one begins."""
        here, start = len(data), at + 2
        size = data[at + 1] if start <= here else 0
        masked = size >= _MASKED
        if size == _IN_2_BYTES:
            start += 2
            size = int.from_bytes(data[at + 2 : start])
        elif size == _IN_8_BYTES:
            start += 8
            size = int.from_bytes(data[at + 2 : start])
        end = start if start > here else start + size
        if self.protocol.state is not State.OPEN or (
            start <= here and (masked or size > MAX_FRAME_BYTES)  # against the rules
        ):
            super().data_received(data[at:])
            return here
        if start > here or end > here:
            self._unread += data[at:]
            self._wanted_bytes = end - at
            return here
        if data[at] == _WHOLE_TEXT and not self._fragments:
            self._messages.append(data[start:end])
        else:
            super().data_received(data[at:end])
        return end

    def process_event(self, event: Any) -> None:
        """Take what the library has found: the answer to the opening, or a frame."""
        if not isinstance(event, Frame) or event.opcode not in DATA_OPCODES:
            super().process_event(event)
            return
        self._fragments.append(bytes(event.data))
        if event.fin:
            self._messages.append(b"".join(self._fragments))
            self._fragments.clear()

    def connection_lost(self, exc: Exception | None) -> None:
        """Take note of the end."""
        super().connection_lost(exc)
        self._over = True
        self._wake()

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)
