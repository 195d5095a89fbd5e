"""The socket shell: listen, let clients in, give each a connection of its own."""

from __future__ import annotations

import asyncio
import errno
import logging
import random
import secrets
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from websockets.asyncio.server import Server, ServerConnection, serve

from rt_notebook.errors import ConfigError, PortInUseError
from rt_notebook.io.secret import Secret
from rt_notebook.io.socket_logger import socket_logger
from rt_notebook.server.access import SUBPROTOCOL, Refusal, Route, admit
from rt_notebook.server.components.load import Components, load_components
from rt_notebook.server.connection import Connection
from rt_notebook.server.engine import Engine
from rt_notebook.server.state import Abilities
from rt_notebook.server.workers import Workers

if TYPE_CHECKING:
    from websockets.http11 import Request, Response

__all__ = ["RealtimeServer"]

_MAX_FRAME_BYTES = 24 * 1024 * 1024
_SESSION_S = 60 * 60

_logger = socket_logger("rt_notebook.server.sockets", logging.WARNING)


class RealtimeServer:
    """A server of the Realtime API with local speech components.

    Parameters
    ----------
    host, port
        Where to listen; port 0 takes a free one.
    api_key
        What clients have to know; None makes one up.
    chat_url, chat_model
        An OpenAI-compatible chat endpoint that writes the replies; None takes the small local model.
    reply
        ``"auto"``, ``"smollm2"``, ``"rules"`` or ``"echo"``: see `load_components`.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        api_key: str | None = None,
        chat_url: str | None = None,
        chat_model: str | None = None,
        reply: str = "auto",
    ) -> None:
        self.host = host
        self.port = port
        self.key = Secret(api_key or secrets.token_urlsafe(24))
        self._replies = (chat_url, chat_model, reply)
        self._components: Components | None = None
        self._server: Server | None = None
        self._workers = Workers()

    async def start(self) -> None:
        """Load the components and begin to listen.

        Raises
        ------
        PortInUseError
            Another program has the port.
        ConfigError
            The host is no address of this machine.
        """
        self._components = await asyncio.to_thread(load_components, *self._replies)
        try:
            self._server = await serve(
                self._connected,
                self.host,
                self.port,
                process_request=self._process_request,
                select_subprotocol=_select_subprotocol,
                max_size=_MAX_FRAME_BYTES,
                compression=None,
                server_header=None,
                logger=_logger,
            )
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise PortInUseError(
                    f"Port {self.port} on {self.host} is in use.",
                    "Choose another with --port, or leave it out to take a free one.",
                ) from None
            raise ConfigError(
                f"This machine cannot listen on {self.host}:{self.port} ({error.strerror or error}).",
                "Use --host 127.0.0.1 and a port from 1024 to 65535.",
            ) from None
        self.port = next(iter(self._server.sockets)).getsockname()[1]

    async def stop(self) -> None:
        """Close every connection and end the workers."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
        self._workers.stop()

    @property
    def components(self) -> dict[str, dict[str, object]]:
        """What runs, by role; see `Components.running`."""
        return {} if self._components is None else self._components.running

    @property
    def _authority(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def realtime_url(self) -> str:
        """The address for clients of OpenAI's form."""
        return f"ws://{self._authority}/v1/realtime"

    @property
    def azure_endpoint(self) -> str:
        """The address for clients of Azure's form."""
        return f"http://{self._authority}"

    def _process_request(self, connection: ServerConnection, request: Request) -> Response | None:
        admitted = admit(request.path, request.headers, self.key)
        if isinstance(admitted, Refusal):
            return connection.respond(admitted.status, admitted.message + "\n")
        if "upgrade" not in request.headers.get("Connection", "").lower():
            return connection.respond(HTTPStatus.UPGRADE_REQUIRED, "Open this address as a WebSocket.\n")
        connection.rt_route = admitted  # type: ignore[attr-defined]
        return None

    async def _connected(self, socket: ServerConnection) -> None:
        route: Route = socket.rt_route  # type: ignore[attr-defined]
        components = self._components
        assert components is not None  # noqa: S101 - set before the server listens
        described: dict[str, Any] = components.running
        engine = Engine(
            model=route.model,
            chance=random.SystemRandom(),
            expires_at_s=int(time.time()) + _SESSION_S,
            components=described,
            preview=route.dialect.name != "ga",
            azure=route.azure,
            kind=route.kind,
            abilities=Abilities(
                hears=components.transcriber is not None,
                # Without words to read, it is the user's own speech that is said.
                speaks=components.voice is not None or not components.replier.needs_words,
                needs_words=components.replier.needs_words,
            ),
        )
        connection = Connection(socket, route.dialect, engine, components, self._workers)
        await connection.run()


def _select_subprotocol(_: ServerConnection, offered: Any) -> Any:
    # Server-side clients offer none; browsers offer "realtime" beside the key, and expect it back.
    return SUBPROTOCOL if SUBPROTOCOL in offered else None
