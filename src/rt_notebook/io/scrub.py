"""Find keys and tokens in text that is about to leave this process, and blot them out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rt_notebook.io.secret import Secret

__all__ = ["Scrubber"]

_SHORTEST = 6
"""A known key shorter than this would be found in ordinary words."""

_SHAPES = (
    rb"\bsk-[A-Za-z0-9_-]{16,}",  # OpenAI's keys
    rb"\bek_[A-Za-z0-9]{16,}",  # and those for browsers
    rb"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*",  # JSON web tokens
    rb"(?i:(?<=bearer )|(?<=api-key: )|(?<=api-key=)|(?<=api_key=))[A-Za-z0-9._~+/-]{12,}=*",
)


class Scrubber:
    """Blots out the keys that it is given, and whatever looks like a key or a token.

    What is blotted out keeps its length, so that it fits wherever it stood.

    Parameters
    ----------
    secrets
        Keys that are known here. They are kept inside a compiled pattern only.
    """

    def __init__(self, secrets: Iterable[Secret] = ()) -> None:
        known = [secret.reveal() for secret in secrets]
        exact = [re.escape(key.encode()) for key in known if len(key) >= _SHORTEST]
        self._pattern = re.compile(b"|".join([*exact, *_SHAPES]))
        self.masked = 0

    def clean(self, raw: bytes) -> bytes:
        """Return `raw` without keys, and count them in `masked`."""
        cleaned, found = self._pattern.subn(lambda match: b"*" * len(match[0]), raw)
        self.masked += found
        return cleaned

    def __repr__(self) -> str:
        return f"<Scrubber: {self.masked} masked>"
