"""Whether the values of a session object are ones that the API takes."""

from __future__ import annotations

from typing import Any

from rt_notebook.core.audio_format import AudioFormat
from rt_notebook.server.engine.refusal import BadRequest, list_at, object_at, required, text_at, wrong_type

__all__ = ["check_session"]

Json = dict[str, Any]


def check_session(session: Json) -> None:
    """Refuse the first value that is wrong.

    Raises
    ------
    BadRequest
        There is one.
    """
    modalities = session["output_modalities"]
    if modalities not in (["audio"], ["text"]):
        raise BadRequest(
            "invalid_value",
            f"Invalid modalities: {modalities!r}. Supported combinations are: ['text'] and ['audio'].",
            "session.output_modalities",
        )
    _check_text(session["instructions"], "session.instructions")
    _check_tools(session["tools"])
    _check_tool_choice(session["tool_choice"], session["tools"])
    _check_limit(session["max_output_tokens"])
    _check_temperature(session.get("temperature"))
    heard, said = session["audio"]["input"], session["audio"]["output"]
    _check_format(heard["format"], "session.audio.input.format")
    _check_format(said["format"], "session.audio.output.format")
    _check_voice(said["voice"])
    _check_number(said["speed"], 0.25, 1.5, "session.audio.output.speed")
    _check_transcription(heard["transcription"])
    _check_noise_reduction(heard["noise_reduction"])
    if heard["turn_detection"] is not None:
        object_at(heard["turn_detection"], "session.audio.input.turn_detection")
    if session["include"] is not None and not _is_list_of(session["include"], str):
        raise wrong_type("session.include", "an array of strings")


def _unsupported(path: str, value: object, supported: str) -> BadRequest:
    return BadRequest("invalid_value", f"Invalid value: {value!r}. Supported values are: {supported}.", path)


def _is_list_of(value: object, kind: type) -> bool:
    return isinstance(value, list) and all(isinstance(entry, kind) for entry in value)


def _check_text(value: object, path: str) -> None:
    if value is not None:
        text_at(value, path)


def _check_number(value: object, least: float, most: float, path: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong_type(path, "a number")
    if not least <= value <= most:
        message = f"Invalid value for '{path}': expected a number from {least:g} to {most:g}."
        raise BadRequest("invalid_value", message, path)


def _check_tools(tools: object) -> None:
    path = "session.tools"
    for number, tool in enumerate(list_at(tools, path)):
        where = f"{path}[{number}]"
        kind = required(object_at(tool, where), "type", f"{where}.type")
        if kind != "function":
            raise _unsupported(f"{where}.type", kind, "'function'")
        name = required(tool, "name", f"{where}.name")
        if not isinstance(name, str) or not name:
            raise wrong_type(f"{where}.name", "a string")
        _check_text(tool.get("description"), f"{where}.description")
        if tool.get("parameters") is not None:
            object_at(tool["parameters"], f"{where}.parameters")


def _check_tool_choice(choice: object, tools: list[Json]) -> None:
    path = "session.tool_choice"
    if isinstance(choice, str):
        if choice not in {"auto", "none", "required"}:
            raise _unsupported(path, choice, "'auto', 'none', and 'required'")
        return
    choice = object_at(choice, path)
    named = choice.get("function", choice) if choice.get("type") == "function" else None
    name = named.get("name") if isinstance(named, dict) else None
    if name not in [tool["name"] for tool in tools]:
        message = f"Tool choice {name!r} not found in 'tools' parameter."
        raise BadRequest("invalid_value", message, path)


def _check_limit(limit: object) -> None:
    path = "session.max_output_tokens"
    if limit == "inf":
        return
    if isinstance(limit, bool) or not isinstance(limit, int):
        raise wrong_type(path, 'an integer or "inf"')
    _check_number(limit, 1, 4096, path)


def _check_temperature(temperature: object) -> None:
    if temperature is not None:
        _check_number(temperature, 0.6, 1.2, "session.temperature")


def _check_format(wire: object, path: str) -> None:
    try:
        AudioFormat.from_wire(wire)
    except ValueError as error:
        raise BadRequest("invalid_value", f"Invalid value for '{path}': {error}.", path) from None


def _check_voice(voice: object) -> None:
    # Any name is taken: endpoints add new ones.
    path = "session.audio.output.voice"
    name = voice.get("id") if isinstance(voice, dict) else voice
    if not isinstance(name, str) or not name:
        raise wrong_type(path, "a name or an object with an id")


def _check_transcription(transcription: object) -> None:
    path = "session.audio.input.transcription"
    if transcription is None:
        return
    for key in ("model", "language", "prompt"):
        _check_text(object_at(transcription, path).get(key), f"{path}.{key}")


def _check_noise_reduction(reduction: object) -> None:
    path = "session.audio.input.noise_reduction"
    if reduction is None:
        return
    kind = required(object_at(reduction, path), "type", f"{path}.type")
    if kind not in ("near_field", "far_field"):
        raise _unsupported(f"{path}.type", kind, "'near_field' and 'far_field'")
