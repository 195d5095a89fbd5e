"""The requests beside the WebSocket, pure: ephemeral keys, and what browsers ask in advance."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec

from rt_notebook.core.dialects import NotInDialect
from rt_notebook.server.engine.refusal import BadRequest, object_at
from rt_notebook.server.engine.settings import new_session, shown_session, updated_session
from rt_notebook.server.host.ephemeral_keys import EphemeralKeys, KeysExhausted
from rt_notebook.server.host.routes import Refusal, Route

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rt_notebook.core.dialects import Dialect
    from rt_notebook.server.engine.ids import IdMaker

__all__ = ["bad_request", "cors_headers", "make_key"]

Json = dict[str, Any]

_LIFETIME_S = 600
_MIN_LIFETIME_S, _MAX_LIFETIME_S = 10, 7200
_PREVIEW_LIFETIME_S = 60


def make_key(route: Route, body: bytes, keys: EphemeralKeys, new_id: IdMaker, now_s: float) -> Json | Refusal:
    """Answer a request for an ephemeral key.

    The settings in it are checked as a ``session.update`` would be, so that who asks learns of a mistake, not
    who connects later.

    Parameters
    ----------
    route
        One of the three resources that make keys.
    now_s
        Unix time.
    """
    try:
        given = _object(body)
        if route.resource == "client_secret":
            lifetime_s, session = _ga_request(given)
        else:
            lifetime_s, session = _PREVIEW_LIFETIME_S, _preview_request(route, given)
        described = _described(session, route.dialect, new_id)
    except BadRequest as refusal:
        return bad_request(refusal)
    try:
        value, expires_at_s = keys.make(session, lifetime_s, now_s)
    except KeysExhausted:
        message = "Too many keys are alive at once. Wait until some have expired."
        headers = {"Retry-After": str(_PREVIEW_LIFETIME_S)}
        return Refusal(HTTPStatus.TOO_MANY_REQUESTS, message, "rate_limit_exceeded", headers=headers)
    if route.resource == "client_secret":
        return {"value": value, "expires_at": expires_at_s, "session": described}
    return described | {"client_secret": {"value": value, "expires_at": expires_at_s}}


def bad_request(refusal: BadRequest) -> Refusal:
    """Return what the protocol refuses as an answer over HTTP."""
    return Refusal(HTTPStatus.BAD_REQUEST, str(refusal), refusal.code, refusal.param)


def cors_headers(request_headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers that let the page of an allowed ``Origin`` read an answer; none without one."""
    origin = request_headers.get("Origin")
    if origin is None:
        return {}
    headers = {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}
    if "Access-Control-Request-Method" in request_headers:
        headers |= {
            "Access-Control-Allow-Methods": "GET, POST",
            # The vendors' libraries send headers of their own; an allowed page may send what it likes.
            "Access-Control-Allow-Headers": request_headers.get("Access-Control-Request-Headers", ""),
            "Access-Control-Max-Age": "600",
        }
    return headers


def _object(body: bytes) -> Json:
    try:
        given = msgspec.json.decode(body or b"{}")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BadRequest("invalid_json", "The body is not JSON.") from None
    if not isinstance(given, dict):
        raise BadRequest("invalid_type", "The body has to be a JSON object.")
    return given


def _ga_request(given: Json) -> tuple[float, Json]:
    for key in given:
        if key not in {"expires_after", "session"}:
            raise BadRequest("unknown_parameter", f"Unknown parameter: '{key}'.", key)
    after = given.get("expires_after") or {}
    if not isinstance(after, dict) or after.get("anchor", "created_at") != "created_at":
        message = "expires_after is {'anchor': 'created_at', 'seconds': ...}."
        raise BadRequest("invalid_value", message, "expires_after")
    seconds = after.get("seconds", _LIFETIME_S)
    whole = isinstance(seconds, int) and not isinstance(seconds, bool)
    if not whole or not _MIN_LIFETIME_S <= seconds <= _MAX_LIFETIME_S:
        message = f"expires_after.seconds must be from {_MIN_LIFETIME_S} to {_MAX_LIFETIME_S}."
        raise BadRequest("invalid_value", message, "expires_after.seconds")
    return seconds, object_at(given.get("session", {"type": "realtime"}), "session")


def _preview_request(route: Route, given: Json) -> Json:
    try:
        nested = route.dialect.client_from_wire({"type": "session.update", "session": given})["session"]
    except NotInDialect as error:
        raise BadRequest(error.code, str(error), error.param) from None
    kind = "transcription" if route.resource == "transcription_session" else "realtime"
    return dict(nested) | {"type": kind}


def _described(session: Json, dialect: Dialect, new_id: IdMaker) -> Json:
    """Return the session object that a connection with these settings would begin with."""
    kind, model = session.get("type", "realtime"), session.get("model", "local")
    fresh = new_session(new_id("sess"), model, 0, {}, preview=dialect.name != "ga", kind=kind)
    whole = updated_session(fresh, session, has_spoken=False)
    wire = dialect.server_to_wire({"type": "session.created", "session": shown_session(whole)}) or {}
    described: Json = dict(wire["session"])
    described.pop("rt_notebook", None)
    return described
