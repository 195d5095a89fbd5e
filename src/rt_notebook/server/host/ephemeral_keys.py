"""Keys that end by themselves: what a web page gets instead of the real one."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import Any

__all__ = ["EphemeralKeys", "KeysExhausted"]

Json = dict[str, Any]

_MAX_LIVE = 1000


class KeysExhausted(Exception):  # noqa: N818 - an answer of the protocol, not an error of this program
    """Too many keys are alive at once."""


@dataclass(frozen=True, slots=True)
class _Grant:
    expires_at_s: float
    settings: Json


class EphemeralKeys:
    """Make keys and know them again until they expire.

    Only their digests are kept: looking one up takes a time that tells nothing about the others, and no key
    can be read out of the server's memory.
    """

    def __init__(self) -> None:
        self._grants: dict[bytes, _Grant] = {}

    def make(self, settings: Json, lifetime_s: float, now_s: float) -> tuple[str, int]:
        """Return a new key and the Unix time at which it expires.

        Parameters
        ----------
        settings
            The session settings (GA form) that every session opened with the key begins with.

        Raises
        ------
        KeysExhausted
            A thousand keys are alive; that many come from a mistake only.
        """
        self._grants = {k: grant for k, grant in self._grants.items() if grant.expires_at_s > now_s}
        if len(self._grants) >= _MAX_LIVE:
            raise KeysExhausted
        key = f"ek_{secrets.token_hex(16)}"
        expires_at_s = int(now_s + lifetime_s)
        self._grants[_digest(key)] = _Grant(expires_at_s, settings)
        return key, expires_at_s

    def settings_of(self, key: str, now_s: float) -> Json | None:
        """Return the settings that belong to a key, or None if it is unknown or has expired."""
        grant = self._grants.get(_digest(key))
        return grant.settings if grant is not None and now_s < grant.expires_at_s else None


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()
