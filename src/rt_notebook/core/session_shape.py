"""The session object in its two shapes: GA's nested one and the preview dialect's flat one.

Only the keys that are present are moved, so that a partial ``session.update`` stays partial.
"""

from __future__ import annotations

from typing import Any

__all__ = ["GA_ONLY", "flat_path", "flatten_session", "flatten_voice", "nest_session", "nest_voice"]

Json = dict[str, Any]

_FORMAT_TO_FLAT = {"audio/pcm": "pcm16", "audio/pcmu": "g711_ulaw", "audio/pcma": "g711_alaw"}
_FORMAT_TO_NESTED: dict[str, Json] = {
    "pcm16": {"type": "audio/pcm", "rate": 24_000},
    "g711_ulaw": {"type": "audio/pcmu"},
    "g711_alaw": {"type": "audio/pcma"},
}
# GA path below `audio` -> flat key
_INPUT_KEYS = {
    "format": "input_audio_format",
    "transcription": "input_audio_transcription",
    "noise_reduction": "input_audio_noise_reduction",
    "turn_detection": "turn_detection",
}
_OUTPUT_KEYS = {"format": "output_audio_format", "voice": "voice", "speed": "speed"}
GA_ONLY = ("type", "truncation", "parallel_tool_calls", "reasoning")
"""Settings that the preview dialect does not know; an endpoint refuses an update that names them."""

# It got these late: its newer clients name them, its older endpoints and clients do not know them.
_LATE = ("prompt", "include")
_GA_ONLY_VAD = ("idle_timeout_ms",)


def flat_path(path: str) -> str:
    """Return what the preview dialect calls a setting that GA calls ``session.audio.input.format``, say."""
    root, _, rest = path.partition(".")
    if root not in {"session", "response"}:
        return path
    for prefix, keys in (("audio.input.", _INPUT_KEYS), ("audio.output.", _OUTPUT_KEYS)):
        if rest.startswith(prefix):
            key, dot, inner = rest.removeprefix(prefix).partition(".")
            return f"{root}.{keys.get(key, key)}{dot}{inner}"
    renamed = {"output_modalities": "modalities", "max_output_tokens": "max_response_output_tokens"}
    return f"{root}.{renamed.get(rest, rest)}"


def _flat_format(value: object) -> object:
    return _FORMAT_TO_FLAT.get(str(value.get("type")), value) if isinstance(value, dict) else value


def _nested_format(value: object) -> object:
    return dict(_FORMAT_TO_NESTED[value]) if isinstance(value, str) and value in _FORMAT_TO_NESTED else value


def _flat_modalities(value: object) -> object:
    return ["text", "audio"] if isinstance(value, list) and "audio" in value else value


def _nested_modalities(value: object) -> object:
    return ["audio"] if isinstance(value, list) and "audio" in value else value


def flatten_voice(response: Json, max_tokens_key: str) -> Json:
    """Turn GA's response settings into the preview dialect's.

    `max_tokens_key` differs there: ``max_response_output_tokens`` in a session and a request,
    ``max_output_tokens`` in a response object.
    """
    flat = dict(response)
    if "output_modalities" in flat:
        flat["modalities"] = _flat_modalities(flat.pop("output_modalities"))
    if "max_output_tokens" in flat:
        flat[max_tokens_key] = flat.pop("max_output_tokens")
    audio = flat.pop("audio", None)
    output = audio.get("output") if isinstance(audio, dict) else None
    if isinstance(output, dict):
        for key, flat_key in _OUTPUT_KEYS.items():
            if key in output:
                flat[flat_key] = _flat_format(output[key]) if key == "format" else output[key]
    return flat


def nest_voice(response: Json) -> Json:
    """Turn the preview dialect's response settings into GA's."""
    nested = dict(response)
    if "modalities" in nested:
        nested["output_modalities"] = _nested_modalities(nested.pop("modalities"))
    if "max_response_output_tokens" in nested:
        nested["max_output_tokens"] = nested.pop("max_response_output_tokens")
    output: Json = {}
    for key, flat_key in _OUTPUT_KEYS.items():
        if flat_key in nested:
            value = nested.pop(flat_key)
            output[key] = _nested_format(value) if key == "format" else value
    if output:
        nested["audio"] = {"output": output}
    return nested


def flatten_session(session: Json) -> Json:
    """Turn a GA session object, or a part of one, into the preview dialect's."""
    audio = session.get("audio")
    flat = flatten_voice(session, "max_response_output_tokens")
    for key in (*GA_ONLY, *_LATE):
        flat.pop(key, None)
    given = audio.get("input") if isinstance(audio, dict) else None
    if isinstance(given, dict):
        for key, flat_key in _INPUT_KEYS.items():
            if key in given:
                flat[flat_key] = _flat_format(given[key]) if key == "format" else given[key]
    detection = flat.get("turn_detection")
    if isinstance(detection, dict):
        flat["turn_detection"] = {k: v for k, v in detection.items() if k not in _GA_ONLY_VAD}
    return flat


def nest_session(session: Json) -> Json:
    """Turn the preview dialect's session object, or a part of one, into GA's."""
    nested = nest_voice(session)
    given: Json = {}
    for key, flat_key in _INPUT_KEYS.items():
        if flat_key in nested:
            value = nested.pop(flat_key)
            given[key] = _nested_format(value) if key == "format" else value
    # Azure's first preview turned detection off with an object; everywhere else it is null.
    if given.get("turn_detection") == {"type": "none"}:
        given["turn_detection"] = None
    if given:
        nested["audio"] = {"input": given} | nested.get("audio", {})
    nested.setdefault("type", "realtime")
    return nested
