"""What is done on a client's wire, in order: mostly sending."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rt_notebook.server.engine.effects import Close

__all__ = [
    "Action",
    "Binary",
    "Close",
    "FailResponse",
    "FaultAction",
    "Pass",
    "Reset",
    "Stall",
    "Text",
    "Wait",
]


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


@dataclass(frozen=True, slots=True)
class Pass:
    """Let an event go on its way to the client, in GA form."""

    event: dict[str, Any]


@dataclass(frozen=True, slots=True)
class FailResponse:
    """Let the engine end a response as failed."""

    response_id: str
    problem: str


FaultAction = Pass | FailResponse | Action
"""What a fault does instead of sending an event."""
