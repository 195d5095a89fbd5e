"""The sessions of a server: begin them while there is room, count them, and end them together."""

from __future__ import annotations

import asyncio
import logging
import math
from http import HTTPStatus
from typing import TYPE_CHECKING

from aiohttp import web

from rt_notebook.server.engine.engine import Engine
from rt_notebook.server.engine.refusal import BadRequest
from rt_notebook.server.host.access import SUBPROTOCOL, offered_subprotocols
from rt_notebook.server.host.connection import Connection
from rt_notebook.server.host.logs import log_event
from rt_notebook.server.host.rest import bad_request
from rt_notebook.server.host.routes import Refusal, Route

if TYPE_CHECKING:
    import random

    from rt_notebook.server.components.load import Components
    from rt_notebook.server.host.clock import Clock
    from rt_notebook.server.host.faults import FaultLine, FaultPlan
    from rt_notebook.server.host.limits import Limits
    from rt_notebook.server.work.workers import Workers

__all__ = ["SessionHost"]

_RETRY_AFTER = {"Retry-After": "5"}


class SessionHost:
    """Turn handshakes into sessions.

    Parameters
    ----------
    components
        What works for all of them.
    session_s
        How long one may last.
    faults
        What goes wrong on purpose.
    chance
        Source of the ids.

    Attributes
    ----------
    connections
        The sessions that are open, by the task that serves them; None while the handshake goes on.
    """

    def __init__(
        self,
        components: Components,
        *,
        session_s: float,
        faults: FaultPlan,
        limits: Limits,
        clock: Clock,
        chance: random.Random,
        workers: Workers,
    ) -> None:
        self.components = components
        self.connections: dict[asyncio.Task[object], Connection | None] = {}
        self._session_s = session_s
        self._faults = faults
        self._limits = limits
        self._clock = clock
        self._chance = chance
        self._workers = workers

    def __len__(self) -> int:
        return len(self.connections)

    async def serve(self, request: web.BaseRequest, route: Route) -> web.StreamResponse | Refusal:
        """Serve a session to its end, or say why it cannot begin."""
        refusal = self._not_now(request)
        if refusal is not None:
            return refusal
        try:
            engine = self._engine(route)
        except BadRequest as wrong:
            return bad_request(wrong)
        faults = self._faults.next_connection()
        if faults.refusal is not None:
            return faults.refusal
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a request is answered in a task
        self.connections[task] = None  # counted from here on
        try:
            return await self._accept(request, route, engine, task, faults)
        finally:
            del self.connections[task]

    async def leave(self, code: int, reason: str) -> None:
        """Say goodbye to everybody, and wait a moment for the answers."""
        for connection in self.connections.values():
            if connection is not None:
                connection.leave(code, reason)
        if self.connections:
            await asyncio.wait(set(self.connections), timeout=self._limits.goodbye_s)

    def _not_now(self, request: web.BaseRequest) -> Refusal | None:
        if request.headers.get("Upgrade", "").lower() != "websocket":
            headers = {"Upgrade": "websocket", "Connection": "Upgrade"}
            message = "Open this address as a WebSocket."
            return Refusal(HTTPStatus.UPGRADE_REQUIRED, message, "upgrade_required", headers=headers)
        if len(self) >= self._limits.sessions:
            message = f"All {self._limits.sessions} sessions of this server are taken. Try again later."
            return Refusal(HTTPStatus.TOO_MANY_REQUESTS, message, "rate_limit_exceeded", headers=_RETRY_AFTER)
        return None

    def _engine(self, route: Route) -> Engine:
        components = self.components
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
            self.components,
            self._workers,
            limits=self._limits,
            clock=self._clock,
            session_s=self._session_s,
            faults=faults,
        )
        self.connections[task] = connection
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
