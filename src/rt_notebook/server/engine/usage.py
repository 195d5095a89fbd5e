"""Tokens, by the rules of the published costs guide.

A user's audio is one token for 100 ms, an assistant's one for 50 ms; recorded sessions confirm it. Text is
estimated at one token for four characters: the tokenizer of the real models is not here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rt_notebook.server.engine.items import Item

__all__ = ["rate_limits", "response_usage", "transcription_usage"]


def _text_tokens(text: str) -> int:
    return -(-len(text) // 4)


def response_usage(context: Iterable[Item], instructions: str, text: str, audio_ms: int) -> dict[str, Any]:
    """Return the ``usage`` of a response that read `context` and said `text` in `audio_ms` of audio."""
    text_in = _text_tokens(instructions)
    audio_in = 0
    for item in context:
        if item.audio_ms:
            audio_in += item.audio_ms // (100 if item.wire.get("role") == "user" else 50)
        else:
            text_in += _text_tokens(item.heard_text)
    text_out, audio_out = _text_tokens(text), audio_ms // 50
    return {
        "total_tokens": text_in + audio_in + text_out + audio_out,
        "input_tokens": text_in + audio_in,
        "output_tokens": text_out + audio_out,
        "input_token_details": {
            "text_tokens": text_in,
            "audio_tokens": audio_in,
            "image_tokens": 0,
            "cached_tokens": 0,
            "cached_tokens_details": {"text_tokens": 0, "audio_tokens": 0, "image_tokens": 0},
        },
        "output_token_details": {"text_tokens": text_out, "audio_tokens": audio_out},
    }


def transcription_usage(audio_ms: int) -> dict[str, Any]:
    """Return the ``usage`` of a transcription: whole seconds, rounded up."""
    return {"type": "duration", "seconds": -(-audio_ms // 1000)}


_TOKENS_A_MINUTE = 1_000_000
_REQUESTS_A_MINUTE = 10_000


def rate_limits(*, preview: bool) -> dict[str, Any]:
    """Return the ``rate_limits.updated`` event. Nothing is limited here: all that was there remains.

    GA endpoints name tokens only, preview endpoints requests as well.
    """
    limits = {"requests": _REQUESTS_A_MINUTE, "tokens": _TOKENS_A_MINUTE}
    return {
        "type": "rate_limits.updated",
        "rate_limits": [
            {"name": name, "limit": limit, "remaining": limit, "reset_seconds": 0.0}
            for name, limit in limits.items()
            if preview or name == "tokens"
        ],
    }
