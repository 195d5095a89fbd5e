"""What a docstring says of a function and of its parameters; numpy's, Google's, Sphinx' or plain style."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["read_docstring"]

_SECTION = re.compile(
    r"(?:(?:other )?parameters|args|arguments|params|returns?|raises|yields|examples?|notes?|see also|"
    r"references|warnings?|warns|attributes|todo)\s*:?",
    re.IGNORECASE,
)
_TAKES = re.compile(r"(?:other )?param|arg", re.IGNORECASE)
_UNDERLINE = re.compile(r"[-=~]{3,}")
_FIELD = re.compile(r":(?:param|parameter|arg|argument)\s+(?:[^:]*\s)?\*{0,2}(\w+)\s*:\s*(.*)")
_OTHER_FIELD = re.compile(r":(?:type|returns?|rtype|raises?)\b")
_ENTRY = re.compile(r"[-*]?\s*`{0,2}(\w+)`{0,2}\s*(?:\([^)]*\))?\s*(?::|--?(?=\s)|\u2013|\u2014)\s*(.*)")


def read_docstring(docstring: str | None, names: Collection[str]) -> tuple[str, dict[str, str]]:
    """Return what a function does, and the descriptions of those of its parameters that have one.

    Parameters
    ----------
    docstring
        The docstring, indented as it stands; None for none.
    names
        The function's parameters: a line that begins with another name is just text.
    """
    lines = inspect.cleandoc(docstring or "").splitlines()
    summary: list[str] = []
    told: dict[str, list[str]] = {}
    name, depth, in_summary, takes, numpy = "", 0, True, True, False
    for at, line in enumerate(lines):
        words = line.strip()
        indent = len(line) - len(line.lstrip())
        underlined = at + 1 < len(lines) and _UNDERLINE.fullmatch(lines[at + 1].strip()) is not None
        if _UNDERLINE.fullmatch(words):
            continue
        if _SECTION.fullmatch(words) and (underlined or words.endswith(":")):
            name, in_summary, takes = "", False, _TAKES.match(words) is not None
            numpy = takes and underlined
            continue
        found = _entry(words, names, numpy=numpy)
        if takes and found is not None and (not name or indent <= depth):
            name, depth, in_summary = found[0], indent, False
            told.setdefault(name, []).extend(filter(None, [found[1]]))
        elif _OTHER_FIELD.match(words):
            name, in_summary = "", False
        elif name and (indent > depth or not words):
            told[name].append(words)
        elif in_summary:
            summary.append(line)
        else:
            name = ""
    return "\n".join(summary).strip(), {name: _joined(said) for name, said in told.items() if _joined(said)}


def _entry(words: str, names: Collection[str], *, numpy: bool) -> tuple[str, str] | None:
    """Return the parameter that a line begins to describe, with what stands behind it on that line."""
    field = _FIELD.match(words)
    if field is not None:
        return (field[1], field[2]) if field[1] in names else None
    if numpy:
        # "city : str" names a type, which the hint says better; two may share a description: "width, height".
        name = words.partition(":")[0].split(",")[0].strip().lstrip("*")
        return (name, "") if name in names else None
    entry = _ENTRY.fullmatch(words)
    return (entry[1], entry[2]) if entry is not None and entry[1] in names else None


def _joined(said: list[str]) -> str:
    return " ".join(" ".join(said).split())
