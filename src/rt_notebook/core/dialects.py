"""The two dialects of the Realtime API, each as a codec to and from the GA vocabulary.

GA is what this package speaks inside. The *preview* dialect (``OpenAI-Beta: realtime=v1``, and Azure's path
with ``api-version``) has flat session objects, other names for three families of events, and one event where
GA has two. Both directions are here, since the client and the local server each need one half.

Fields and event types that are not named below pass through unchanged.

Source of the rules: the vendors' published schemas of both dialects, and recorded sessions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from rt_notebook.core.session_shape import flatten_session, flatten_voice, nest_session, nest_voice

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["DIALECTS", "GA", "PREVIEW", "Dialect", "DialectName"]

Json = dict[str, Any]
DialectName = Literal["ga", "preview"]

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


@dataclass(frozen=True, slots=True)
class Dialect:
    """Translate events between a wire and the GA vocabulary.

    Each function takes one event and returns one, or None where the other side has no such event. The event
    that is passed in is not changed.
    """

    name: DialectName
    client_to_wire: Callable[[Json], Json]
    client_from_wire: Callable[[Json], Json]
    server_to_wire: Callable[[Json], Json | None]
    server_from_wire: Callable[[Json], Json]


def _same(event: Json) -> Json:
    return event


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


def _client_to_preview(event: Json) -> Json:
    event = dict(event)
    if isinstance(event.get("session"), dict):
        event["session"] = flatten_session(event["session"])
    if isinstance(event.get("response"), dict):
        event["response"] = flatten_voice(event["response"], "max_response_output_tokens")
    if "item" in event:
        event["item"] = _map_parts(event["item"], _PARTS_TO_PREVIEW)
    return event


def _client_from_preview(event: Json) -> Json:
    event = dict(event)
    if isinstance(event.get("session"), dict):
        event["session"] = nest_session(event["session"])
    if isinstance(event.get("response"), dict):
        event["response"] = nest_voice(event["response"])
    if "item" in event:
        event["item"] = _map_parts(event["item"], _PARTS_TO_GA)
    return event


def _server_to_preview(event: Json) -> Json | None:
    if event["type"] == "conversation.item.done":
        return None
    event = event | {"type": _GA_TO_PREVIEW.get(event["type"], event["type"])}
    if isinstance(event.get("session"), dict):
        event["session"] = flatten_session(event["session"])
    if isinstance(event.get("response"), dict):
        response = flatten_voice(event["response"], "max_output_tokens")
        output = response.get("output")
        if isinstance(output, list):
            response["output"] = [_preview_item(item) for item in output]
        event["response"] = response
    if "item" in event:
        event["item"] = _preview_item(event["item"])
    if event["type"] == "response.function_call_arguments.done":
        event.pop("name", None)
    return event


def _server_from_preview(event: Json) -> Json:
    event = event | {"type": _PREVIEW_TO_GA.get(event["type"], event["type"])}
    if isinstance(event.get("session"), dict):
        event["session"] = nest_session(event["session"])
    if isinstance(event.get("response"), dict):
        response = nest_voice(event["response"])
        output = response.get("output")
        if isinstance(output, list):
            response["output"] = [_map_parts(item, _PARTS_TO_GA) for item in output]
        event["response"] = response
    if "item" in event:
        event["item"] = _map_parts(event["item"], _PARTS_TO_GA)
    return event


GA = Dialect("ga", _same, _same, _same, _same)
"""The dialect of ``/v1/realtime`` and of Azure's ``/openai/v1/realtime``: no translation."""

PREVIEW = Dialect(
    "preview", _client_to_preview, _client_from_preview, _server_to_preview, _server_from_preview
)
"""The dialect of Azure's ``/openai/realtime?api-version=…`` and of ``OpenAI-Beta: realtime=v1``."""

DIALECTS: dict[DialectName, Dialect] = {"ga": GA, "preview": PREVIEW}
