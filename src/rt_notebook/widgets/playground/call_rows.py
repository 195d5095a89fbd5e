"""The calls of tools that the playground shows, folded from events one by one. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rt_notebook.core.tool_call import digest_of, shown_arguments
from rt_notebook.core.tool_calls import LONGEST_ARGUMENTS_CHARS

if TYPE_CHECKING:
    from rt_notebook.core.events import Event

__all__ = ["CallRows"]

Row = dict[str, Any]


class CallRows:
    """What the model wants to call: one row a call, in the order of their coming.

    The card shows the arguments themselves, and a press names their digest: what was read is what is allowed.
    """

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        self._arguments: dict[str, tuple[str, str]] = {}
        self._changed: dict[str, None] = {}

    def take_changed(self) -> list[Row]:
        """Return the rows that are new or changed since the last call."""
        changed = [dict(self.rows[call_id]) for call_id in self._changed]
        self._changed.clear()
        return changed

    def add(self, event: Event) -> None:
        """Take the next event."""
        data = event.data
        if event.type == "response.done" and isinstance(data.get("response"), dict):
            output = data["response"].get("output")
            for item in output if isinstance(output, list) else ():
                if isinstance(item, dict) and item.get("type") == "function_call":
                    told = str(item.get("name")), str(item.get("arguments"))
                    self._arguments.setdefault(str(item.get("call_id")), told)
        elif event.type == "local.tool_call":
            call_id = str(data.get("call_id"))
            row = self.rows.get(call_id) or self._row(call_id, str(data.get("name")))
            row["state"], row["message"] = str(data.get("state")), str(data.get("message") or "")
            self.rows[call_id] = row
            self._changed[call_id] = None

    def _row(self, call_id: str, name: str) -> Row:
        name, arguments = self._arguments.pop(call_id, (name, ""))
        too_long = len(arguments) > LONGEST_ARGUMENTS_CHARS
        shown = f"{len(arguments)} characters" if too_long else shown_arguments(arguments)
        return {
            "call_id": call_id,
            "digest": digest_of(call_id, name, arguments),
            "name": name,
            "arguments": shown,
        }
