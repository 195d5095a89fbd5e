"""Fill in the arguments of a function from what was said. Whatever comes out is valid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rt_notebook.server.components.calls.grounding import ground
from rt_notebook.server.components.calls.json_schema import valid
from rt_notebook.server.components.calls.smallest import smallest

if TYPE_CHECKING:
    from collections.abc import Callable

    from rt_notebook.server.components.calls.utterance import Utterance
    from rt_notebook.server.engine.effects import Tool

__all__ = ["arguments_for"]


def arguments_for(
    tool: Tool, said: Utterance, choose: Callable[[dict[str, Any]], Any] | None = None
) -> dict[str, Any]:
    """Return valid arguments for a function.

    Parameters
    ----------
    tool
        The function.
    said
        The user's words.
    choose
        Chooses an instance of a narrowed schema, or returns anything that is not valid when it cannot; asked
        only where the words leave a choice. None takes the first of what fits.
    """
    schema = tool.parameters or {"type": "object"}
    narrowed = ground(tool, said).schema
    found: Any = None
    if choose is not None and _open(narrowed):
        found = choose(narrowed)
    if not (isinstance(found, dict) and valid(found, schema) and valid(found, narrowed)):
        found = smallest(narrowed)
    if not valid(found, schema):
        found = smallest(schema)
    return found if isinstance(found, dict) else {}


def _open(schema: Any) -> bool:
    """Whether a narrowed schema leaves a choice."""
    if "enum" in schema:
        return len(schema["enum"]) > 1
    return schema.get("type") != "object" or any(map(_open, schema["properties"].values()))
