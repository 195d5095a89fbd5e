"""Fields of events as what they should be: an endpoint may put anything into one, and no fold fails on it."""

from __future__ import annotations

import math
from typing import Any

__all__ = ["as_dict", "as_number", "as_text"]


def as_text(value: object) -> str | None:
    """`value` if it is a string. Endpoints may put anything into a field; a fold never fails on it."""
    return value if isinstance(value, str) else None


def as_number(value: object) -> float | None:
    """`value` if it is a finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:  # a whole number of hundreds of digits
        return None
    return number if math.isfinite(number) else None


def as_dict(value: object) -> dict[str, Any]:
    """`value` if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}
