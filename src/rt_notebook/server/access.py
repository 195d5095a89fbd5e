"""Who may connect, and where to: paths, keys, hosts and origins of the handshake."""

from __future__ import annotations

import hmac
import ipaddress
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from rt_notebook.core.dialects import GA, PREVIEW, VOICE_LIVE, Dialect

if TYPE_CHECKING:
    from websockets.datastructures import Headers

    from rt_notebook.io.secret import Secret

__all__ = ["SUBPROTOCOL", "Refusal", "Route", "admit"]

SUBPROTOCOL = "realtime"
_KEY_SUBPROTOCOL = "openai-insecure-api-key."
_BETA_SUBPROTOCOL = "openai-beta.realtime-v1"


@dataclass(frozen=True, slots=True)
class Route:
    """What a client asked for."""

    dialect: Dialect
    model: str
    azure: bool = False
    kind: str = "realtime"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a client is not let in."""

    status: HTTPStatus
    message: str


def admit(target: str, headers: Headers, key: Secret) -> Route | Refusal:
    """Decide on a handshake.

    Parameters
    ----------
    target
        Path and query of the request.
    headers
        Its headers.
    key
        What the client has to know. It may come as a bearer token, as ``api-key`` in a header or in the
        query, or in a subprotocol, as the vendors allow.
    """
    parts = urlsplit(target)
    query = parse_qs(parts.query)
    offered = [name.strip() for name in ",".join(headers.get_all("Sec-WebSocket-Protocol")).split(",")]
    if not _local_host(headers.get("Host", "")):
        return Refusal(HTTPStatus.FORBIDDEN, "This server is reached by a loopback address only.")
    origin = headers.get("Origin")
    if origin is not None and not _local_host(urlsplit(origin).netloc):
        return Refusal(HTTPStatus.FORBIDDEN, "Pages from other sites may not use this server.")
    route = _route(parts.path, query, headers, offered)
    if isinstance(route, Refusal):
        return route
    keys = [
        headers.get("api-key", ""),
        headers.get("Authorization", "").removeprefix("Bearer ").strip(),
        *query.get("api-key", []),
        *(name.removeprefix(_KEY_SUBPROTOCOL) for name in offered if name.startswith(_KEY_SUBPROTOCOL)),
    ]
    expected = key.reveal().encode()
    # Every key is compared to its end: the time it takes tells nothing about them.
    matches = [hmac.compare_digest(given.encode(), expected) for given in keys]
    if not any(matches):
        return Refusal(
            HTTPStatus.UNAUTHORIZED, "The key is missing or wrong; the server printed it at its start."
        )
    return route


def _route(path: str, query: dict[str, list[str]], headers: Headers, offered: list[str]) -> Route | Refusal:
    model = (query.get("model") or query.get("deployment") or ["local"])[0]
    kind = "transcription" if query.get("intent") == ["transcription"] else "realtime"
    if path == "/openai/realtime":
        if "deployment" not in query:
            return Refusal(HTTPStatus.NOT_FOUND, "The query names no deployment; any name will do.")
        return Route(PREVIEW, model, azure=True)
    if path == "/voice-live/realtime":
        return Route(VOICE_LIVE, model, azure=True)
    if path == "/openai/v1/realtime":
        if "api-version" in query:
            return Refusal(HTTPStatus.UNAUTHORIZED, "The GA path takes no api-version.")
        return Route(GA, model, azure=True, kind=kind)
    if path == "/v1/realtime":
        beta = "realtime=v1" in headers.get("OpenAI-Beta", "") or _BETA_SUBPROTOCOL in offered
        return Route(PREVIEW if beta else GA, model, kind=kind)
    return Refusal(HTTPStatus.NOT_FOUND, "Use /v1/realtime, /openai/v1/realtime or /openai/realtime.")


def _local_host(netloc: str) -> bool:
    host = urlsplit(f"//{netloc}").hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
