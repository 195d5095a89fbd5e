"""Where a socket is opened, and what it is opened with."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from rt_notebook.io.secrets.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["Address", "hidden_in", "is_loopback"]

_KEY_FIELDS = {
    *("api-key", "api_key", "apikey", "x-api-key", "subscription-key", "ocp-apim-subscription-key"),
    *("access_token", "authorization", "key", "sig", "token"),
}

_KEY_HEADERS = ("Authorization", "api-key")

_SHORTEST = 16
"""A shorter key may be a word of the protocol: only toys have one."""

_MASK = "***"


@dataclass(frozen=True, slots=True)
class Address:
    """A URL to open, the headers to open it with, and a file with further authorities that are trusted.

    The values of the headers are secrets. A `direct` address is in this process: no proxy may come between.
    """

    url: str
    headers: Mapping[str, Secret] = field(default_factory=dict)
    ca_file: str | None = None
    direct: bool = False

    def masked(self, text: str) -> str:
        """Return what the endpoint said without the key that it was opened with: some say it again."""
        for key in self._keys():
            text = text.replace(key, _MASK)
        return text

    def masked_frame(self, frame: str | bytes) -> str | bytes:
        """Do as `masked` with a frame."""
        if isinstance(frame, str):
            return self.masked(frame)
        for key in self._keys():
            frame = frame.replace(key.encode(), _MASK.encode())
        return frame

    def _keys(self) -> Iterator[str]:
        for name in _KEY_HEADERS:
            secret = self.headers.get(name)
            key = "" if secret is None else secret.reveal().removeprefix("Bearer ")
            if len(key) >= _SHORTEST:
                yield key


def hidden_in(address: str) -> list[Secret]:
    """Return what is secret in an address: its user, who may be a key, its password, keys in its query."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return []
    found = [parts.username, parts.password]
    found += [value for name, value in parse_qsl(parts.query) if name.lower() in _KEY_FIELDS]
    return [Secret(value) for value in found if value]


def is_loopback(name: str) -> bool:
    """Whether a host name or address is this machine's loopback, whatever a name server says."""
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name.lower() == "localhost"
