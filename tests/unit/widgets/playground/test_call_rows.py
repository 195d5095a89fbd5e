"""The cards of calls: what is shown is what would run."""

from __future__ import annotations

import json

from rt_notebook.core.events import Event
from rt_notebook.core.tool_calls import ToolCalls
from rt_notebook.core.tools import tool
from rt_notebook.widgets.playground.call_rows import CallRows


@tool
def remove(path: str) -> str:
    return path


def done(arguments, call_id="call_1"):
    item = {"type": "function_call", "call_id": call_id, "name": "remove", "arguments": arguments}
    response = {"id": "resp_1", "status": "completed", "output": [{"type": "message"}, item]}
    return Event(1.0, "received", "response.done", {"type": "response.done", "response": response})


def moved(state, message="", call_id="call_1"):
    data = {"call_id": call_id, "name": "remove", "state": state, "message": message}
    return Event(1.0, "local", "local.tool_call", {"type": "local.tool_call"} | data)


def test_a_card_follows_its_call_and_names_what_was_read():
    rows, event = CallRows(), done('{"path": "a\\u202egnp.exe"}')
    rows.add(event)
    assert rows.take_changed() == []
    rows.add(moved("pending"))
    [card] = rows.take_changed()
    assert card["arguments"] == '{\n  "path": "a\\u202egnp.exe"\n}'
    calls = ToolCalls()
    calls.take(event.data["response"], [remove], 1.0)
    assert calls.approve("call_1", card["digest"], 2.0)
    rows.add(moved("done", "well"))
    [later] = rows.take_changed()
    assert later == card | {"state": "done", "message": "well"}
    assert rows.take_changed() == []


def test_a_second_call_with_the_id_does_not_change_the_card():
    rows = CallRows()
    rows.add(done('{"path": "a"}'))
    rows.add(moved("pending"))
    rows.add(done('{"path": "/"}'))
    rows.add(moved("running"))
    assert '"a"' in rows.take_changed()[0]["arguments"]


def test_arguments_that_are_too_long_are_counted_not_sent():
    rows = CallRows()
    rows.add(done(json.dumps({"path": "x" * 5_000_000})))
    rows.add(moved("failed", "too long"))
    [card] = rows.take_changed()
    assert card["arguments"] == "5000012 characters"


def test_broken_events_make_no_card_and_no_trouble():
    rows = CallRows()
    for response in (None, {}, {"output": 3}, {"output": [3, {"type": "function_call"}]}):
        rows.add(Event(1.0, "received", "response.done", {"type": "response.done", "response": response}))
    rows.add(moved("pending", call_id="call_9"))
    assert [row["arguments"] for row in rows.take_changed()] == ["{}"]
