"""The WebSocket below a session."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from rt_notebook.io.connection.refusals import failure
from rt_notebook.io.connection.websocket import MAX_FRAME_BYTES, Socket
from rt_notebook.io.endpoints.trust import trusting
from rt_notebook.io.secrets.socket_logger import socket_logger

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from rt_notebook.io.endpoints.address import Address

__all__ = ["ClosedBy", "WebSocketTransport", "open_websocket"]

TOO_BIG = 1009
"""The close code for a frame that is too large."""

GOODBYE_S = 2.0
"""Time for an endpoint to answer a goodbye."""

_logger = socket_logger("rt_notebook.wire", logging.INFO)


@dataclass(frozen=True, slots=True)
class ClosedBy:
    """How a connection ended."""

    code: int | None
    reason: str


class WebSocketTransport:
    """What a session needs of a socket, and nothing that depends on the library below."""

    def __init__(self, connection: Socket) -> None:
        self._connection = connection

    async def send(self, frames: Sequence[bytes]) -> None:
        """Write text frames. Raises ConnectionError when the connection is closed: then none was written."""
        await self._connection.put(frames)

    async def frames(self) -> AsyncIterator[list[bytes]]:
        """Yield the frames that have arrived, as many as there are, until the connection is closed."""
        while frames := await self._connection.take():
            yield frames

    async def ping(self) -> None:
        """Return when the other side has answered a ping. Raises ConnectionError when it is closed."""
        try:
            await (await self._connection.ping())
        except ConnectionClosed as error:
            raise ConnectionError(str(error)) from None

    async def close(self) -> None:
        """Say goodbye and close; a second call does nothing."""
        await self._connection.close()

    def abort(self) -> None:
        """Break the connection off without a goodbye: nobody is there to hear it."""
        self._connection.transport.abort()

    @property
    def closed_by(self) -> ClosedBy:
        """The close code and reason; 1006 means that the connection broke without a goodbye.

        1009 is this side's own: the frame that came was larger than `MAX_FRAME_BYTES`.
        """
        protocol = self._connection.protocol
        sent = protocol.close_sent
        if sent is not None and sent.code == TOO_BIG and not protocol.close_rcvd_then_sent:
            return ClosedBy(TOO_BIG, f"a frame of more than {MAX_FRAME_BYTES // 1024**2} MiB came")
        code = self._connection.close_code
        return ClosedBy(None if code is None else int(code), self._connection.close_reason or "")


class _Straight(connect):
    """Goes nowhere else: the library would follow a redirect to another host with Azure's key."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        """Take a redirect for the refusal that it is."""
        return exc


async def open_websocket(address: Address, timeout_s: float) -> WebSocketTransport:
    """Open a WebSocket, by a proxy where ``HTTPS_PROXY`` or the system names one and the way is not direct.

    Raises
    ------
    AuthenticationError
        The endpoint answered 401 or 403.
    EndpointNotFoundError
        The endpoint answered 404.
    RefusedError
        The endpoint answered with another status; it knows `RefusedError.retry_after_s`.
    ConfigError
        The address's ``ca_file`` cannot be read any more.
    ComponentMissingError
        The proxy is one for SOCKS, and python-socks is not installed.
    ConnectError
        Anything else: nothing listens there, the name is unknown, the certificate is wrong, a time-out.
    """
    headers = {name: value.reveal() for name, value in address.headers.items()}
    try:
        connection = await _Straight(
            address.url,
            additional_headers=headers,
            max_size=MAX_FRAME_BYTES,
            compression=None,
            open_timeout=timeout_s,
            close_timeout=GOODBYE_S,
            # `Watchdog` asks, and sooner.
            ping_interval=None,
            logger=_logger,
            ssl=trusting(address.ca_file) if address.url.startswith("wss:") else None,
            create_connection=Socket,
            proxy=None if address.direct else True,
        )
    except (OSError, ValueError, ImportError, WebSocketException) as error:
        failed = failure(error, address, timeout_s)
    else:
        assert isinstance(connection, Socket)  # noqa: S101 - it was asked for
        return WebSocketTransport(connection)
    finally:
        headers.clear()
    # Not within the handler: frames that hold the headers would hang on to it.
    raise failed
