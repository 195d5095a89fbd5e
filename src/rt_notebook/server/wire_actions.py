"""What is done on a client's wire, in order: mostly sending."""

from __future__ import annotations

from dataclasses import dataclass

from rt_notebook.server.effects import Close

__all__ = ["Action", "Binary", "Close", "Reset", "Stall", "Text", "Wait"]


@dataclass(frozen=True, slots=True)
class Text:
    """Send a text frame."""

    frame: str


@dataclass(frozen=True, slots=True)
class Binary:
    """Send a binary frame; the API has none."""

    frame: bytes


@dataclass(frozen=True, slots=True)
class Wait:
    """Send nothing for a while."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Reset:
    """Break the connection without a goodbye."""


@dataclass(frozen=True, slots=True)
class Stall:
    """Send nothing any more, and leave the connection open."""


Action = Text | Binary | Wait | Close | Reset | Stall
