"""Carries out calls of tools: asks, runs, sends outputs, asks for the answer. The rules are `ToolCalls`."""

from __future__ import annotations

import asyncio
import inspect
import itertools
import threading
from typing import TYPE_CHECKING, Any

from rt_notebook.core.tool_call import Ask, Follow, Moved, Output, PendingCall, Run, Stop
from rt_notebook.core.tool_calls import ToolCalls
from rt_notebook.core.wire_json import whole_text
from rt_notebook.errors import RtNotebookError
from rt_notebook.io.connection.asking import ask_for_next_answer
from rt_notebook.io.secrets.scrub import Scrubber
from rt_notebook.io.tools.threads import Failure, ToolThreads, output_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rt_notebook.core.events import Event
    from rt_notebook.core.tool_call import Action, ToolCall
    from rt_notebook.io.connection.owner import Owner

    Approver = Callable[[PendingCall], object]

__all__ = ["ToolsRunner"]

ANSWER_DUE_S = 5.0
"""The endpoint answers a spoken turn by itself; it is given so long before it is asked."""

LONGEST_PROBLEM_CHARS = 200


class ToolsRunner:
    """The tools of one session. Lives on the session thread; functions and questions run elsewhere.

    Parameters
    ----------
    approver
        Asked about calls, on a thread of its own: returns True, False, or None, which leaves the call to
        `approve` and `deny`. None itself: nobody is asked.

    Attributes
    ----------
    pending
        The calls that wait for a yes. Any thread may read it.
    """

    def __init__(self, owner: Owner, approver: Approver | None) -> None:
        self.pending: tuple[PendingCall, ...] = ()
        self._owner = owner
        self._approver = approver
        self._calls = ToolCalls()
        self._threads = ToolThreads()
        self._scrubber = Scrubber(owner.endpoint.secrets())
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._to_send: asyncio.Queue[tuple[int, Output | Follow]] = asyncio.Queue()
        self._sender: asyncio.Task[None] | None = None
        self._numbers = itertools.count(1)
        self._following: str | None = None
        self._heard = asyncio.Event()
        self._explained = False

    @property
    def busy(self) -> bool:
        """Whether a call is under way, or the answer to it is not begun."""
        return self._calls.busy

    # -- what happens -------------------------------------------------------------------------------

    def follow(self, event: Event | None) -> None:
        """Take every event that is logged. Only takes note: what follows from it is done afterwards."""
        self._heard.set()
        if event is None:
            self._later(self._calls.abandon(self._now_s(), "The session is closed."))
            self._threads.close()
            return
        response = event.data.get("response")
        if event.type == "local.closed":
            self._later(self._calls.abandon(self._now_s(), "The connection is gone."))
        elif event.direction != "received" or not isinstance(response, dict):
            return
        elif event.type == "response.done":
            self._later(self._calls.take(response, self._owner.config.tools, self._now_s()))
        elif (
            event.type == "response.created"
            and self._following is not None
            and response.get("conversation_id", "") is not None
        ):
            # Whoever asked for it, it was begun after the outputs were there.
            self._calls.followed(self._following)

    def interrupt(self) -> None:
        """Cancel what waits and what runs: the user wants no answer any more."""
        self._later(self._calls.interrupt(self._now_s()))

    def approve(self, call_id: str, digest: str | None) -> bool:
        """Let a call run; return whether it was waiting for that."""
        return self._later(self._calls.approve(call_id, digest, self._now_s()))

    def deny(self, call_id: str, digest: str | None, reason: str = "") -> bool:
        """Refuse a call; return whether it was waiting."""
        return self._later(self._calls.deny(call_id, digest, reason))

    def _now_s(self) -> float:
        return self._owner.clock_s()

    # -- what is done about it ----------------------------------------------------------------------

    def _later(self, actions: Sequence[Action]) -> bool:
        """Do it once every listener has been told what it follows from."""
        if actions:
            asyncio.get_running_loop().call_soon(self._do, actions)
        return bool(actions)

    def _do(self, actions: Sequence[Action]) -> None:
        self.pending = tuple(call.shown() for call in self._calls.pending())
        for action in actions:
            match action:
                case Moved(call, state, duration_ms, message):
                    self._record(call, state=state, duration_ms=duration_ms, message=message)
                case Ask(call):
                    self._ask(call)
                case Run(call):
                    self._run(call)
                case Stop(call):
                    self._stop_timer(call)
                    self._threads.stop(call.call_id)
                case Output() | Follow():
                    connection = self._owner.connection
                    self._to_send.put_nowait((0 if connection is None else connection.generation, action))
                    if self._sender is None:
                        self._sender = asyncio.create_task(self._send())

    def _record(self, call: ToolCall, **told: Any) -> None:
        message = self._clean(told.pop("message"))
        ids = {"call_id": call.call_id, "name": call.name, "response_id": call.response_id}
        self._owner.record("local.tool_call", **ids, **told, message=message)

    def _clean(self, text: str) -> str:
        return self._scrubber.text(whole_text(text))

    def _start_timer(self, call: ToolCall, seconds: float) -> None:
        self._stop_timer(call)
        state, loop = call.state, asyncio.get_running_loop()

        def over() -> None:
            self._later(self._calls.late(call.call_id, state, self._now_s()))

        self._timers[call.call_id] = loop.call_later(seconds, over)

    def _stop_timer(self, call: ToolCall) -> None:
        timer = self._timers.pop(call.call_id, None)
        if timer is not None:
            timer.cancel()

    # -- asking -------------------------------------------------------------------------------------

    def _ask(self, call: ToolCall) -> None:
        if call.state != "pending" or call.tool is None:
            return
        self._start_timer(call, call.tool.approval_s)
        if self._approver is None:
            self._explain(call)
            return
        shown, loop, approver = call.shown(), asyncio.get_running_loop(), self._approver

        def ask() -> None:
            try:
                answer = approver(shown)
                if inspect.isawaitable(answer):
                    answer = asyncio.run(_awaited(answer))
            except BaseException as error:
                answer = Failure(error)
            _call_soon(loop, self._answered, shown, answer)

        threading.Thread(target=ask, name="rt_notebook approval", daemon=True).start()

    def _answered(self, call: PendingCall, answer: object) -> None:
        if isinstance(answer, Failure):
            self._owner.record(
                "local.error",
                message=f"approve={self._approver!r} failed: {self._problem(answer.error)}. "
                f"{call.name} was not allowed; correct the function and ask again.",
            )
        # True and nothing else: the "n" that input() returns is as true as its "y".
        if answer is True:
            self.approve(call.call_id, call.digest)
        elif answer is not None:
            self.deny(call.call_id, call.digest)

    def _explain(self, call: ToolCall) -> None:
        if self._explained:
            return
        self._explained = True
        self._owner.record(
            "local.error",
            message=f"The model wants to call {call.name}, and nobody is there to allow it. Look at "
            "session.pending_calls and call session.approve(call_id) or session.deny(call_id), use a "
            "Playground, give Session(approve=...) a function, or declare a tool that changes nothing with "
            '@tool(approve="never").',
        )

    # -- running ------------------------------------------------------------------------------------

    def _run(self, call: ToolCall) -> None:
        if call.state != "running" or call.tool is None:
            return
        self._start_timer(call, call.tool.timeout_s)
        loop, call_id = asyncio.get_running_loop(), call.call_id

        def report(result: object) -> None:
            # Still on the function's thread: its result may be large, or have code of its own.
            try:
                told = result if isinstance(result, Failure) else output_text(result)
            except BaseException as error:
                told = Failure(error)
            _call_soon(loop, self._returned, call_id, told)

        self._threads.start(call_id, call.tool.function, call.values, report)

    def _returned(self, call_id: str, told: str | Failure) -> None:
        now_s = self._now_s()
        if isinstance(told, Failure):
            self._later(self._calls.failed(call_id, self._problem(told.error), now_s))
        else:
            self._later(self._calls.succeeded(call_id, told, now_s))

    def _problem(self, error: BaseException) -> str:
        """Say in a line what went wrong: no traceback, and no key that the message may hold."""
        try:
            said = str(error).strip().partition("\n")[0]
        except Exception:
            said = ""
        line = f"{type(error).__name__}: {said}" if said else type(error).__name__
        return self._clean(line)[:LONGEST_PROBLEM_CHARS]

    # -- sending ------------------------------------------------------------------------------------

    async def _send(self) -> None:
        """Send one thing after the other: an answer is asked for when every output has arrived."""
        while True:
            generation, action = await self._to_send.get()
            try:
                if isinstance(action, Output):
                    await self._send_output(generation, action)
                else:
                    await self._ask_for_answer(action.response_id)
            except (RtNotebookError, TimeoutError) as error:
                if self._owner.is_open:
                    self._owner.record("local.error", message=f"A tool's output came to nothing. {error}")

    async def _send_output(self, generation: int, output: Output) -> None:
        connection = self._owner.connection
        if not self._owner.is_open or connection is None or connection.generation != generation:
            return  # the conversation that it belongs to is gone
        told = {"type": "function_call_output", "call_id": output.call_id, "output": whole_text(output.text)}
        item = {"id": f"rt_tool_output_{next(self._numbers)}"} | told
        event = {"type": "conversation.item.create", "item": item}
        await self._owner.exchange(event, "conversation.item.added")

    async def _ask_for_answer(self, response_id: str) -> None:
        self._following = response_id
        try:
            await self._users_turn_over(response_id)
            await ask_for_next_answer(self._owner, unless=lambda: not self._calls.wanted(response_id))
        finally:
            self._following = None
            self._calls.followed(response_id)

    async def _users_turn_over(self, response_id: str) -> None:
        """Let the user finish: the endpoint answers what was said by itself, and knows the outputs then."""
        connection = self._owner.connection
        while connection is not None and self._calls.wanted(response_id):
            watch = connection.watch
            if not (watch.speaking or watch.awaiting):
                return
            self._heard.clear()
            try:
                async with asyncio.timeout(None if watch.speaking else ANSWER_DUE_S):
                    await self._heard.wait()
            except TimeoutError:
                return


async def _awaited(work: Any) -> object:
    return await work


def _call_soon(loop: asyncio.AbstractEventLoop, callback: Callable[..., object], *args: object) -> None:
    """Hand something over to the session thread; it may have ended."""
    try:
        loop.call_soon_threadsafe(callback, *args)
    except RuntimeError:
        return
