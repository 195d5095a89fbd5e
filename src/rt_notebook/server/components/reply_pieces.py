"""What a replier yields, piece by piece."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CallPiece", "LimitReached", "ReplyPiece", "Speech"]


@dataclass(frozen=True, slots=True)
class CallPiece:
    """A piece of a function call.

    Parameters
    ----------
    name
        The function, which begins a call; empty in the pieces that go on with its arguments.
    arguments
        The next piece of the arguments' JSON text.
    """

    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Speech:
    """Speech of a replier that answers with audio itself: PCM16 at 24 kHz."""

    pcm: bytes


@dataclass(frozen=True, slots=True)
class LimitReached:
    """The last piece of a reply that its token limit cut off."""


ReplyPiece = str | CallPiece | Speech | LimitReached
"""A ``str`` is text."""
