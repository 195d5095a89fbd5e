"""The preview dialect: flat session objects, other names for three families of events.

Each function translates one event to or from the GA vocabulary and does not change what was passed in.
"""

from __future__ import annotations

from typing import Any

from rt_notebook.core.session_shape import (
    GA_ONLY,
    flat_path,
    flatten_session,
    flatten_voice,
    nest_session,
    nest_voice,
)

__all__ = [
    "NotInDialect",
    "client_from_preview",
    "client_to_preview",
    "server_from_preview",
    "server_to_preview",
]

Json = dict[str, Any]

_GA_TO_PREVIEW = {
    "conversation.item.added": "conversation.item.created",
    "response.output_text.delta": "response.text.delta",
    "response.output_text.done": "response.text.done",
    "response.output_audio.delta": "response.audio.delta",
    "response.output_audio.done": "response.audio.done",
    "response.output_audio_transcript.delta": "response.audio_transcript.delta",
    "response.output_audio_transcript.done": "response.audio_transcript.done",
}
_PREVIEW_TO_GA = {preview: ga for ga, preview in _GA_TO_PREVIEW.items()}
_PARTS_TO_PREVIEW = {"output_text": "text", "output_audio": "audio"}
_PARTS_TO_GA = {"text": "output_text", "audio": "output_audio"}
_TRANSCRIPTION = "transcription_session"
# Settings that the preview dialect has under another name, or not at all, as GA calls them.
_GA_NAMES = (*GA_ONLY, "output_modalities", "audio")


class NotInDialect(ValueError):  # noqa: N818 - it is an answer of the protocol, not an error of this program
    """A client said something that its dialect does not know.

    Parameters
    ----------
    code
        The API's code for it.
    message
        One sentence.
    param
        The parameter at fault, such as ``"session.audio"``.
    """

    def __init__(self, code: str, message: str, param: str) -> None:
        super().__init__(message)
        self.code = code
        self.param = param


def _map_parts(item: object, names: dict[str, str]) -> Any:
    """Rename the content parts of an assistant's message; the other roles' parts are named alike."""
    if not isinstance(item, dict) or item.get("role") != "assistant":
        return item
    parts = item.get("content")
    if not isinstance(parts, list):
        return item
    renamed = [
        part | {"type": names.get(str(part.get("type")), part.get("type"))}
        if isinstance(part, dict)
        else part
        for part in parts
    ]
    return item | {"content": renamed}


def _preview_item(item: object) -> Any:
    item = _map_parts(item, _PARTS_TO_PREVIEW)
    return {"object": "realtime.item"} | item if isinstance(item, dict) else item


def client_to_preview(event: Json) -> Json:
    """Turn a GA client event into what a preview endpoint takes."""
    event = dict(event)
    if isinstance(event.get("session"), dict):
        if event["session"].get("type") == "transcription":
            event["type"] = f"{_TRANSCRIPTION}.update"
        event["session"] = flatten_session(event["session"])
    if isinstance(event.get("response"), dict):
        event["response"] = flatten_voice(event["response"], "max_response_output_tokens")
    if "item" in event:
        event["item"] = _map_parts(event["item"], _PARTS_TO_PREVIEW)
    return event


def client_from_preview(event: Json) -> Json:
    """Turn a preview client's event into GA's.

    Raises
    ------
    NotInDialect
        A setting goes by its GA name, or has a value that preview endpoints refuse.
    """
    event = dict(event)
    for key in ("session", "response"):
        if isinstance(event.get(key), dict):
            _check_preview(event[key], key)
    if isinstance(event.get("session"), dict):
        event["session"] = nest_session(event["session"])
        if event["type"] == f"{_TRANSCRIPTION}.update":
            event["type"] = "session.update"
            event["session"]["type"] = "transcription"
    if isinstance(event.get("response"), dict):
        response = event["response"] = nest_voice(event["response"])
        if isinstance(response.get("input"), list):
            response["input"] = [_ga_item(item, "response.input") for item in response["input"]]
    if "item" in event:
        event["item"] = _ga_item(event["item"], "item")
    return event


def _ga_item(item: object, path: str) -> Any:
    """Turn a client's item into GA's, whose names for an assistant's parts a preview client must not use."""
    parts = item.get("content") if isinstance(item, dict) else None
    for part in parts if isinstance(parts, list) else []:
        if isinstance(part, dict) and str(part.get("type")) in _PARTS_TO_PREVIEW:
            message = f"Invalid value: '{part['type']}'. Supported values are: 'text'."
            raise NotInDialect("invalid_value", message, f"{path}.content")
    return _map_parts(item, _PARTS_TO_GA)


def _check_preview(settings: Json, path: str) -> None:
    for name in _GA_NAMES:
        if name in settings:
            param = f"{path}.{name}"
            raise NotInDialect("unknown_parameter", f"Unknown parameter: '{param}'.", param)
    if settings.get("modalities") == ["audio"]:
        message = "Invalid modalities: ['audio']. Supported combinations are: ['text'] and ['audio', 'text']."
        raise NotInDialect("invalid_value", message, f"{path}.modalities")


def server_to_preview(event: Json) -> Json | None:
    """Turn a GA server event into the preview dialect's; None where that has none."""
    if event["type"] == "conversation.item.done":
        return None
    event = event | {"type": _GA_TO_PREVIEW.get(event["type"], event["type"])}
    if isinstance(event.get("session"), dict):
        if event["session"].get("type") == "transcription":
            event["type"] = event["type"].replace("session", _TRANSCRIPTION, 1)
        event["session"] = flatten_session(event["session"])
    if isinstance(event.get("response"), dict):
        response = flatten_voice(event["response"], "max_output_tokens")
        output = response.get("output")
        if isinstance(output, list):
            response["output"] = [_preview_item(item) for item in output]
        event["response"] = response
    if "item" in event:
        event["item"] = _preview_item(event["item"])
    if event["type"] == "error":
        event["error"] = _preview_error(event["error"])
    return event


def _preview_error(error: Json) -> Json:
    """Call the parameter at fault what a preview client calls it."""
    param = error.get("param")
    if not isinstance(param, str) or param.partition(".")[2] in _GA_NAMES:
        return error  # it is in the client's own words already
    flat = flat_path(param)
    return error | {
        "param": flat,
        "message": str(error.get("message", "")).replace(f"'{param}'", f"'{flat}'"),
    }


def server_from_preview(event: Json) -> Json:
    """Turn a preview endpoint's event into GA's."""
    event = event | {"type": _PREVIEW_TO_GA.get(event["type"], event["type"])}
    if isinstance(event.get("session"), dict):
        event["session"] = nest_session(event["session"])
        if event["type"].startswith(_TRANSCRIPTION):
            event["type"] = event["type"].replace(_TRANSCRIPTION, "session", 1)
            event["session"]["type"] = "transcription"
    if isinstance(event.get("response"), dict):
        response = nest_voice(event["response"])
        output = response.get("output")
        if isinstance(output, list):
            response["output"] = [_map_parts(item, _PARTS_TO_GA) for item in output]
        event["response"] = response
    if "item" in event:
        event["item"] = _map_parts(event["item"], _PARTS_TO_GA)
    return event
