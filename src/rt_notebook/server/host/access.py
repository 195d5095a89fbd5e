"""Who may come in, decided from the head of a request alone: names, pages, paths, methods and keys."""

from __future__ import annotations

import hmac
import re
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from rt_notebook.server.host.routes import Refusal, Route, find_route

if TYPE_CHECKING:
    from multidict import MultiMapping

    from rt_notebook.io.secrets.secret import Secret
    from rt_notebook.server.host.ephemeral_keys import EphemeralKeys
    from rt_notebook.server.host.sites import Sites

__all__ = ["SUBPROTOCOL", "Access", "offered_subprotocols"]

SUBPROTOCOL = "realtime"
_BEARER = re.compile(r"^bearer\s+", re.IGNORECASE)
_KEY_SUBPROTOCOL = "openai-insecure-api-key."


class Access:
    """The rules of one server.

    Parameters
    ----------
    sites
        Names that it answers to and pages that may use it.
    key
        What a client has to know.
    ephemeral
        Keys that open sessions for a while; they make no further keys.
    """

    def __init__(self, sites: Sites, key: Secret, ephemeral: EphemeralKeys) -> None:
        self.sites = sites
        self._key = key
        self._ephemeral = ephemeral

    def admit(self, method: str, target: str, headers: MultiMapping[str], now_s: float) -> Route | Refusal:
        """Decide on a request.

        Parameters
        ----------
        target
            Path and query. A key may come in ``api-key`` or ``Authorization`` of the headers or of the query,
            or in a subprotocol, as the vendors allow.
        now_s
            Unix time.
        """
        foreign = self._foreign(headers)
        if foreign is not None:
            return foreign
        try:
            parts = urlsplit(target)
        except ValueError:
            return Refusal(HTTPStatus.BAD_REQUEST, "The address cannot be read.")
        query = parse_qs(parts.query)
        subprotocols = offered_subprotocols(headers)
        route = find_route(parts.path, query, headers, subprotocols)
        if isinstance(route, Refusal) or route.resource == "health":
            return route
        if method == "OPTIONS":  # a browser asks in advance, without the key
            return route
        keys = _given_keys(query, headers, subprotocols)
        return self._with_key(route, keys, now_s) or _unauthorized(keys)

    def _foreign(self, headers: MultiMapping[str]) -> Refusal | None:
        hosts = headers.getall("Host", [])
        if len(hosts) != 1 or not self.sites.answers_to(hosts[0]):
            message = "This server is not known by that name. Use its address, or start it with --allow-host."
            return Refusal(HTTPStatus.FORBIDDEN, message, "host_not_allowed")
        if not all(self.sites.admits(origin) for origin in headers.getall("Origin", [])):
            message = "Pages from that site may not use this server, unless --allow-origin names it."
            return Refusal(HTTPStatus.FORBIDDEN, message, "origin_not_allowed")
        return None

    def _with_key(self, route: Route, keys: list[str], now_s: float) -> Route | None:
        expected = self._key.reveal().encode()
        # Every key is compared to its end: the time it takes tells nothing about them.
        matches = [hmac.compare_digest(key.encode("utf-8", "surrogateescape"), expected) for key in keys]
        if any(matches):
            return route
        if route.resource == "session":
            for key in keys:
                settings = self._ephemeral.settings_of(key, now_s)
                if settings is not None:
                    return replace(route, settings=route.settings | settings)
        return None


def _unauthorized(keys: list[str]) -> Refusal:
    what = "wrong, or has expired" if any(keys) else "missing"
    message = f"The key is {what}. The server printed its key at its start."
    return Refusal(HTTPStatus.UNAUTHORIZED, message, "invalid_api_key")


def offered_subprotocols(headers: MultiMapping[str]) -> list[str]:
    """Return the subprotocols that a client offers."""
    offered = ",".join(headers.getall("Sec-WebSocket-Protocol", []))
    return [name.strip() for name in offered.split(",") if name.strip()]


def _given_keys(
    query: dict[str, list[str]], headers: MultiMapping[str], subprotocols: list[str]
) -> list[str]:
    bearers = [headers.get("Authorization", ""), *query.get("Authorization", [])]
    return [
        headers.get("api-key", ""),
        *(_BEARER.sub("", bearer, count=1).strip() for bearer in bearers),
        *query.get("api-key", []),
        *(name.removeprefix(_KEY_SUBPROTOCOL) for name in subprotocols if name.startswith(_KEY_SUBPROTOCOL)),
    ]
