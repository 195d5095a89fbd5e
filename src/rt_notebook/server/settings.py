"""The session object of the server: its defaults, and what becomes of a ``session.update``.

An update is taken as a whole or refused as a whole. What has no effect here (tracing, noise reduction, tools
and others) is accepted and echoed, as `docs/design.md` says.
"""

from __future__ import annotations

import copy
from dataclasses import fields
from typing import Any

from rt_notebook.core.config import SemanticVad, ServerVad
from rt_notebook.errors import ConfigError

__all__ = [
    "DEFAULT_INSTRUCTIONS",
    "BadRequest",
    "chosen_temperature",
    "new_session",
    "response_settings",
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
_INPUT_KEYS = frozenset({"format", "transcription", "noise_reduction", "turn_detection"})
_OUTPUT_KEYS = frozenset({"format", "voice", "speed"})
_VAD_KEYS = {
    "server_vad": frozenset(f.name for f in fields(ServerVad)) | {"type"},
    "semantic_vad": frozenset(f.name for f in fields(SemanticVad)) | {"type"},
}
_RESPONSE_KEYS = frozenset(
    {"instructions", "tools", "tool_choice", "output_modalities", "audio", "max_output_tokens", "prompt"}
    | {"reasoning", "parallel_tool_calls"}
)
# What a response has and a session has not. Only metadata has an effect: it is echoed.
_RESPONSE_ONLY = ("conversation", "metadata", "input")
_READ_ONLY = ("object", "id", "expires_at", "rt_notebook")


class BadRequest(Exception):  # noqa: N818 - it is an answer of the protocol, not an error of this program
    """The client asked for something that the API refuses; becomes an ``error`` event."""

    def __init__(self, code: str, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.param = param


def new_session(session_id: str, model: str, expires_at_s: int, components: Json, *, preview: bool) -> Json:
    """Return the session object that a new connection begins with. Defaults are those seen on the wire."""
    audio_format = {"type": "audio/pcm", "rate": 24_000}
    only_preview = {"temperature": DEFAULT_TEMPERATURE} if preview else {}
    return only_preview | {
        "type": "realtime",
        "object": "realtime.session",
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

    Raises
    ------
    BadRequest
        Something in it is missing, unknown or out of range. Nothing of the update counts then.
    """
    if not isinstance(patch, dict):
        raise BadRequest("missing_required_parameter", "Missing required parameter: 'session'.", "session")
    if "type" not in patch:
        raise BadRequest(
            "missing_required_parameter", "Missing required parameter: 'session.type'.", "session.type"
        )
    # Only the preview dialect's session has a temperature, so the session itself says whether it is known.
    _refuse_unknown(patch, _SESSION_KEYS | session.keys(), "session")
    if patch["type"] != "realtime":
        raise BadRequest("invalid_value", "Only sessions of type 'realtime' are served.", "session.type")
    merged = copy.deepcopy(session)
    merged |= {k: copy.deepcopy(v) for k, v in patch.items() if k not in {"audio", *_READ_ONLY}}
    _merge_audio(merged["audio"], patch.get("audio", {}), has_spoken=has_spoken)
    _check(merged)
    return merged


def response_settings(session: Json, overrides: object) -> Json:
    """Return the session as it counts for one response: with the overrides of its ``response.create``.

    Raises
    ------
    BadRequest
        An override is unknown or out of range.
    """
    param = "response"
    if not isinstance(overrides, dict):
        raise BadRequest("invalid_type", f"Invalid type for '{param}': expected an object.", param)
    patch = {key: value for key, value in overrides.items() if key not in _RESPONSE_ONLY}
    _refuse_unknown(patch, _RESPONSE_KEYS | ({"temperature"} & session.keys()), param)
    try:
        return updated_session(session, {"type": "realtime"} | patch, has_spoken=False)
    except BadRequest as refusal:
        where = (refusal.param or param).replace("session", param, 1)
        raise BadRequest(refusal.code, str(refusal).replace("session.", "response."), where) from None


def _merge_audio(audio: Json, patch: object, *, has_spoken: bool) -> None:
    sides = _object(patch, "session.audio")
    _refuse_unknown(sides, frozenset({"input", "output"}), "session.audio")
    given = _object(sides.get("input", {}), "session.audio.input")
    _refuse_unknown(given, _INPUT_KEYS, "session.audio.input")
    wanted = _object(sides.get("output", {}), "session.audio.output")
    _refuse_unknown(wanted, _OUTPUT_KEYS, "session.audio.output")
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
        changes["transcription"] = {"model": None, "language": None, "prompt": None} | changes[
            "transcription"
        ]
    if isinstance(changes.get("turn_detection"), dict):
        changes["turn_detection"] = _turn_detection(
            audio["input"]["turn_detection"], changes["turn_detection"]
        )
    audio["input"] |= changes


def _turn_detection(before: Json | None, patch: Json) -> Json:
    param = "session.audio.input.turn_detection"
    kind = patch.get("type", before["type"] if before else None)
    if kind not in _VAD_KEYS:
        raise BadRequest("invalid_value", f"Unknown turn detection: {kind!r}.", f"{param}.type")
    _refuse_unknown(patch, _VAD_KEYS[kind], param)
    fresh = ServerVad(silence_duration_ms=200) if kind == "server_vad" else SemanticVad()
    # Fields that an update leaves out keep their values, as on the wire.
    kept = before if before is not None and before["type"] == kind else fresh.to_wire()
    settings = {key: value for key, value in (kept | patch).items() if key != "type"}
    try:
        return (ServerVad(**settings) if kind == "server_vad" else SemanticVad(**settings)).to_wire()
    except ConfigError as error:
        raise BadRequest("invalid_value", str(error), param) from None


def _check(session: Json) -> None:
    modalities = session["output_modalities"]
    if modalities not in (["audio"], ["text"]):
        raise BadRequest(
            "invalid_value",
            f"Invalid modalities: {modalities!r}. Supported combinations are: ['text'] and ['audio'].",
            "session.output_modalities",
        )
    if session["instructions"] is not None and not isinstance(session["instructions"], str):
        raise BadRequest("invalid_type", "instructions must be a string.", "session.instructions")
    for side in ("input", "output"):
        audio_format = session["audio"][side]["format"]
        if not isinstance(audio_format, dict) or audio_format.get("type") != "audio/pcm":
            raise BadRequest("invalid_value", "Only audio/pcm is served.", f"session.audio.{side}.format")
    voice = session["audio"]["output"]["voice"]
    if not isinstance(voice, str | dict):
        raise BadRequest("invalid_type", "voice must be a name.", "session.audio.output.voice")
    transcription = session["audio"]["input"]["transcription"]
    if transcription is not None and not isinstance(transcription, dict):
        param = "session.audio.input.transcription"
        raise BadRequest("invalid_type", "transcription must be an object or null.", param)
    detection = session["audio"]["input"]["turn_detection"]
    if detection is not None and not isinstance(detection, dict):
        param = "session.audio.input.turn_detection"
        raise BadRequest("invalid_type", "turn_detection must be an object or null.", param)
    temperature = session.get("temperature")
    if temperature is not None and (
        isinstance(temperature, bool)
        or not isinstance(temperature, int | float)
        or not 0.6 <= temperature <= 1.2
    ):
        raise BadRequest("invalid_value", "temperature must be from 0.6 to 1.2.", "session.temperature")
    limit = session["max_output_tokens"]
    if limit != "inf" and (isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= 4096):
        raise BadRequest(
            "invalid_value", 'max_output_tokens must be 1 to 4096 or "inf".', "session.max_output_tokens"
        )


def _object(value: object, param: str) -> Json:
    if not isinstance(value, dict):
        raise BadRequest("invalid_type", f"Invalid type for '{param}': expected an object.", param)
    return value


def _refuse_unknown(given: Json, known: frozenset[str], path: str) -> None:
    for key in given:
        if key not in known:
            param = f"{path}.{key}"
            raise BadRequest("unknown_parameter", f"Unknown parameter: '{param}'.", param)
