"""What a client may put into a conversation, by ``conversation.item.create`` or a response's input.

Everything is checked before anything is kept, so that a refused item leaves no trace.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rt_notebook.core.wire_json import decode_audio
from rt_notebook.server.engine.items import Item
from rt_notebook.server.engine.refusal import BadRequest, list_at, object_at, required, text_at

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rt_notebook.core.audio_format import AudioFormat
    from rt_notebook.server.engine.ids import IdMaker

__all__ = ["checked_item"]

Json = dict[str, Any]

_LONGEST_ID_CHARS = 32
_PARTS = {
    "system": ("input_text",),
    "user": ("input_text", "input_audio", "input_image"),
    # Nobody but the model makes the assistant's speech.
    "assistant": ("output_text",),
}


def checked_item(
    given: object, new_id: IdMaker, known: Iterable[Item], audio_format: AudioFormat, path: str = "item"
) -> Item:
    """Return an item that a client made.

    Parameters
    ----------
    given
        What the client sent.
    new_id
        Makes the ids that the client left out.
    known
        The items so far: a function's output has to answer a call among them.
    audio_format
        Format of the audio in it.
    path
        What the client calls it, for refusals.

    Raises
    ------
    BadRequest
        It is none that the API takes.
    """
    wire = object_at(given, path)
    kind = required(wire, "type", f"{path}.type")
    item_id = wire.get("id")
    if item_id is None:
        item_id = new_id("item")
    if not isinstance(item_id, str) or not 0 < len(item_id) <= _LONGEST_ID_CHARS:
        message = f"Invalid '{path}.id': expected a string of 1 to {_LONGEST_ID_CHARS} characters."
        raise BadRequest("invalid_value", message, f"{path}.id")
    base = {"id": item_id, "type": kind, "status": "completed"}
    match kind:
        case "message":
            return _message(wire, base, audio_format, path)
        case "function_call":
            name, arguments = _text(wire, "name", path), _text(wire, "arguments", path)
            call_id = text_at(wire.get("call_id") or new_id("call"), f"{path}.call_id")
            return Item(base | {"name": name, "call_id": call_id, "arguments": arguments})
        case "function_call_output":
            call_id = _text(wire, "call_id", path)
            output = _text(wire, "output", path)
            calls = {i.wire["call_id"] for i in known if i.wire["type"] == "function_call"}
            if call_id not in calls:
                message = f"Tool call ID '{call_id}' not found in conversation."
                raise BadRequest("invalid_tool_call_id", message, f"{path}.call_id")
            # Of all items this one has no status on the wire.
            return Item({"id": item_id, "type": kind, "call_id": call_id, "output": output})
    supported = "'message', 'function_call', and 'function_call_output'"
    message = f"Invalid value: {kind!r}. Supported values are: {supported}."
    raise BadRequest("invalid_value", message, f"{path}.type")


def _message(wire: Json, base: Json, audio_format: AudioFormat, path: str) -> Item:
    role = required(wire, "role", f"{path}.role")
    if not isinstance(role, str) or role not in _PARTS:
        message = f"Invalid value: {role!r}. Supported values are: 'system', 'user', and 'assistant'."
        raise BadRequest("invalid_value", message, f"{path}.role")
    content = list_at(required(wire, "content", f"{path}.content"), f"{path}.content")
    parts: list[Json] = []
    words: list[str] = []
    audio = b""
    for number, given in enumerate(content):
        where = f"{path}.content[{number}]"
        part = object_at(given, where)
        kind = required(part, "type", f"{where}.type")
        if kind not in _PARTS[role]:
            supported = ", ".join(f"'{name}'" for name in _PARTS[role])
            message = f"Invalid value: {kind!r}. Supported values are: {supported}."
            raise BadRequest("invalid_value", message, f"{where}.type")
        if kind == "input_audio":
            audio += _audio(part, where)
            transcript = part.get("transcript")
            parts.append({"type": kind, "transcript": transcript if isinstance(transcript, str) else None})
        elif kind == "input_image":
            url = _text(part, "image_url", where)
            parts.append({"type": kind, "image_url": url, "detail": part.get("detail", "auto")})
        else:
            text = _text(part, "text", where)
            words.append(text)
            parts.append({"type": kind, "text": text})
    audio = audio[: len(audio) // audio_format.bytes_per_sample * audio_format.bytes_per_sample]
    return Item(
        base | {"role": role, "content": parts},
        heard_text=" ".join(words),
        untranscribed=bool(audio),
        audio=audio,
        bytes_per_ms=audio_format.bytes_per_ms,
        audio_ms=len(audio) // audio_format.bytes_per_ms,
    )


def _audio(part: Json, where: str) -> bytes:
    try:
        return decode_audio(required(part, "audio", f"{where}.audio"))
    except ValueError as error:
        raise BadRequest("invalid_value", f"Invalid '{where}.audio': {error}.", f"{where}.audio") from None


def _text(wire: Json, key: str, path: str) -> str:
    return text_at(required(wire, key, f"{path}.{key}"), f"{path}.{key}")
