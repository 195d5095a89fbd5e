"""Tell what a function has answered, in words that can be spoken."""

from __future__ import annotations

import json
import re
from typing import Any

__all__ = ["facts", "spoken"]

_MAX_FACTS = 8
_MAX_CHARS = 300


def _read(output: str) -> Any:
    try:
        return json.loads(output)
    except ValueError:
        return output.strip()


def facts(output: str) -> list[str]:
    """Return the numbers and words of a function's output that an answer has to contain."""
    found: list[str] = []

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            for inner in value.values():
                walk(inner)
        elif isinstance(value, list):
            for inner in value:
                walk(inner)
        elif value is not None and not isinstance(value, bool) and str(value).strip():
            found.append(str(value).strip().rstrip("."))

    walk(_read(output))
    return found[:_MAX_FACTS]


def spoken(output: str) -> str:
    """Return a function's output as plain words: its own sentence, or its names and values."""
    value = _read(output)
    if value is None or value in ("", {}, []):
        return "Done."
    text = _say(value)
    if isinstance(value, bool):
        text = "Done." if value else "That did not work."
    text = text[:1].upper() + text[1:]
    if len(text) > _MAX_CHARS:
        text = text[:_MAX_CHARS].rsplit(" ", 1)[0].rstrip(" ,;:") + " and so on"
    return text if text.endswith((".", "!", "?")) else text + "."


def _say(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{_name(name)}: {_say(inner)}" for name, inner in value.items())
    if isinstance(value, list):
        return "; ".join(map(_say, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else str(value)


def _name(name: str) -> str:
    """``temperature_c`` and ``temperatureC`` as words."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).replace("_", " ")
    return " ".join(word if word.isupper() else word.lower() for word in words.split())
