"""JSON and base64 as the wire wants them.

msgspec and pybase64 cost a third and a fifth of what the standard library does on realtime traffic.
"""

from __future__ import annotations

import binascii
from typing import Any

import msgspec
import pybase64

__all__ = [
    "decode",
    "decode_audio",
    "encode",
    "encode_audio",
    "encode_audio_bytes",
    "encode_bytes",
    "whole_text",
]

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder()


def encode(event: dict[str, Any]) -> str:
    """One event as one text frame."""
    return _encoder.encode(event).decode()


def encode_bytes(event: dict[str, Any]) -> bytes:
    """One event as the UTF-8 of one text frame."""
    return _encoder.encode(event)


def whole_text(text: str) -> str:
    """Text with a question mark for each half of a character pair: it cannot go over the wire."""
    return text.encode("utf-8", "replace").decode()


def decode(frame: str | bytes) -> dict[str, Any]:
    """One frame as one event.

    Raises
    ------
    ValueError
        The frame is not JSON, is no object, or has no ``type``.
    """
    try:
        event = _decoder.decode(frame)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"not JSON: {error}") from error
    if not isinstance(event, dict):
        raise ValueError(f"a JSON {type(event).__name__} instead of an object")  # noqa: TRY004 - one kind of error for a bad frame
    if not isinstance(event.get("type"), str):
        raise ValueError("an object without a type")  # noqa: TRY004 - one kind of error for a bad frame
    return event


def encode_audio(pcm: bytes) -> str:
    """Audio bytes as the base64 that events carry."""
    return pybase64.b64encode_as_string(pcm)


def encode_audio_bytes(pcm: bytes) -> bytes:
    """Audio bytes as base64 in ASCII, ready to be put into a frame."""
    return pybase64.b64encode(pcm)


def decode_audio(text: object) -> bytes:
    """Audio bytes out of an event's base64.

    Raises
    ------
    ValueError
        It is not base64.
    """
    if not isinstance(text, str):
        raise ValueError("audio is not a string")  # noqa: TRY004 - one kind of error for a bad frame
    try:
        return pybase64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"audio is not base64: {error}") from error
