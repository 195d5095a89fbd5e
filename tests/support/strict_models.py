"""The oracle of shape: server events against openai-python's own models, validated strictly.

The client itself is lax: it builds models without looking at the values and keeps fields it does not know.
Here every required field has to be there, literals and types have to match, and unknown fields are reported,
however deep they are. What is allowed beyond the models stands in `ALLOWED`, each with its reason.
"""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, get_args

import pydantic
from openai.types.beta.realtime import RealtimeServerEvent as PreviewServerEvent
from openai.types.realtime import RealtimeServerEvent as GaServerEvent

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ALLOWED", "MODELS", "problems"]

Json = dict[str, Any]


def _by_type(union: Any) -> dict[str, type[pydantic.BaseModel]]:
    """Return the models of an annotated union by the event type that each is for."""
    models = get_args(get_args(union)[0])
    return {get_args(model.model_fields["type"].annotation)[0]: model for model in models}


MODELS = {"ga": _by_type(GaServerEvent), "preview": _by_type(PreviewServerEvent)}
"""For each dialect: the model of every server event."""

# The preview models lack what was added to the wire after them.
ALLOWED: dict[str, dict[str, str]] = {
    "ga": {
        "*.obfuscation": "random padding of deltas, on the wire of every endpoint",
        "response.content_part.*.content": "Azure sends the part twice, as `part` and as `content`",
        "session.*.session.id": "on every wire; the model is the client's request, which has none",
        "session.*.session.object": "on every wire; the model is the client's request, which has none",
        "session.*.session.expires_at": "on every wire; the model is the client's request, which has none",
        "session.*.session.rt_notebook": "ours: which components run behind the session",
    },
    "preview": {
        "response.function_call_arguments.done.name": "on the wire; Microsoft's own client requires it",
        "session.*.session.object": "documented; the model leaves it out",
        "session.*.session.expires_at": "documented; the model leaves it out",
        "response.done.response.usage.input_token_details.cached_tokens_details": "newer than the model",
        "response.done.response.usage.*.image_tokens": "newer than the model",
        "response.done.response.usage.*.reasoning_tokens": "newer than the model",
        "session.*.session.rt_notebook": "ours: which components run behind the session",
        "transcription_session.*.session.id": "documented; the model leaves it out",
        "transcription_session.*.session.object": "documented; the model leaves it out",
        "transcription_session.*.session.expires_at": "documented; the model leaves it out",
        "transcription_session.*.session.input_audio_noise_reduction": "documented; the model leaves it out",
        "transcription_session.*.session.rt_notebook": "ours: which components run behind the session",
    },
}
"""For each dialect: fields beyond the models, as patterns of paths, with the reason why they may be there."""


def _as_modelled(event: Json, dialect: str) -> Json:
    """Return an event without what the preview models are too narrow for.

    Models are listed by name there, while on Azure they are deployments, of any name; the choice of a tool is
    a word, although it may be an object. Transcription sessions lack their first event, and have to hold the
    key that they were made with, also where they had none.
    """
    session = event.get("session")
    if dialect == "ga" or not isinstance(session, dict):
        return event
    if str(event["type"]).startswith("transcription_session."):
        event = event | {"type": "transcription_session.updated"}
        session = {"client_secret": {"expires_at": 0, "value": ""}} | session
        if isinstance(session.get("input_audio_transcription"), dict):
            transcription = session["input_audio_transcription"]
            if isinstance(transcription.get("model"), str):
                transcription = transcription | {"model": "whisper-1"}
            session["input_audio_transcription"] = transcription
    else:
        if isinstance(session.get("model"), str):
            session = session | {"model": "gpt-4o-realtime-preview"}
        if isinstance(session.get("tool_choice"), dict):
            session = session | {"tool_choice": "required"}
    return event | {"session": session}


def _unknown(value: Any, path: str) -> Iterator[str]:
    """Name the fields that no model knows."""
    if isinstance(value, pydantic.BaseModel):
        yield from (f"{path}.{name}" for name in value.model_extra or {})
        for name in sorted(value.model_fields_set & type(value).model_fields.keys()):
            yield from _unknown(getattr(value, name), f"{path}.{name}")
    elif isinstance(value, list):
        for inner in value:
            yield from _unknown(inner, path)


def _path(loc: tuple[int | str, ...], event: Json) -> str:
    """Return where in the event; pydantic also names the members of unions on the way."""
    steps, value = [], event
    for step in loc:
        inside = isinstance(value, dict) and step in value
        if inside or (isinstance(value, list) and isinstance(step, int)):
            value = value[step]
        elif step != loc[-1] or not isinstance(value, dict):
            continue
        steps.append(str(step))
    return ".".join(steps)


def problems(event: Json, dialect: str) -> list[str]:
    """Return what is wrong with a server event as it goes over the wire; nothing for a right one.

    Parameters
    ----------
    event
        The event in the dialect's own form.
    dialect
        ``"ga"`` or ``"preview"``.
    """
    event = _as_modelled(event, dialect)
    kind = event.get("type")
    model = MODELS[dialect].get(kind) if isinstance(kind, str) else None
    if model is None:
        return [f"{kind}: no event of this dialect"]
    try:
        parsed = model.model_validate_json(json.dumps(event), strict=True)
    except pydantic.ValidationError as error:
        found = {}
        for each in error.errors():
            found.setdefault(
                _path(each["loc"], event), f"{each['msg']} (got {json.dumps(each['input'])[:80]})"
            )
        return [f"{kind}.{path}: {what}" for path, what in found.items()]
    unknown = [path for path in _unknown(parsed, str(kind)) if not _allowed(path, dialect)]
    return [f"{path}: unknown field" for path in dict.fromkeys(unknown)]


def _allowed(path: str, dialect: str) -> bool:
    return any(fnmatchcase(path, pattern) for pattern in ALLOWED[dialect])
