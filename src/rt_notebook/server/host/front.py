"""The listening socket: HTTP and WebSocket by aiohttp, behind a door that does not let in more than fit."""

from __future__ import annotations

import asyncio
import errno
import logging
from http import HTTPStatus
from typing import TYPE_CHECKING

from aiohttp import web

from rt_notebook.core import wire_json
from rt_notebook.server.host.logs import log_event
from rt_notebook.server.host.routes import Refusal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from rt_notebook.server.host.limits import Limits

__all__ = ["Front"]

_FULL_BODY = wire_json.encode(
    Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "Too many connections at once. Try again later.").body()
)
_FULL = (
    "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nConnection: close\r\n"
    f"Content-Type: application/json\r\nContent-Length: {len(_FULL_BODY)}\r\n\r\n{_FULL_BODY}"
).encode()

# What aiohttp logs about a request that it cannot read quotes it, keys and all. It is answered with 400.
_silent = logging.getLogger("rt_notebook.server.http")
_silent.disabled = True


class Front:
    """Accept connections and hand their requests on.

    Parameters
    ----------
    answer
        Answers one request.
    """

    def __init__(
        self, answer: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]], limits: Limits
    ) -> None:
        self._most = limits.sessions + limits.waiting_sockets
        self._http = web.Server(
            answer,
            access_log=None,
            logger=_silent,
            auto_decompress=False,
            # Counted from the start of a connection too, so a request that never ends is cut off.
            keepalive_timeout=limits.handshake_s,
            lingering_time=1.0,
        )
        self._server: asyncio.Server | None = None

    async def listen(self, host: str, port: int) -> int:
        """Begin to listen and return the port. Raises OSError."""
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(self._protocol, host, port)
        except OverflowError:
            raise OSError(errno.EINVAL, "a port is a number from 0 to 65535") from None
        bound: int = self._server.sockets[0].getsockname()[1]
        return bound

    def stop_listening(self) -> None:
        """Let nobody else in."""
        if self._server is not None:
            self._server.close()

    async def close(self) -> None:
        """End what is still open."""
        await self._http.shutdown(0.1)

    def _protocol(self) -> asyncio.Protocol:
        if len(self._http.connections) < self._most:
            return self._http()
        log_event("connection_refused", level=logging.WARNING, status=503)
        return _Full()


class _Full(asyncio.Protocol):
    """Send one away without reading what it asks."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)  # noqa: S101
        transport.write(_FULL)
        transport.close()
