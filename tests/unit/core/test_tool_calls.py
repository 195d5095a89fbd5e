"""What may run, and what the model is told: unknown, wrong, oversized, repeated, late, interrupted calls."""

from __future__ import annotations

import pytest

from rt_notebook.core.tool_call import Ask, Follow, Moved, Output, Run, digest_of, shown_arguments
from rt_notebook.core.tool_calls import LONGEST_ARGUMENTS_CHARS, LONGEST_OUTPUT_CHARS, ToolCalls
from rt_notebook.core.tools import tool


@tool
def ask(city: str) -> str:
    return city


@tool(approve="once")
def once(city: str) -> str:
    return city


@tool(approve="never")
def never(city: str) -> str:
    return city


TOOLS = (ask, once, never)
PARIS = '{"city": "Paris"}'


def response(*calls, response_id="resp_1", **more):
    output = [
        {
            "type": "function_call",
            "call_id": call_id,
            "name": name,
            "arguments": arguments,
            "status": "completed",
        }
        for call_id, name, arguments in calls
    ]
    return {"id": response_id, "status": "completed", "output": output} | more


def of(kind, actions):
    return [action for action in actions if isinstance(action, kind)]


def states(actions):
    return [action.state for action in of(Moved, actions)]


@pytest.fixture
def calls():
    return ToolCalls()


def test_a_call_that_needs_no_yes_runs_is_told_and_followed(calls):
    began = calls.take(response(("c1", "never", PARIS)), TOOLS, 1.0)
    [run] = of(Run, began)
    assert run.call.values == {"city": "Paris"}
    ended = calls.succeeded("c1", "sunny", 1.25)
    assert of(Output, ended) == [Output("c1", "sunny")]
    assert of(Moved, ended)[0].duration_ms == 250
    assert ended[-1] == Follow("resp_1")
    assert calls.busy
    calls.followed("resp_1")
    assert not calls.busy


def test_a_call_waits_for_a_yes_to_exactly_it(calls):
    began = calls.take(response(("c1", "ask", PARIS)), TOOLS, 1.0)
    assert of(Ask, began)
    assert not of(Run, began)
    [pending] = calls.pending()
    assert pending.shown().arguments == {"city": "Paris"}
    for digest in ("", digest_of("c1", "ask", '{"city": "Rome"}'), digest_of("c2", "ask", PARIS)):
        assert calls.approve("c1", digest, 2.0) == []
    assert calls.approve("c2", None, 2.0) == []
    approved = calls.approve("c1", pending.digest, 2.0)
    assert states(approved) == ["approved", "running"]
    assert calls.approve("c1", pending.digest, 2.0) == []
    assert calls.deny("c1", pending.digest) == []


def test_once_asks_once(calls):
    assert of(Ask, calls.take(response(("c1", "once", PARIS)), TOOLS, 1.0))
    calls.approve("c1", None, 1.0)
    assert of(Run, calls.take(response(("c2", "once", PARIS), response_id="resp_2"), TOOLS, 2.0))
    assert of(Ask, calls.take(response(("c3", "ask", PARIS), response_id="resp_3"), TOOLS, 2.0))


def test_a_no_is_no_yes_for_the_next_time(calls):
    calls.take(response(("c1", "once", PARIS)), TOOLS, 1.0)
    denied = calls.deny("c1", None, "Too far.")
    assert states(denied) == ["denied"]
    assert of(Output, denied) == [Output("c1", "The user did not allow this call. Too far.")]
    assert of(Ask, calls.take(response(("c2", "once", PARIS), response_id="resp_2"), TOOLS, 2.0))


@pytest.mark.parametrize(
    ("name", "arguments", "says"),
    [
        ("format_disk", PARIS, "There is no tool named 'format_disk'."),
        ("never", "{", "not valid"),
        ("never", '{"city": 3}', "Expected `str`, got `int`"),
        ("never", "{}", "missing required field `city`"),
        ("never", '{"city": "Paris", "sudo": true}', "unknown field"),
        ("never", '{"city": "' + "x" * 5_000_000 + '"}', "too long: 5000012 characters"),
        ("never", "[" * 60_000, "not valid"),
        ("never", '{"' + "x" * 60_000 + '": 1}', "not valid"),
    ],
)
def test_a_call_that_cannot_run_is_told_to_the_model(calls, name, arguments, says):
    actions = calls.take(response(("c1", name, arguments)), TOOLS, 1.0)
    assert not of(Run, actions)
    assert not of(Ask, actions)
    [output] = of(Output, actions)
    assert says in output.text
    assert len(output.text) < 400
    assert states(actions) == ["failed"]
    assert actions[-1] == Follow("resp_1")
    assert calls.approve("c1", None, 2.0) == []


def test_arguments_at_the_limit_still_run(calls):
    filler = "x" * (LONGEST_ARGUMENTS_CHARS - len('{"city": ""}'))
    assert of(Run, calls.take(response(("c1", "never", '{"city": "' + filler + '"}')), TOOLS, 1.0))


def test_a_call_id_counts_once(calls):
    first = response(("c1", "never", PARIS), ("c1", "never", '{"city": "Rome"}'))
    assert len(of(Run, calls.take(first, TOOLS, 1.0))) == 1
    assert calls.take(first, TOOLS, 1.0) == []
    assert calls.take(response(("c2", "never", PARIS)), TOOLS, 1.0) == [], "nor does a response"
    assert calls.take(response(("c1", "never", PARIS), response_id="resp_2"), TOOLS, 1.0) == []
    assert len(of(Output, calls.succeeded("c1", "sunny", 2.0))) == 1
    assert calls.succeeded("c1", "sunny", 2.0) == []


def test_several_calls_are_followed_once_when_all_have_ended(calls):
    calls.take(response(("c1", "never", PARIS), ("c2", "ask", PARIS), ("c3", "nowhere", PARIS)), TOOLS, 1.0)
    assert not of(Follow, calls.succeeded("c1", "sunny", 2.0))
    assert of(Follow, calls.deny("c2", None)) == [Follow("resp_1")]


@pytest.mark.parametrize("status", ["cancelled", "failed", "incomplete"])
def test_an_answer_that_was_cut_short_runs_nothing(calls, status):
    actions = calls.take(response(("c1", "never", PARIS), status=status), TOOLS, 1.0)
    assert states(actions) == ["cancelled"]
    assert [type(action) for action in actions] == [Moved]
    assert calls.take(response(("c1", "never", PARIS), response_id="resp_2"), TOOLS, 1.0) == []
    assert not calls.busy


def test_an_interruption_ends_what_waits_and_what_runs(calls):
    calls.take(response(("c1", "never", PARIS), ("c2", "ask", PARIS)), TOOLS, 1.0)
    digest = calls.pending()[0].digest
    ended = calls.interrupt(2.0)
    assert states(ended) == ["cancelled", "cancelled"]
    assert [output.call_id for output in of(Output, ended)] == ["c1", "c2"]
    assert not of(Follow, ended)
    late = (
        calls.approve("c2", digest, 3.0),
        calls.succeeded("c1", "sunny", 3.0),
        calls.failed("c1", "no", 3.0),
        calls.late("c1", "running", 3.0),
        calls.late("c2", "pending", 3.0),
        calls.interrupt(3.0),
    )
    assert late == ([], [], [], [], [], [])
    assert not calls.busy


def test_an_interruption_takes_back_the_answer_that_was_about_to_be_asked_for(calls):
    calls.take(response(("c1", "never", PARIS)), TOOLS, 1.0)
    calls.succeeded("c1", "sunny", 2.0)
    assert calls.wanted("resp_1")
    calls.interrupt(2.5)
    assert not calls.wanted("resp_1")


def test_a_lost_connection_ends_the_calls_and_nobody_is_told(calls):
    calls.take(response(("c1", "never", PARIS), ("c2", "ask", PARIS)), TOOLS, 1.0)
    ended = calls.abandon(2.0, "gone")
    assert states(ended) == ["cancelled", "cancelled"]
    assert not of(Output, ended)
    assert not of(Follow, ended)
    assert not calls.busy
    assert calls.approve("c2", None, 3.0) == []


def test_time_is_up_for_a_question_and_for_a_function(calls):
    calls.take(response(("c1", "ask", PARIS), ("c2", "never", PARIS)), TOOLS, 1.0)
    assert calls.late("c2", "pending", 31.0) == []
    assert states(calls.late("c1", "pending", 61.0)) == ["denied"]
    over = calls.late("c2", "running", 31.0)
    assert states(over) == ["timed_out"]
    assert "longer than 30 s" in of(Output, over)[0].text


def test_the_clock_of_the_question_does_not_end_the_function(calls):
    calls.take(response(("c1", "ask", PARIS)), TOOLS, 1.0)
    calls.approve("c1", None, 2.0)
    assert calls.late("c1", "pending", 61.0) == []


def test_an_output_that_is_too_long_fails(calls):
    calls.take(response(("c1", "never", PARIS)), TOOLS, 1.0)
    ended = calls.succeeded("c1", "x" * (LONGEST_OUTPUT_CHARS + 1), 2.0)
    assert states(ended) == ["failed"]
    assert len(of(Output, ended)[0].text) < 400


def test_calls_that_somebody_else_answers_are_left_alone(calls):
    plain = {"type": "function", "name": "own"}
    assert calls.take(response(("c1", "own", PARIS), ("c2", "what", PARIS)), [plain], 1.0) == []
    mixed = response(("c1", "own", PARIS), ("c2", "never", PARIS), response_id="resp_2")
    assert len(of(Run, calls.take(mixed, [plain, never], 1.0))) == 1
    assert not of(Follow, calls.succeeded("c2", "sunny", 2.0))
    assert not calls.busy
    outside = response(("c3", "never", PARIS), response_id="resp_3", conversation_id=None)
    assert calls.take(outside, TOOLS, 1.0) == []


@pytest.mark.parametrize(
    "broken",
    [{}, {"id": 3}, {"id": "r", "output": None}, {"id": "r", "output": [3, {}, {"type": "function_call"}]}],
)
def test_a_response_that_is_broken_is_no_call(calls, broken):
    assert calls.take(broken, TOOLS, 1.0) == []


def test_nothing_in_shown_arguments_is_invisible_or_turned_around():
    hidden = '{"path": "a\\u202egnp.exe", "note": "caf\\u00e9 \\u4f60\\ud83d\\ude00\\u0000\\u200b"}'
    shown = shown_arguments(hidden)
    assert shown == '{\n  "path": "a\\u202egnp.exe",\n  "note": "café 你😀\\u0000\\u200b"\n}'
    assert shown_arguments("{\u202e") == "{\\u202e"
