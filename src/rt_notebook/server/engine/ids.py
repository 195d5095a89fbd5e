"""Ids in the shape that the API gives them."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

__all__ = ["IdMaker"]

_BASE62 = string.ascii_letters + string.digits


class IdMaker:
    """Make ids such as ``item_`` and 21 letters or digits, from a source of chance that is passed in."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def __call__(self, prefix: str) -> str:
        """Return a new id."""
        return f"{prefix}_{''.join(self._chance.choices(_BASE62, k=21))}"
