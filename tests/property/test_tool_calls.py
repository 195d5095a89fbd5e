"""Tools in any order of things: nothing runs without its yes, outputs go once, answers follow once."""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from rt_notebook.core.tool_call import Ask, Follow, Moved, Output, Run, Stop, digest_of
from rt_notebook.core.tool_calls import LONGEST_ARGUMENTS_CHARS, ToolCalls
from rt_notebook.core.tools import tool

FINAL = {"done", "failed", "denied", "timed_out", "cancelled"}


@tool
def always(n: int) -> int:
    return n


@tool(approve="once")
def once(n: int) -> int:
    return n


@tool(approve="never")
def never(n: int) -> int:
    return n


TOOLS = (always, once, never, {"type": "function", "name": "foreign"})
NAMES = st.sampled_from(["always", "once", "never", "unknown", "foreign"])
ARGUMENTS = st.one_of(
    st.integers(0, 3).map(lambda n: f'{{"n": {n}}}'),
    st.sampled_from(["", "{", '{"n": "1"}', '{"n": 1, "m": 1}']),
    st.just(LONGEST_ARGUMENTS_CHARS).map(lambda length: '{"n": ' + " " * length + "1}"),
)
IDS = st.sampled_from([f"call_{n}" for n in range(8)])
CALLS = st.lists(st.tuples(IDS, NAMES, ARGUMENTS), max_size=4)


def fits(arguments):
    return arguments in {f'{{"n": {n}}}' for n in range(4)}


class Tools(RuleBasedStateMachine):
    """Carries out actions as the runner does, and keeps its own account of what was allowed."""

    @initialize()
    def begin(self):
        self.calls = ToolCalls()
        self.now_s = 0.0
        self.responses = {}
        self.offered = {}
        self.allowed = set()
        self.allowed_once = set()
        self.runs = []
        self.stopped = set()
        self.outputs = []
        self.follows = []
        self.dropped = set()
        self.unfollowed = set()
        self.moves = {}

    def do(self, actions):
        self.now_s += 1.0
        for action in actions:
            match action:
                case Run(call):
                    assert call.call_id not in self.runs, "a call runs once"
                    assert call.call_id not in self.dropped, "nothing runs after an interruption"
                    name, arguments = self.offered[call.call_id]
                    assert (call.name, call.arguments) == (name, arguments)
                    assert fits(arguments)
                    assert name == "never" or name in self.allowed_once or call.call_id in self.allowed
                    self.runs.append(call.call_id)
                case Ask(call):
                    assert call.name in {"always", "once"}
                    assert call.call_id not in self.runs
                case Output(call_id, text):
                    assert call_id not in [told for told, _ in self.outputs], "an output goes once"
                    self.outputs.append((call_id, text))
                case Follow(response_id):
                    assert response_id not in self.follows, "an answer is asked for once"
                    own = [c for c in self.calls.calls.values() if c.response_id == response_id]
                    assert own
                    assert not any(call.open for call in own), "and only when every call has ended"
                    told = {call_id for call_id, _ in self.outputs}
                    assert {call.call_id for call in own} <= told
                    assert not {call.call_id for call in own} & self.dropped
                    self.follows.append(response_id)
                    self.unfollowed.add(response_id)
                case Stop(call):
                    self.stopped.add(call.call_id)
                case Moved(call, state):
                    before = self.moves.setdefault(call.call_id, [])
                    assert not before or before[-1] not in FINAL, "what has ended stays so"
                    before.append(state)

    @rule(wanted=CALLS, status=st.sampled_from(["completed"] * 4 + ["cancelled", "incomplete"]))
    def response_done(self, wanted, status):
        output = [
            {"type": "function_call", "call_id": call_id, "name": name, "arguments": arguments}
            for call_id, name, arguments in wanted
        ]
        response_id = f"resp_{len(self.responses)}"
        self.responses[response_id] = {"id": response_id, "status": status, "output": output}
        for call_id, name, arguments in wanted:
            if name != "foreign":
                self.offered.setdefault(call_id, (name, arguments))
        self.do(self.calls.take(self.responses[response_id], TOOLS, self.now_s))

    @precondition(lambda self: self.responses)
    @rule(data=st.data())
    def the_same_response_again(self, data):
        again = data.draw(st.sampled_from(sorted(self.responses)))
        assert self.calls.take(self.responses[again], TOOLS, self.now_s) == []

    @rule(call_id=IDS, right=st.booleans())
    def approve(self, call_id, right):
        name, arguments = self.offered.get(call_id, ("", ""))
        digest = digest_of(call_id, name, arguments if right else arguments + " ")
        waits = call_id in {call.call_id for call in self.calls.pending()}
        if waits and right:
            self.allowed.add(call_id)
            if name == "once":
                self.allowed_once.add(name)
        actions = self.calls.approve(call_id, digest, self.now_s)
        assert bool(actions) == (waits and right)
        self.do(actions)

    @rule(call_id=IDS, right=st.booleans())
    def deny(self, call_id, right):
        name, arguments = self.offered.get(call_id, ("", ""))
        waits = call_id in {call.call_id for call in self.calls.pending()}
        actions = self.calls.deny(call_id, digest_of(call_id, name, arguments) if right else "other")
        assert bool(actions) == (waits and right)
        self.do(actions)

    @rule(call_id=IDS, well=st.booleans())
    def returned(self, call_id, well):
        runs = call_id in self.runs and call_id not in self.stopped
        if well:
            actions = self.calls.succeeded(call_id, f"result of {call_id}", self.now_s)
        else:
            actions = self.calls.failed(call_id, "no", self.now_s)
        assert bool(actions) == runs
        self.do(actions)

    @rule(call_id=IDS, state=st.sampled_from(["pending", "running"]))
    def late(self, call_id, state):
        self.do(self.calls.late(call_id, state, self.now_s))

    @rule()
    def interrupt(self):
        self.drop(self.calls.interrupt(self.now_s))

    @rule()
    def abandon(self):
        before = len(self.outputs)
        self.drop(self.calls.abandon(self.now_s, "gone"))
        assert len(self.outputs) == before, "a lost conversation is told nothing"

    def drop(self, actions):
        self.dropped |= {action.call.call_id for action in actions if isinstance(action, Moved)}
        self.do(actions)
        assert not self.calls.busy
        assert not any(self.calls.wanted(response_id) for response_id in self.unfollowed)
        self.unfollowed.clear()

    @precondition(lambda self: self.unfollowed)
    @rule()
    def followed(self):
        response_id = self.unfollowed.pop()
        assert self.calls.wanted(response_id)
        self.calls.followed(response_id)
        assert not self.calls.wanted(response_id)

    @invariant()
    def it_is_busy_while_something_is_open(self):
        if not hasattr(self, "calls"):
            return
        open_ids = {call.call_id for call in self.calls.calls.values() if call.open}
        assert self.calls.busy == bool(open_ids or self.unfollowed)
        assert open_ids.isdisjoint(call_id for call_id, _ in self.outputs)

    def teardown(self):
        if not hasattr(self, "calls"):
            return
        self.do(self.calls.abandon(self.now_s, "closed"))
        told = {call_id for call_id, _ in self.outputs}
        for call in self.calls.calls.values():
            states = self.moves[call.call_id]
            assert states[-1] in FINAL
            assert states[-1] == call.state
            # Whatever ended while the conversation was there is told, whole responses only.
            if call.state in {"done", "failed", "denied", "timed_out"}:
                assert call.call_id in told
            assert ("running" in states) == (call.call_id in self.runs)


Tools.TestCase.settings = settings(max_examples=200, stateful_step_count=40)
TestTools = Tools.TestCase
