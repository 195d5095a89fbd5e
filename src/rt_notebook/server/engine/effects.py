"""What the engine asks of the world: events to send, and work for the speech components."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = [
    "CancelReply",
    "CancelTranscribe",
    "Close",
    "Detect",
    "Effect",
    "FunctionCall",
    "JudgeEnd",
    "MakeReply",
    "Message",
    "Prepare",
    "Send",
    "Tool",
    "ToolChoice",
    "Transcribe",
]

ToolChoice = str
"""``"auto"``, ``"none"`` or ``"required"``; any other word names the one function that has to be called."""


@dataclass(frozen=True, slots=True)
class Send:
    """Send this GA event to the client."""

    event: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Close:
    """Close the connection, after all that was sent before."""

    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class Detect:
    """Judge these frames (32 ms of PCM16 at `rate_hz` each); answer with `Engine.detected`."""

    frames: list[bytes]
    rate_hz: int = 24_000


@dataclass(frozen=True, slots=True)
class JudgeEnd:
    """Judge whether the speaker has said all (PCM16 at `rate_hz`); answer with `Engine.judged`."""

    job_id: str
    pcm: bytes
    rate_hz: int = 24_000


@dataclass(frozen=True, slots=True)
class Transcribe:
    """Write down what is said (PCM16 at `rate_hz`); answer with `Engine.transcribed`."""

    job_id: str
    pcm: bytes
    rate_hz: int = 24_000


@dataclass(frozen=True, slots=True)
class CancelTranscribe:
    """Stop this transcription; its result is no longer wanted."""

    job_id: str


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """A call that an assistant made; `arguments` is a JSON text."""

    call_id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the conversation, as a language model gets it.

    Parameters
    ----------
    role
        ``"system"``, ``"user"``, ``"assistant"``, or ``"tool"`` for the output of a function.
    text
        The words; empty for a call.
    call
        The function that an assistant called.
    call_id
        The call that a tool's output answers.
    """

    role: str
    text: str
    call: FunctionCall | None = None
    call_id: str | None = None


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that a reply may call; `parameters` is the JSON schema of its arguments."""

    name: str
    description: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Prepare:
    """Read this conversation in advance: the user has begun to speak, and a reply to it will be wanted."""

    messages: list[Message]
    tools: tuple[Tool, ...] = ()


@dataclass(frozen=True, slots=True)
class MakeReply:
    """Write a reply and, if asked, speak it.

    Answer with `Engine.replied` for text as it comes, `Engine.called` for function calls, `Engine.spoke` for
    audio, and `Engine.finished`.

    Parameters
    ----------
    heard
        The user's last spoken turn (PCM16, 24 kHz); empty where it was typed.
    speed
        How fast to speak, 1.0 being the voice's own pace.
    """

    response_id: str
    messages: list[Message]
    aloud: bool = True
    temperature: float | None = None
    max_tokens: int | None = None
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice = "auto"
    heard: bytes = b""
    speed: float = 1.0


@dataclass(frozen=True, slots=True)
class CancelReply:
    """Stop the work on this response; nothing more of it is wanted."""

    response_id: str


Effect = Send | Close | Detect | JudgeEnd | Transcribe | CancelTranscribe | Prepare | MakeReply | CancelReply
