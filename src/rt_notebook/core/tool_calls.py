"""Calls of tools: which may run, which wait for a yes, and what the model is told. Pure.

Calls are taken from a response that is complete: what an answer wanted that was cancelled, or cut at its
limit, never runs. Each call goes ::

    pending -> approved -> running -> done | failed | timed_out
       |                      '-----> cancelled          (interrupted, connection lost, session closed)
       '-> denied | cancelled

and a call that cannot run at all (unknown tool, wrong or oversized arguments) is failed from the start. The
second half of the machine is the response: when all its calls have ended, the answer is asked for, once.

What is to be done comes back as actions, in order; whoever carries them out reports back. A report on a call
that has ended, and a yes that comes too late, change nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rt_notebook.core.tool_call import Action, Ask, CallState, Follow, Moved, Output, Run, Stop, ToolCall
from rt_notebook.core.tools import Tool

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["LONGEST_ARGUMENTS_CHARS", "LONGEST_OUTPUT_CHARS", "ToolCalls"]

LONGEST_ARGUMENTS_CHARS = 64_000
"""Longer arguments are not run, and not shown: nobody would read them before saying yes."""

LONGEST_OUTPUT_CHARS = 100_000
"""A longer output would fill the model's memory of the conversation."""

LONGEST_PROBLEM_CHARS = 300

_INTERRUPTED = "The user interrupted."


@dataclass(slots=True)
class _Round:
    """The calls of one response."""

    open_ids: set[str]
    answerable: bool
    following: bool = False


class ToolCalls:
    """The calls of one session.

    Attributes
    ----------
    calls
        Every call by its id, in the order of their coming.
    """

    def __init__(self) -> None:
        self.calls: dict[str, ToolCall] = {}
        self._rounds: dict[str, _Round] = {}
        self._taken: set[str] = set()
        self._allowed: set[Tool] = set()

    @property
    def busy(self) -> bool:
        """Whether a call is under way, or its answer not begun."""
        return bool(self._rounds)

    def pending(self) -> tuple[ToolCall, ...]:
        """Return the calls that wait for a yes."""
        return tuple(call for call in self.calls.values() if call.state == "pending")

    # -- what the model wants -----------------------------------------------------------------------

    def take(self, response: Mapping[str, Any], tools: Iterable[object], now_s: float) -> list[Action]:
        """Take a response that is done; `tools` are those of the session as it is configured now.

        A session without a `Tool` runs nothing: whoever gives it plain dicts answers the calls. So it is with
        a response outside the conversation, which has a null ``conversation_id``.
        """
        known: dict[str, object] = {_name_of(tool): tool for tool in tools}
        response_id = response.get("id")
        if not any(isinstance(tool, Tool) for tool in known.values()) or not isinstance(response_id, str):
            return []
        if response_id in self._taken or response.get("conversation_id", "") is None:
            return []
        self._taken.add(response_id)
        wanted = [item for item in _items(response) if item.get("type") == "function_call"]
        whole = response.get("status", "completed") == "completed"
        actions: list[Action] = []
        new: list[ToolCall] = []
        foreign = False
        for item in wanted:
            call = _call_of(item, response_id)
            if call is None or call.call_id in self.calls:
                continue  # an id counts once, whatever comes with it the second time
            tool = known.get(call.name)
            if tool is not None and not isinstance(tool, Tool):
                foreign = True
                continue
            call.tool = tool
            self.calls[call.call_id] = call
            if whole and item.get("status", "completed") == "completed":
                new.append(call)
            else:
                call.state = "cancelled"
                actions.append(
                    Moved(call, "cancelled", message="The answer that asked for it was cut short.")
                )
        if not new:
            return actions
        # A response in which somebody else answers a call as well is for him to go on with.
        self._rounds[response_id] = _Round({call.call_id for call in new}, answerable=not foreign)
        for call in new:
            actions += self._begin(call, now_s)
        return actions

    def _begin(self, call: ToolCall, now_s: float) -> list[Action]:
        problem = self._problem(call)
        if problem:
            return self._end(call, "failed", f"Error: {problem}", message=problem)
        assert call.tool is not None  # noqa: S101 - an unknown tool is a problem
        if call.tool.approve == "never" or (call.tool.approve == "once" and call.tool in self._allowed):
            return self._run(call, now_s)
        return [Moved(call, "pending"), Ask(call)]

    def _problem(self, call: ToolCall) -> str:
        """Read the arguments; return what is wrong with the call, or nothing."""
        if call.tool is None:
            return f"There is no tool named {call.name[:64]!r}."
        length = len(call.arguments)
        if length > LONGEST_ARGUMENTS_CHARS:
            return f"The arguments are too long: {length} characters, {LONGEST_ARGUMENTS_CHARS} at most."
        try:
            call.values = call.tool.read_arguments(call.arguments)
        except (ValueError, RecursionError) as error:
            return f"The arguments are not valid: {str(error)[:LONGEST_PROBLEM_CHARS]}."
        return ""

    # -- what people say ----------------------------------------------------------------------------

    def approve(self, call_id: str, digest: str | None, now_s: float) -> list[Action]:
        """Let a call run. A `digest` that is not the call's own, or a call that is not pending: nothing."""
        call = self._waiting(call_id, digest)
        if call is None:
            return []
        assert call.tool is not None  # noqa: S101 - only calls of known tools wait
        if call.tool.approve == "once":
            self._allowed.add(call.tool)
        call.state = "approved"
        return [Moved(call, "approved"), *self._run(call, now_s)]

    def deny(self, call_id: str, digest: str | None, reason: str = "") -> list[Action]:
        """Refuse a call, and tell the model."""
        call = self._waiting(call_id, digest)
        if call is None:
            return []
        told = f"The user did not allow this call. {reason}".rstrip()
        return self._end(call, "denied", told, message=reason)

    def _waiting(self, call_id: str, digest: str | None) -> ToolCall | None:
        call = self.calls.get(call_id)
        if call is None or call.state != "pending" or digest not in {None, call.digest}:
            return None
        return call

    def _run(self, call: ToolCall, now_s: float) -> list[Action]:
        call.state, call.running_s = "running", now_s
        return [Moved(call, "running"), Run(call)]

    # -- what becomes of it -------------------------------------------------------------------------

    def succeeded(self, call_id: str, output: str, now_s: float) -> list[Action]:
        """Take what the function returned."""
        call = self._running(call_id)
        if call is None:
            return []
        if len(output) > LONGEST_OUTPUT_CHARS:
            return self.failed(call_id, f"The result is too long: {len(output)} characters.", now_s)
        return self._end(call, "done", output, now_s)

    def failed(self, call_id: str, problem: str, now_s: float) -> list[Action]:
        """Take that the function failed; `problem` is a line for the model and for the log."""
        call = self._running(call_id)
        return [] if call is None else self._end(call, "failed", f"Error: {problem}", now_s, problem)

    def late(self, call_id: str, waited_as: CallState, now_s: float) -> list[Action]:
        """Take that the time is over that was set when the call was pending, or running."""
        call = self.calls.get(call_id)
        if call is None or not call.open or call.state != waited_as or call.tool is None:
            return []
        if call.state == "pending":
            told = f"Nobody allowed this call within {call.tool.approval_s:g} s, and it did not run."
            return self._end(
                call, "denied", told, message=f"Nobody answered within {call.tool.approval_s:g} s."
            )
        told = f"The function took longer than {call.tool.timeout_s:g} s."
        return self._end(call, "timed_out", f"Error: {told} What it did is not known.", now_s, told)

    def _running(self, call_id: str) -> ToolCall | None:
        call = self.calls.get(call_id)
        return call if call is not None and call.state == "running" else None

    def interrupt(self, now_s: float) -> list[Action]:
        """Take that the user wants no answer any more. The model is told: it remembers the call."""
        actions: list[Action] = []
        for call in [call for call in self.calls.values() if call.open]:
            ran = call.state == "running"
            told = f"{_INTERRUPTED} {'What the function did is not known.' if ran else 'It did not run.'}"
            self._rounds[call.response_id].answerable = False
            actions += self._end(call, "cancelled", told, now_s, _INTERRUPTED)
        self._rounds.clear()
        return actions

    def abandon(self, now_s: float, why: str) -> list[Action]:
        """Take that the connection is gone, and with it the conversation that the calls belonged to."""
        self._rounds.clear()
        actions: list[Action] = []
        for call in [call for call in self.calls.values() if call.open]:
            actions += self._end(call, "cancelled", None, now_s, why)
        return actions

    def wanted(self, response_id: str) -> bool:
        """Whether the answer to a response's outputs is still to be asked for."""
        return response_id in self._rounds

    def followed(self, response_id: str) -> None:
        """Take that the answer has been begun, or is not to be had."""
        self._rounds.pop(response_id, None)

    def _end(
        self,
        call: ToolCall,
        state: CallState,
        output: str | None,
        now_s: float | None = None,
        message: str = "",
    ) -> list[Action]:
        ran_ms = None if call.running_s is None or now_s is None else round(1000 * (now_s - call.running_s))
        call.state = state
        call.values = {}
        actions: list[Action] = [Stop(call), Moved(call, state, ran_ms, message)]
        if output is not None:
            actions.append(Output(call.call_id, output))
        batch = self._rounds.get(call.response_id)
        if batch is not None:
            batch.open_ids.discard(call.call_id)
            if not batch.open_ids and not batch.following:
                if batch.answerable:
                    batch.following = True
                    actions.append(Follow(call.response_id))
                else:
                    del self._rounds[call.response_id]
        return actions


def _name_of(tool: object) -> str:
    return tool.name if isinstance(tool, Tool) else str(tool.get("name")) if isinstance(tool, dict) else ""


def _items(response: Mapping[str, Any]) -> list[dict[str, Any]]:
    output = response.get("output")
    return [item for item in output if isinstance(item, dict)] if isinstance(output, list) else []


def _call_of(item: dict[str, Any], response_id: str) -> ToolCall | None:
    call_id, name, arguments = item.get("call_id"), item.get("name"), item.get("arguments")
    if not isinstance(call_id, str) or not isinstance(name, str):
        return None
    return ToolCall(call_id, name, arguments if isinstance(arguments, str) else "", response_id)
