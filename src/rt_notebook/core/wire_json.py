"""JSON as the wire wants it. msgspec: a third of the cost of the standard library on realtime traffic."""

from __future__ import annotations

import base64
import binascii
from typing import Any, Literal

import msgspec

__all__ = ["decode", "decode_audio", "decode_audio_delta", "encode", "encode_audio"]


class _AudioDelta(msgspec.Struct, forbid_unknown_fields=True):
    """A piece of the assistant's voice, as endpoints send most of what they send."""

    type: Literal["response.output_audio.delta", "response.audio.delta"]
    delta: bytes
    event_id: str | msgspec.UnsetType = msgspec.UNSET
    response_id: str | msgspec.UnsetType = msgspec.UNSET
    item_id: str | msgspec.UnsetType = msgspec.UNSET
    output_index: int | msgspec.UnsetType = msgspec.UNSET
    content_index: int | msgspec.UnsetType = msgspec.UNSET
    obfuscation: str | msgspec.UnsetType = msgspec.UNSET


_KEPT = ("event_id", "response_id", "item_id", "output_index", "content_index")
_HEAD_CHARS = 200

_audio_decoder = msgspec.json.Decoder(_AudioDelta)
_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder()


def encode(event: dict[str, Any]) -> str:
    """One event as one text frame."""
    return _encoder.encode(event).decode()


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


def decode_audio_delta(frame: str | bytes) -> tuple[dict[str, Any], bytes] | None:
    """Return the event of a frame and its audio, if the frame is a plain piece of audio; else None.

    It saves a third of what receiving costs: base64 and JSON in one pass, and no string in between. What it
    does not take (other events, other fields, faults) is for `decode` and `decode_audio`.
    """
    head = frame[:_HEAD_CHARS]
    if ("audio.delta" not in head) if isinstance(head, str) else (b"audio.delta" not in head):
        return None
    try:
        found = _audio_decoder.decode(frame)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    event: dict[str, Any] = {"type": found.type}
    for key in _KEPT:
        value = getattr(found, key)
        if value is not msgspec.UNSET:
            event[key] = value
    return event, found.delta


def encode_audio(pcm: bytes) -> str:
    """Audio bytes as the base64 that events carry."""
    return binascii.b2a_base64(pcm, newline=False).decode("ascii")


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
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"audio is not base64: {error}") from error
