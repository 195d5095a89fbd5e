"""What is served where: the paths of both vendors, and which dialect each of them speaks."""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal

from rt_notebook.core.dialects import GA, PREVIEW, VOICE_LIVE, Dialect

if TYPE_CHECKING:
    from multidict import MultiMapping

__all__ = ["BETA_SUBPROTOCOL", "Refusal", "Route", "find_route"]

Json = dict[str, Any]

BETA_SUBPROTOCOL = "openai-beta.realtime-v1"

Resource = Literal["session", "client_secret", "session_object", "transcription_session", "health"]


@dataclass(frozen=True, slots=True)
class Route:
    """What a client asked for.

    Attributes
    ----------
    resource
        ``"session"`` is the WebSocket, ``"health"`` how the server is; the others make keys.
    settings
        What a session begins with, in GA form, besides the defaults.
    azure
        Whether it is one of Azure's paths.
    """

    resource: Resource
    dialect: Dialect
    model: str = "local"
    settings: Json = field(default_factory=dict)
    azure: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a client does not get what it asked for; told as the vendors tell it."""

    status: HTTPStatus
    message: str
    code: str | None = None
    param: str | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def body(self) -> Json:
        """Return the JSON body."""
        kind = "invalid_request_error"
        if self.status == HTTPStatus.TOO_MANY_REQUESTS:
            kind = "rate_limit_error"
        elif self.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            kind = "server_error"
        error = {"message": self.message, "type": kind, "code": self.code, "param": self.param}
        return {"error": error}


_REST: dict[str, Route] = {
    "/v1/realtime/client_secrets": Route("client_secret", GA),
    "/openai/v1/realtime/client_secrets": Route("client_secret", GA),
    "/v1/realtime/sessions": Route("session_object", PREVIEW),
    "/openai/realtimeapi/sessions": Route("session_object", PREVIEW),
    "/v1/realtime/transcription_sessions": Route("transcription_session", PREVIEW),
    "/health": Route("health", GA),
}


def find_route(
    path: str, query: dict[str, list[str]], headers: MultiMapping[str], subprotocols: list[str]
) -> Route | Refusal:
    """Return what a path leads to."""
    if path in _REST:
        return _REST[path]
    model = (query.get("model") or query.get("deployment") or ["local"])[0]
    settings = {"type": "transcription"} if "transcription" in query.get("intent", []) else {}
    if path == "/openai/realtime":
        if "deployment" not in query:
            message = "The query names no deployment; any name will do."
            return Refusal(HTTPStatus.NOT_FOUND, message, "DeploymentNotFound", "deployment")
        return Route("session", PREVIEW, model, settings, azure=True)
    if path == "/voice-live/realtime":
        return Route("session", VOICE_LIVE, model, settings, azure=True)
    if path == "/openai/v1/realtime":
        if "api-version" in query:
            message = "The GA path takes no api-version."
            return Refusal(HTTPStatus.UNAUTHORIZED, message, None, "api-version")
        return Route("session", GA, model, settings, azure=True)
    if path == "/v1/realtime":
        beta = "realtime=v1" in headers.get("OpenAI-Beta", "") or BETA_SUBPROTOCOL in subprotocols
        return Route("session", PREVIEW if beta else GA, model, settings)
    if path.endswith("/realtime/calls"):
        message = "WebRTC is not served here. Open a WebSocket on /v1/realtime instead."
        return Refusal(HTTPStatus.NOT_FOUND, message, "not_found")
    message = "Nothing is served there. Use /v1/realtime, /openai/v1/realtime or /openai/realtime."
    return Refusal(HTTPStatus.NOT_FOUND, message, "not_found")
