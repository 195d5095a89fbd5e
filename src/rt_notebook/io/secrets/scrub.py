"""Keep the keys that this process knows, and whatever looks like one, out of what leaves it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from rt_notebook.core.scrub import scrub_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rt_notebook.io.secrets.secret import Secret

__all__ = ["Scrubber"]

_SHORTEST = 6
"""A known key shorter than this would be found in ordinary words."""

_MASK = "***"


class Scrubber:
    """Blots out the keys that it is given, and whatever looks like a key or a token."""

    def __init__(self, secrets: Iterable[Secret] = ()) -> None:
        self._secrets = [secret for secret in secrets if len(secret.reveal()) >= _SHORTEST]

    def text(self, text: str) -> str:
        """Return `text` without keys."""
        for secret in self._secrets:
            text = text.replace(secret.reveal(), _MASK)
        return scrub_text(text)

    def json(self, text: bytes) -> bytes:
        """Return JSON without the keys that are known."""
        for secret in self._secrets:
            text = text.replace(msgspec.json.encode(secret.reveal())[1:-1], _MASK.encode())
        return text

    def __repr__(self) -> str:
        return f"<Scrubber: {len(self._secrets)} known keys>"
