"""The session object of the server: its defaults, and what becomes of a ``session.update``.

An update is taken as a whole or refused as a whole. `docs/conformance.md` says what is acted on and what is
accepted and echoed only.
"""

from __future__ import annotations

import copy
from dataclasses import fields
from typing import Any

from rt_notebook.core.config import SemanticVad, ServerVad
from rt_notebook.errors import ConfigError
from rt_notebook.server.engine.refusal import BadRequest, object_at, refuse_unknown, required
from rt_notebook.server.engine.settings_check import check_session

__all__ = [
    "DEFAULT_INSTRUCTIONS",
    "chosen_temperature",
    "new_session",
    "shown_session",
    "turn_detection_of",
    "updated_session",
]

Json = dict[str, Any]

# The small local model keeps to short and plain instructions best.
DEFAULT_INSTRUCTIONS = "You are a helpful assistant. Answer in one short sentence."

DEFAULT_TEMPERATURE = 0.8
"""The preview dialect's default. It suits large models; a small one babbles at it."""

_SESSION_KEYS = frozenset(
    {
        *("type", "object", "id", "model", "expires_at", "output_modalities", "instructions", "tools"),
        *("tool_choice", "max_output_tokens", "tracing", "truncation", "prompt", "include", "audio"),
        *("parallel_tool_calls", "reasoning", "rt_notebook"),
    }
)
_TRANSCRIPTION_KEYS = frozenset({"type", "object", "id", "expires_at", "audio", "include", "rt_notebook"})
_INPUT_KEYS = frozenset({"format", "transcription", "noise_reduction", "turn_detection"})
_OUTPUT_KEYS = frozenset({"format", "voice", "speed"})
_VAD_KEYS = {
    "server_vad": frozenset(f.name for f in fields(ServerVad)) | {"type"},
    "semantic_vad": frozenset(f.name for f in fields(SemanticVad)) | {"type"},
}
_ANSWERING = ("create_response", "interrupt_response", "idle_timeout_ms")
"""What a turn detection says about answers; a transcription session has none."""

_READ_ONLY = ("object", "id", "expires_at", "model", "rt_notebook")


def new_session(
    session_id: str, model: str, expires_at_s: int, components: Json, *, preview: bool, kind: str = "realtime"
) -> Json:
    """Return the session object that a new connection begins with. Defaults are those seen on the wire.

    Parameters
    ----------
    kind
        ``"realtime"`` for conversations, ``"transcription"`` for words only.
    """
    audio_format = {"type": "audio/pcm", "rate": 24_000}
    only_preview = {"temperature": DEFAULT_TEMPERATURE} if preview else {}
    return only_preview | {
        "type": kind,
        "object": "realtime.session" if kind == "realtime" else "realtime.transcription_session",
        "id": session_id,
        "model": model,
        "output_modalities": ["audio"],
        "instructions": DEFAULT_INSTRUCTIONS,
        "tools": [],
        "tool_choice": "auto",
        "max_output_tokens": "inf",
        "tracing": None,
        "truncation": "auto",
        "prompt": None,
        "expires_at": expires_at_s,
        "audio": {
            "input": {
                "format": dict(audio_format),
                "transcription": None,
                "noise_reduction": None,
                "turn_detection": ServerVad(silence_duration_ms=200).to_wire(),
            },
            "output": {"format": dict(audio_format), "voice": "alloy", "speed": 1.0},
        },
        "include": None,
        "rt_notebook": {"components": components},
    }


def shown_session(session: Json) -> Json:
    """Return the session as its client sees it: a transcription session has nothing about answers."""
    if session["type"] == "realtime":
        return session
    shown = {key: value for key, value in session.items() if key in _TRANSCRIPTION_KEYS}
    heard = dict(session["audio"]["input"])
    if heard["turn_detection"] is not None:
        heard["turn_detection"] = {k: v for k, v in heard["turn_detection"].items() if k not in _ANSWERING}
    return shown | {"audio": {"input": heard}}


def chosen_temperature(settings: Json) -> float | None:
    """Return the temperature if the client chose one; the default leaves it to the component."""
    temperature: float | None = settings.get("temperature")
    return None if temperature == DEFAULT_TEMPERATURE else temperature


def turn_detection_of(session: Json) -> ServerVad | SemanticVad | None:
    """Return the turn detection in force."""
    wire = session["audio"]["input"]["turn_detection"]
    if wire is None:
        return None
    settings = {key: value for key, value in wire.items() if key != "type"}
    return ServerVad(**settings) if wire["type"] == "server_vad" else SemanticVad(**settings)


def updated_session(session: Json, patch: object, *, has_spoken: bool) -> Json:
    """Return the session with a ``session.update`` merged into it.

    Parameters
    ----------
    has_spoken
        Whether there is speech of the assistant, which locks the voice.

    Raises
    ------
    BadRequest
        Something in it is missing, unknown or out of range. Nothing of the update counts then.
    """
    if not isinstance(patch, dict):
        raise BadRequest("missing_required_parameter", "Missing required parameter: 'session'.", "session")
    kind = required(patch, "type", "session.type")
    _check_kind(session["type"], kind)
    # Only the preview dialect's session has a temperature, so the session itself says whether it is known.
    known = _SESSION_KEYS | session.keys() if kind == "realtime" else _TRANSCRIPTION_KEYS
    refuse_unknown(patch, known, "session")
    merged = copy.deepcopy(session)
    merged |= {k: copy.deepcopy(v) for k, v in patch.items() if k not in {"audio", *_READ_ONLY}}
    if merged["instructions"] == "":
        # On the wire an empty text brings back the endpoint's own; documents say that it clears them.
        merged["instructions"] = DEFAULT_INSTRUCTIONS
    if session["tracing"] not in (None, merged["tracing"]):
        message = "Tracing cannot be changed once it is set."
        raise BadRequest("invalid_value", message, "session.tracing")
    _merge_audio(merged["audio"], patch.get("audio", {}), kind=kind, has_spoken=has_spoken)
    check_session(merged)
    return merged


def _check_kind(present: str, wanted: object) -> None:
    if wanted not in ("realtime", "transcription"):
        message = f"Invalid value: {wanted!r}. Supported values are: 'realtime' and 'transcription'."
        raise BadRequest("invalid_value", message, "session.type")
    if wanted != present:
        message = f"Passing a {wanted} session update event to a {present} session is not allowed."
        raise BadRequest("invalid_value", message, "session.type")


def _merge_audio(audio: Json, patch: object, *, kind: str, has_spoken: bool) -> None:
    sides = object_at(patch, "session.audio")
    refuse_unknown(
        sides, frozenset({"input", "output"} if kind == "realtime" else {"input"}), "session.audio"
    )
    given = object_at(sides.get("input", {}), "session.audio.input")
    refuse_unknown(given, _INPUT_KEYS, "session.audio.input")
    wanted = object_at(sides.get("output", {}), "session.audio.output")
    refuse_unknown(wanted, _OUTPUT_KEYS, "session.audio.output")
    voice = wanted.get("voice", audio["output"]["voice"])
    if has_spoken and voice != audio["output"]["voice"]:
        raise BadRequest(
            "cannot_update_voice",
            "Cannot update a conversation's voice if assistant audio is present.",
            "session.audio.output.voice",
        )
    audio["output"] |= copy.deepcopy(wanted)
    changes = copy.deepcopy(given)
    if isinstance(changes.get("transcription"), dict):
        empty = {"model": None, "language": None, "prompt": None}
        changes["transcription"] = empty | changes["transcription"]
    if isinstance(changes.get("turn_detection"), dict):
        before = audio["input"]["turn_detection"]
        changes["turn_detection"] = _turn_detection(before, changes["turn_detection"], kind)
    audio["input"] |= changes
    for side in audio.values():
        # A rate that is left out is the only one there is.
        if isinstance(side["format"], dict) and side["format"].get("type") == "audio/pcm":
            side["format"] = {"rate": 24_000} | side["format"]


def _turn_detection(before: Json | None, patch: Json, kind: str) -> Json:
    param = "session.audio.input.turn_detection"
    name = patch.get("type", before["type"] if before else None)
    if not isinstance(name, str) or name not in _VAD_KEYS:
        message = f"Invalid value: {name!r}. Supported values are: 'server_vad' and 'semantic_vad'."
        raise BadRequest("invalid_value", message, f"{param}.type")
    known = _VAD_KEYS[name] if kind == "realtime" else _VAD_KEYS[name] - set(_ANSWERING)
    refuse_unknown(patch, known, param)
    fresh = ServerVad(silence_duration_ms=200) if name == "server_vad" else SemanticVad()
    # Fields that an update leaves out keep their values, as on the wire.
    kept = before if before is not None and before["type"] == name else fresh.to_wire()
    settings = {key: value for key, value in (kept | patch).items() if key != "type"}
    try:
        return (ServerVad(**settings) if name == "server_vad" else SemanticVad(**settings)).to_wire()
    except ConfigError as error:
        raise BadRequest("invalid_value", str(error), param) from None
