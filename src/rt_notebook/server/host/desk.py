"""The desk: every request comes here, and is refused, answered, or becomes a session."""

from __future__ import annotations

import asyncio
import logging
from http import HTTPStatus
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from aiohttp import web

from rt_notebook.core import wire_json
from rt_notebook.server.engine.ids import IdMaker
from rt_notebook.server.host.logs import log_event
from rt_notebook.server.host.rest import cors_headers, make_key
from rt_notebook.server.host.routes import Refusal, Route

if TYPE_CHECKING:
    import random

    from rt_notebook.server.host.access import Access
    from rt_notebook.server.host.clock import Clock
    from rt_notebook.server.host.ephemeral_keys import EphemeralKeys
    from rt_notebook.server.host.session_host import SessionHost

__all__ = ["Desk"]

Json = dict[str, Any]


class Desk:
    """Answer requests.

    Parameters
    ----------
    access
        Who may come in.
    ephemeral
        Keys that are made here.
    sessions
        Where a WebSocket goes.
    body_s
        Time for the body of a request.
    chance
        Source of the ids.
    """

    def __init__(
        self,
        access: Access,
        ephemeral: EphemeralKeys,
        sessions: SessionHost,
        *,
        body_s: float,
        clock: Clock,
        chance: random.Random,
    ) -> None:
        self._access = access
        self._ephemeral = ephemeral
        self._sessions = sessions
        self._body_s = body_s
        self._clock = clock
        self._new_id = IdMaker(chance)

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request; that of a session is answered when the session is over."""
        route = self._access.admit(request.method, request.raw_path, request.headers, self._clock.now_s())
        if isinstance(route, Refusal):
            return self._http(request, route)
        if route.resource == "session" and request.method == "GET":
            served = await self._sessions.serve(request, route)
            return self._http(request, served) if isinstance(served, Refusal) else served
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
                "sessions": len(self._sessions),
                "components": self._sessions.components.running,
            }
        try:
            async with asyncio.timeout(self._body_s):
                body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body is too large; 1 MiB is allowed.")
        except TimeoutError:
            return Refusal(HTTPStatus.REQUEST_TIMEOUT, "The body did not arrive in time.")
        return make_key(route, body, self._ephemeral, self._new_id, self._clock.now_s())

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
