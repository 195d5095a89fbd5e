"""What the engine asks of the world: events to send, and work for the speech components."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["CancelReply", "Detect", "Effect", "MakeReply", "Message", "Send", "Transcribe"]


@dataclass(frozen=True, slots=True)
class Send:
    """Send this GA event to the client."""

    event: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Detect:
    """Judge these frames (32 ms of PCM16 at 24 kHz each); answer with `Engine.detected`."""

    frames: list[bytes]


@dataclass(frozen=True, slots=True)
class Transcribe:
    """Write down what is said (PCM16, 24 kHz); answer with `Engine.transcribed`."""

    item_id: str
    pcm: bytes


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the conversation, as a language model gets it."""

    role: str
    text: str


@dataclass(frozen=True, slots=True)
class MakeReply:
    """Write a reply and, if asked, speak it.

    Answer with `Engine.replied` for text as it comes, `Engine.spoke` for audio, and `Engine.finished`.
    """

    response_id: str
    messages: list[Message]
    aloud: bool = True
    temperature: float | None = None
    max_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class CancelReply:
    """Stop the work on this response; nothing more of it is wanted."""

    response_id: str


Effect = Send | Detect | Transcribe | MakeReply | CancelReply
