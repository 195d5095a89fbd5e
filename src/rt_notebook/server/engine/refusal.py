"""The refusals of the protocol: what becomes an ``error`` event."""

from __future__ import annotations

from typing import Any

__all__ = ["BadRequest", "refuse_unknown", "required", "whole"]

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


def whole(value: object, path: str) -> int:
    """Return a value that has to be a whole number, and not a negative one."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadRequest("invalid_type", f"Invalid type for '{path}': expected an integer.", path)
    if value < 0:
        raise BadRequest("integer_below_min_value", f"Invalid value for '{path}': expected at least 0.", path)
    return value


def refuse_unknown(given: Json, known: frozenset[str], path: str) -> None:
    """Refuse the first key that is not known."""
    for key in given:
        if key not in known:
            param = f"{path}.{key}"
            raise BadRequest("unknown_parameter", f"Unknown parameter: '{param}'.", param)
