"""When a function is called, and which."""

from __future__ import annotations

import pytest
from spoken_functions import TOOLS
from spoken_requests import REMARKS, REQUESTS

from rt_notebook.server.components.calls.decision import last_said, wanted_call
from rt_notebook.server.engine.effects import FunctionCall, MakeReply, Message

WEATHER, TIMER = TOOLS["get_weather"], TOOLS["set_timer"]


def wanted(said, tools, choice="auto"):
    messages = [Message("user", said)] if isinstance(said, str) else said
    return wanted_call(MakeReply("resp_1", messages, tools=tuple(tools), tool_choice=choice))


def test_requests_call_their_function_and_remarks_call_none():
    found = [wanted(said, [TOOLS[name]]) is not None for name, said, _ in REQUESTS]
    false = [(said, tool.name) for said in REMARKS for tool in TOOLS.values() if wanted(said, [tool])]
    assert sum(found) / len(found) > 0.95
    assert sum(found) / (sum(found) + len(false)) > 0.95, false


def test_one_of_many_functions():
    sixteen = list(TOOLS.values())[:16]
    names = {tool.name for tool in sixteen}
    cases = [(name, said) for name, said, _ in REQUESTS if name in names]
    found = [(tool := wanted(said, sixteen)) is not None and tool.name == name for name, said in cases]
    assert sum(found) / len(found) > 0.95
    assert [said for said in REMARKS if wanted(said, sixteen)] == []


@pytest.mark.parametrize("said", [said for _, said, _ in REQUESTS[:6]] + REMARKS[:6])
def test_required_and_a_name_always_call_and_none_never(said):
    tools = [WEATHER, TIMER]
    assert wanted(said, tools, "required") in tools
    assert wanted(said, tools, "set_timer") is TIMER
    assert wanted(said, tools, "none") is None
    assert wanted(said, [], "required") is None


def test_required_takes_the_function_that_is_spoken_of():
    assert wanted("What is the weather in London?", [TIMER, WEATHER], "required") is WEATHER


def conversation(*messages):
    asked = Message("user", "What is the weather in London?")
    call = Message("assistant", "", call=FunctionCall("call_1", "get_weather", '{"city": "London"}'))
    return [asked, call, Message("tool", "12 degrees", call_id="call_1"), *messages]


def test_an_output_is_told_before_anything_is_called_again():
    assert wanted(conversation(), [WEATHER, TIMER]) is None
    assert wanted(conversation(), [WEATHER], "required") is WEATHER


def test_and_in_paris():
    told = Message("assistant", "It is 12 degrees.")
    assert wanted(conversation(told, Message("user", "And in Paris?")), [WEATHER, TIMER]) is WEATHER
    assert wanted([Message("user", "And in Paris?")], [WEATHER, TIMER]) is None


def test_what_is_missing_is_not_called_for_and_may_follow_as_an_answer():
    asked = [Message("user", "What is the weather?")]
    assert wanted(asked, [WEATHER]) is None
    answered = [*asked, Message("assistant", "Where?"), Message("user", "In London.")]
    assert last_said(answered).text == "What is the weather? In London."
    assert wanted(answered, [WEATHER]) is WEATHER
