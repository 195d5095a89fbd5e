"""Keep the keys that this process knows, and whatever looks like one, out of what leaves it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from rt_notebook.core.scrub import scrub_text, scrubbed
from rt_notebook.io.bundle.lines import encode_event

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rt_notebook.core.events import Event
    from rt_notebook.io.secrets.secret import Secret

__all__ = ["Scrubber"]

_SHORTEST = 6
"""A known key shorter than this would be found in ordinary words."""

_MASK = "***"


class Scrubber:
    """Blots out the keys that it is given, and whatever looks like a key or a token.

    Attributes
    ----------
    masked
        In how many events something was blotted out.
    """

    def __init__(self, secrets: Iterable[Secret] = ()) -> None:
        self._secrets = [secret for secret in secrets if len(secret.reveal()) >= _SHORTEST]
        self.masked = 0

    def text(self, text: str) -> str:
        """Return `text` without keys."""
        for secret in self._secrets:
            text = text.replace(secret.reveal(), _MASK)
        return scrub_text(text)

    def line(self, event: Event) -> bytes:
        """Return an event as a JSON line, without keys."""
        clean = scrubbed(event)
        line = encode_event(clean)
        found = clean is not event
        for secret in self._secrets:
            key = msgspec.json.encode(secret.reveal())[1:-1]
            if key in line:
                line, found = line.replace(key, _MASK.encode()), True
        self.masked += found
        return line

    def __repr__(self) -> str:
        return f"<Scrubber: {self.masked} masked>"
