"""One call of a tool, and what is to be done about it. Pure."""

from __future__ import annotations

import contextlib
import hashlib
import json
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from rt_notebook.core.tools import Tool

__all__ = [
    "Action",
    "Ask",
    "CallState",
    "Follow",
    "Moved",
    "Output",
    "PendingCall",
    "Run",
    "Stop",
    "ToolCall",
    "digest_of",
    "shown_arguments",
]

CallState = Literal["pending", "approved", "running", "done", "failed", "denied", "timed_out", "cancelled"]


@dataclass(slots=True)
class ToolCall:
    """One call that the model asks for.

    Attributes
    ----------
    call_id, name, arguments
        As the endpoint gave them; `arguments` is JSON.
    digest
        Stands for exactly this call with exactly these arguments. A yes is given to it.
    response_id
        The response that asks for it.
    state
        How far it is.
    values
        The arguments as the function takes them, until it ends.
    running_s
        Session seconds at which its function was started.
    """

    call_id: str
    name: str
    arguments: str
    response_id: str
    tool: Tool | None = field(default=None, repr=False)
    state: CallState = "pending"
    values: dict[str, Any] = field(default_factory=dict, repr=False)
    running_s: float | None = None

    @property
    def digest(self) -> str:
        """Stands for this call id with these arguments."""
        return digest_of(self.call_id, self.name, self.arguments)

    def shown(self) -> PendingCall:
        """Return what somebody is asked about."""
        values: Any = json.loads(self.arguments or "{}")
        return PendingCall(self.call_id, self.name, values, self.digest)

    @property
    def open(self) -> bool:
        """Whether it has not ended."""
        return self.state in {"pending", "approved", "running"}


@dataclass(frozen=True, slots=True)
class PendingCall:
    """A call that waits for a yes.

    Attributes
    ----------
    call_id, name
        Which call, of which tool.
    arguments
        What the tool would be called with.
    digest
        Stands for this very call with these very arguments.
    """

    call_id: str
    name: str
    arguments: dict[str, Any]
    digest: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask somebody whether the call may run; it is `late` after its tool's `approval_s`."""

    call: ToolCall


@dataclass(frozen=True, slots=True)
class Run:
    """Run the call's function; it is `late` after its tool's `timeout_s`."""

    call: ToolCall


@dataclass(frozen=True, slots=True)
class Stop:
    """The call has ended: stop its clock, its question, and its function as far as that can be stopped."""

    call: ToolCall


@dataclass(frozen=True, slots=True)
class Output:
    """Send the output of a call."""

    call_id: str
    text: str


@dataclass(frozen=True, slots=True)
class Follow:
    """Ask for the answer to a response's outputs, if it is still `wanted`; then it is `followed`."""

    response_id: str


@dataclass(frozen=True, slots=True)
class Moved:
    """Log where a call stands."""

    call: ToolCall
    state: CallState
    duration_ms: int | None = None
    message: str = ""


Action = Ask | Run | Stop | Output | Follow | Moved


def digest_of(call_id: str, name: str, arguments: str) -> str:
    """Return what stands for a call with its arguments; another argument gives another digest."""
    return hashlib.sha256(json.dumps([call_id, name, arguments]).encode()).hexdigest()[:32]


def shown_arguments(arguments: str) -> str:
    """Return arguments as a person can judge them: laid out, nothing in them invisible or turned around."""
    with contextlib.suppress(ValueError, RecursionError):
        arguments = json.dumps(json.loads(arguments or "{}"), ensure_ascii=False, indent=2)
    return "".join(one if one == "\n" or _plain(one) else f"\\u{ord(one):04x}" for one in arguments)


def _plain(character: str) -> bool:
    return unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
