"""Find a text that a regular expression matches."""

from __future__ import annotations

import importlib
import re
import string
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["text_like"]

# Python's own reading of an expression; its module has no public name.
_parser: Any = importlib.import_module("re._parser")

_CATEGORIES: dict[str, Callable[[str], bool]] = {
    "DIGIT": str.isdigit,
    "SPACE": str.isspace,
    "WORD": lambda letter: letter.isalnum() or letter == "_",
}
_LETTERS = "a0A -" + string.printable


def text_like(pattern: str, more: int = 0) -> str:
    """Return a text that matches, as far as that is simple: no look-around, no back-references.

    Parameters
    ----------
    pattern
        The expression.
    more
        How many times more than it must each part is repeated, where it may be.
    """
    try:
        return _text_of(_parser.parse(pattern), more)
    except (re.error, OverflowError, RecursionError):
        return ""


def _text_of(nodes: Any, more: int) -> str:
    text = ""
    for op, value in nodes:
        match str(op):
            case "LITERAL":
                text += chr(value)
            case "NOT_LITERAL":
                text += "x" if value != ord("x") else "y"
            case "ANY":
                text += "x"
            case "IN":
                text += next((letter for letter in _LETTERS if _holds(value, letter)), chr(_first(value)))
            case "BRANCH":
                text += _text_of(value[1][0], more)
            case "SUBPATTERN":
                text += _text_of(value[3], more)
            case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
                low, high, inner = value
                text += _text_of(inner, more) * min(low + more, int(high))
    return text


def _holds(members: Any, letter: str) -> bool:
    found = negated = False
    for op, value in members:
        match str(op):
            case "NEGATE":
                negated = True
            case "LITERAL":
                found |= ord(letter) == value
            case "RANGE":
                found |= value[0] <= ord(letter) <= value[1]
            case "CATEGORY":
                name = str(value).removeprefix("CATEGORY_")
                holds = _CATEGORIES[name.removeprefix("NOT_")](letter)
                found |= holds != name.startswith("NOT_")
    return found != negated


def _first(members: Any) -> int:
    for op, value in members:
        if str(op) == "LITERAL":
            return int(value)
        if str(op) == "RANGE":
            return int(value[0])
    return ord("x")
