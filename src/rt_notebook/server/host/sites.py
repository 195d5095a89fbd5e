"""Which names this server answers to, and which web pages may use it.

A browser lets any page open sockets to this machine, so a key alone is not enough: the page's `Origin` has to
be allowed. And a name that a page controls may be made to point here (DNS rebinding), so the `Host` that was
asked for has to be one of ours.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from rt_notebook.errors import ConfigError
from rt_notebook.io.endpoints.address import is_loopback

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Sites"]

_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(:\d{1,5})?", re.IGNORECASE)
_ORIGIN = re.compile(rf"([a-z][a-z0-9+.-]*)://({_HOST.pattern})", re.IGNORECASE)
_DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}


class Sites:
    """The rules of one server.

    A server on a loopback address answers to loopback names only. One that other machines can reach also
    answers to any IP address (a rebound name is never one), to this machine's own names, and to `names`.
    The port does not matter: a forwarded port has another number, and rebinding is about names.

    Parameters
    ----------
    bound
        The address that the server listens on.
    origins
        Web pages that may use it besides those on loopback, as ``scheme://host[:port]``.
    names
        Further host names that lead here, such as that of a reverse proxy.

    Raises
    ------
    ConfigError
        An origin is none.
    """

    def __init__(self, bound: str, origins: Iterable[str] = (), names: Iterable[str] = ()) -> None:
        self._origins = frozenset(_checked(origin) for origin in origins)
        self._local = is_loopback(bound)
        self._names = {name.lower() for name in names} | {bound.lower()}
        if not self._local:
            own = socket.gethostname().lower()
            self._names |= {own, f"{own}.local", own.partition(".")[0], socket.getfqdn().lower()}

    def answers_to(self, host: str) -> bool:
        """Whether a ``Host`` header names this server."""
        match = _HOST.fullmatch(host)
        if match is None:
            return False
        name = match[1].strip("[]").lower()
        if is_loopback(name) or name.rstrip(".") in self._names:
            return True
        return not self._local and _is_address(name)

    def admits(self, origin: str) -> bool:
        """Whether the page of an ``Origin`` header may use this server."""
        match = _ORIGIN.fullmatch(origin)
        if match is None:
            return False
        if match[1].lower() in {"http", "https"} and is_loopback(match[3].strip("[]")):
            return True
        return _normal(origin) in self._origins


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _checked(origin: str) -> str:
    if _ORIGIN.fullmatch(origin.rstrip("/")) is None:
        raise ConfigError(
            f"{origin!r} is not the origin of a web page.",
            "Name it as the browser does, such as https://lab.example.org or http://10.0.0.5:8888.",
        )
    return _normal(origin.rstrip("/"))


def _normal(origin: str) -> str:
    parts = urlsplit(origin.lower())
    port = parts.port or _DEFAULT_PORTS.get(parts.scheme)
    return f"{parts.scheme}://{parts.hostname}:{port}"
