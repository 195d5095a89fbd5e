"""What one look of the doctor has shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from rt_notebook.errors import RtNotebookError

__all__ = ["Finding", "State", "problem"]

State = Literal["ok", "note", "problem"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What one look has shown.

    Attributes
    ----------
    check
        What was looked at, in a word or two.
    state
        ``"ok"``; ``"note"``: unusual, and it may be right; ``"problem"``: it cannot work like that.
    said
        One sentence.
    remedy
        What to do about it; empty where there is nothing to do.
    """

    check: str
    state: State
    said: str
    remedy: str = ""


def problem(check: str, error: RtNotebookError) -> Finding:
    """Make a finding of an error."""
    return Finding(check, "problem", error.problem, error.remedy)
