"""The refusals of the protocol: what becomes an ``error`` event."""

from __future__ import annotations

from typing import Any

__all__ = [
    "BadRequest",
    "list_at",
    "object_at",
    "refuse_unknown",
    "required",
    "text_at",
    "whole_at",
    "wrong_type",
]

Json = dict[str, Any]


class BadRequest(Exception):  # noqa: N818 - it is an answer of the protocol, not an error of this program
    """The client asked for something that the API refuses.

    Parameters
    ----------
    code
        The API's code, such as ``"invalid_value"``.
    message
        One sentence.
    param
        The parameter at fault, by its GA path, such as ``"session.audio.input.format"``.
    """

    def __init__(self, code: str, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.param = param


def required(given: Json, key: str, path: str) -> Any:
    """Return ``given[key]``, which has to be there; `path` is its name for the client."""
    if key not in given:
        raise BadRequest("missing_required_parameter", f"Missing required parameter: '{path}'.", path)
    return given[key]


def wrong_type(path: str, expected: str) -> BadRequest:
    """Return the refusal of a value that is not what is expected there."""
    return BadRequest("invalid_type", f"Invalid type for '{path}': expected {expected}.", path)


def object_at(value: object, path: str) -> Json:
    """Return a value that has to be an object; `path` is its name for the client."""
    if not isinstance(value, dict):
        raise wrong_type(path, "an object")
    return value


def list_at(value: object, path: str) -> list[Any]:
    """Return a value that has to be an array."""
    if not isinstance(value, list):
        raise wrong_type(path, "an array")
    return value


def text_at(value: object, path: str) -> str:
    """Return a value that has to be a string."""
    if not isinstance(value, str):
        raise wrong_type(path, "a string")
    return value


def whole_at(value: object, path: str) -> int:
    """Return a value that has to be a whole number, and not a negative one."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise wrong_type(path, "an integer")
    if value < 0:
        raise BadRequest("integer_below_min_value", f"Invalid value for '{path}': expected at least 0.", path)
    return value


def refuse_unknown(given: Json, known: frozenset[str], path: str) -> None:
    """Refuse the first key that is not known."""
    for key in given:
        if key not in known:
            param = f"{path}.{key}"
            raise BadRequest("unknown_parameter", f"Unknown parameter: '{param}'.", param)
