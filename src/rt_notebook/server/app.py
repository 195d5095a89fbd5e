"""The server's shell: listen, let clients in, give each a connection of its own."""

from __future__ import annotations

import asyncio
import errno
import logging
import math
import random
import secrets
from http import HTTPStatus
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from aiohttp import web

from rt_notebook.core import wire_json
from rt_notebook.errors import ConfigError, PortInUseError
from rt_notebook.io.secret import Secret
from rt_notebook.server.access import SUBPROTOCOL, Access, offered_subprotocols
from rt_notebook.server.clock import Clock
from rt_notebook.server.components.load import Components, load_components
from rt_notebook.server.connection import Connection
from rt_notebook.server.engine import Engine
from rt_notebook.server.ephemeral_keys import EphemeralKeys
from rt_notebook.server.faults import FaultLine, FaultPlan
from rt_notebook.server.front import Front
from rt_notebook.server.ids import IdMaker
from rt_notebook.server.limits import Limits
from rt_notebook.server.logs import log_event
from rt_notebook.server.refusal import BadRequest
from rt_notebook.server.rest import bad_request, cors_headers, make_key
from rt_notebook.server.routes import Refusal, Route
from rt_notebook.server.sites import Sites
from rt_notebook.server.workers import Workers

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["RealtimeServer"]

Json = dict[str, Any]

_RETRY_AFTER = {"Retry-After": "5"}


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
    allowed_origins
        Web pages that may use the server besides those on loopback.
    allowed_hosts
        Names that it answers to besides its own.
    session_minutes
        How long a session may last; the services allow 60 minutes.
    faults, seed
        What goes wrong on purpose, such as ``["drop", "slow:delay_ms=200"]``, and the seed of its chance;
        `faults.FAULTS` is the table.
    limits, clock
        Caps, and the time.
    reply
        ``"auto"``, ``"smollm2"``, ``"rules"`` or ``"echo"``: see `load_components`.

    Raises
    ------
    ConfigError
        One of them is out of range.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        api_key: str | None = None,
        chat_url: str | None = None,
        chat_model: str | None = None,
        allowed_origins: Iterable[str] = (),
        allowed_hosts: Iterable[str] = (),
        session_minutes: float = 60.0,
        faults: Iterable[str] = (),
        seed: int = 0,
        limits: Limits | None = None,
        clock: Clock | None = None,
        reply: str = "auto",
    ) -> None:
        if not 0 < session_minutes < math.inf:
            raise ConfigError(
                f"A session of {session_minutes} minutes is none.",
                "Give a number above 0, such as 60 or 0.5.",
            )
        self.host = host
        self.port = port
        self.key = Secret(api_key or secrets.token_urlsafe(24))
        self._ephemeral = EphemeralKeys()
        self._access = Access(Sites(host, allowed_origins, allowed_hosts), self.key, self._ephemeral)
        self._session_s = session_minutes * 60
        self._faults = FaultPlan(faults, seed)
        self._limits = limits or Limits()
        self._clock = clock or Clock()
        self._chance = random.SystemRandom()
        self._replies = (chat_url, chat_model, reply)
        self._components: Components | None = None
        self._front: Front | None = None
        self._connections: dict[asyncio.Task[object], Connection | None] = {}
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
        self._front = Front(self._answer, self._limits)
        try:
            self.port = await self._front.listen(self.host, self.port)
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
        log_event("listening", url=self.realtime_url)

    async def stop(self) -> None:
        """Say goodbye to every client and end the workers."""
        if self._front is not None:
            self._front.stop_listening()
            for connection in self._connections.values():
                if connection is not None:
                    connection.leave(1001, "The server is ending.")
            if self._connections:
                await asyncio.wait(set(self._connections), timeout=self._limits.goodbye_s)
            await self._front.close()
        self._workers.stop()

    @property
    def components(self) -> dict[str, dict[str, object]]:
        """What runs, by role; see `Components.running`."""
        return {} if self._components is None else self._components.running

    @property
    def sessions(self) -> int:
        """How many sessions are open."""
        return len(self._connections)

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

    # -- requests ---------------------------------------------------------------------------------------

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        route = self._access.admit(request.method, request.raw_path, request.headers, self._clock.now_s())
        if isinstance(route, Refusal):
            return self._http(request, route)
        if route.resource == "session" and request.method == "GET":
            return await self._serve_session(request, route)
        return self._http(request, await self._rest(request, route))

    async def _rest(self, request: web.BaseRequest, route: Route) -> Json | Refusal | None:
        """Return a body, a refusal, or None where there is nothing to say."""
        allowed = "GET" if route.resource in {"health", "session"} else "POST"
        if request.method == "OPTIONS":
            return None
        if request.method != allowed:
            message = f"Use {allowed} here."
            return Refusal(HTTPStatus.METHOD_NOT_ALLOWED, message, headers={"Allow": f"{allowed}, OPTIONS"})
        if route.resource == "health":
            return {
                "status": "ok",
                "version": version("rt-notebook"),
                "sessions": self.sessions,
                "components": self.components,
            }
        try:
            async with asyncio.timeout(self._limits.handshake_s):
                body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body is too large; 1 MiB is allowed.")
        except TimeoutError:
            return Refusal(HTTPStatus.REQUEST_TIMEOUT, "The body did not arrive in time.")
        return make_key(route, body, self._ephemeral, IdMaker(self._chance), self._clock.now_s())

    def _http(self, request: web.BaseRequest, answer: Json | Refusal | None) -> web.Response:
        origin = request.headers.get("Origin")
        headers = cors_headers(request.headers) if origin and self._access.sites.admits(origin) else {}
        if answer is None:
            return web.Response(status=HTTPStatus.NO_CONTENT, headers=headers)
        status = HTTPStatus.OK
        if isinstance(answer, Refusal):
            log_event("refused", level=logging.WARNING, status=answer.status.value, code=answer.code)
            status, headers, answer = answer.status, headers | answer.headers, answer.body()
        headers["Cache-Control"] = "no-store"
        return web.json_response(text=wire_json.encode(answer), status=status, headers=headers)

    # -- sessions ---------------------------------------------------------------------------------------

    async def _serve_session(self, request: web.BaseRequest, route: Route) -> web.StreamResponse:
        refusal = self._not_now(request)
        if refusal is not None:
            return self._http(request, refusal)
        try:
            engine = self._engine(route)
        except BadRequest as wrong:
            return self._http(request, bad_request(wrong))
        faults = self._faults.next_connection()
        if faults.refusal is not None:
            return self._http(request, faults.refusal)
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a request is answered in a task
        self._connections[task] = None  # counted from here on
        try:
            return await self._accept(request, route, engine, task, faults)
        finally:
            del self._connections[task]

    def _not_now(self, request: web.BaseRequest) -> Refusal | None:
        if request.headers.get("Upgrade", "").lower() != "websocket":
            headers = {"Upgrade": "websocket", "Connection": "Upgrade"}
            message = "Open this address as a WebSocket."
            return Refusal(HTTPStatus.UPGRADE_REQUIRED, message, "upgrade_required", headers=headers)
        if self.sessions >= self._limits.sessions:
            message = f"All {self._limits.sessions} sessions of this server are taken. Try again later."
            return Refusal(HTTPStatus.TOO_MANY_REQUESTS, message, "rate_limit_exceeded", headers=_RETRY_AFTER)
        return None

    def _engine(self, route: Route) -> Engine:
        components = self._ready
        return Engine(
            model=route.model,
            chance=self._chance,
            expires_at_s=math.ceil(self._clock.now_s() + self._session_s),
            components=dict(components.running),
            preview=route.dialect.name != "ga",
            azure=route.azure,
            abilities=components.abilities,
            initial=route.settings,
        )

    @property
    def _ready(self) -> Components:
        assert self._components is not None  # noqa: S101 - loaded before the server listens
        return self._components

    async def _accept(
        self,
        request: web.BaseRequest,
        route: Route,
        engine: Engine,
        task: asyncio.Task[object],
        faults: FaultLine,
    ) -> web.StreamResponse:
        socket = web.WebSocketResponse(
            # Server-side clients offer none; browsers offer "realtime" beside the key, and expect it back.
            protocols=(SUBPROTOCOL,),
            compress=False,
            autoclose=False,
            # A line that falls silent on purpose sends no pings either.
            heartbeat=None if faults.active else self._limits.ping_s,
            max_msg_size=self._limits.frame_bytes,
        )
        await socket.prepare(_without_key(request))
        transport = request.transport
        if transport is None:  # it has left already
            return socket
        connection = Connection(
            socket,
            transport,
            route.dialect,
            engine,
            self._ready,
            self._workers,
            limits=self._limits,
            clock=self._clock,
            session_s=self._session_s,
            faults=faults,
        )
        self._connections[task] = connection
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        session_id = engine.session["id"]
        log_event("session_opened", session_id=session_id, dialect=route.dialect.name)
        failure: Exception | None = None
        try:
            await connection.run()
        except Exception as error:
            failure = error
        log_event(
            "session_closed",
            level=logging.ERROR if failure else logging.INFO,
            error=failure,
            session_id=session_id,
            dialect=route.dialect.name,
            close_code=connection.close_code,
            duration_s=round(loop.time() - began_s, 3),
        )
        return socket


def _without_key(request: web.BaseRequest) -> web.BaseRequest:
    """Return the request with no subprotocol but ours: aiohttp logs those that it does not know."""
    headers = request.headers.copy()
    headers.popall("Sec-WebSocket-Protocol", None)
    if SUBPROTOCOL in offered_subprotocols(request.headers):
        headers["Sec-WebSocket-Protocol"] = SUBPROTOCOL
    return request.clone(headers=headers)
