"""Where a socket is opened, and what it is opened with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rt_notebook.io.secrets.secret import Secret

__all__ = ["Address"]


@dataclass(frozen=True, slots=True)
class Address:
    """A URL to open and the headers to open it with. The values of the headers are secrets."""

    url: str
    headers: dict[str, Secret] = field(default_factory=dict)
