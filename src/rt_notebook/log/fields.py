"""Fields of events as what they should be: an endpoint may put anything into one, and no fold fails on it."""

from __future__ import annotations

from typing import Any

__all__ = ["as_dict", "as_number", "as_text"]

_LARGEST = 2**53
"""No time and no count is larger, and floats and columns of whole numbers hold what is made of one."""


def as_text(value: object) -> str | None:
    """`value` if it is a string. Endpoints may put anything into a field; a fold never fails on it."""
    return value if isinstance(value, str) else None


def as_number(value: object) -> float | None:
    """`value` if it is a number that something can be measured or counted by."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if -_LARGEST <= value <= _LARGEST else None


def as_dict(value: object) -> dict[str, Any]:
    """`value` if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}
