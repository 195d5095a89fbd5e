from __future__ import annotations

import pytest
from recorded_log import recorded_events
from scripted_log import Script, conversation

from rt_notebook.core.events import Event
from rt_notebook.log.event_log import EventLog


def test_an_error_is_linked_to_the_event_that_caused_it() -> None:
    script = Script()
    script.add(1.0, "sent", "session.update", event_id="rt_7", session={"voice": "nobody"})
    told = {
        "type": "invalid_request_error",
        "code": "invalid_value",
        "message": "No.",
        "param": "session.voice",
    }
    script.add(1.2, "received", "error", error=told | {"event_id": "rt_7"})
    script.add(1.3, "received", "error", error=told | {"event_id": "rt_99"})
    first, second = script.log(microphone=False).errors().to_dict("records")
    assert (first["cause_event_id"], first["cause_type"], first["cause_s"]) == ("rt_7", "session.update", 1.0)
    assert (first["code"], first["message"], first["param"]) == ("invalid_value", "No.", "session.voice")
    assert second["cause_event_id"] == "rt_99"
    assert second["cause_s"] != second["cause_s"], "its cause is not in the log"


def test_a_failed_answer_is_one_error_with_its_turn_and_its_request() -> None:
    script = Script()
    script.type("Hello.", 1.0)
    script.events[-3][2].data["event_id"] = "rt_1"  # response.create
    script.answer("Hi.", 1.1, 0.5, status="failed")
    done = [event for _, _, event in script.events if event.type == "response.done"][-1]
    done.data["response"]["status_details"] = {
        "type": "failed",
        "error": {"code": "rate_limit", "message": "Slow."},
    }
    told = {"message": "The answer failed.", "code": "rate_limit", "response_id": done.data["response"]["id"]}
    script.add(9.0, "local", "local.error", **told)
    (row,) = script.log().errors().to_dict("records")
    assert (row["kind"], row["code"], row["message"], row["turn"]) == ("response", "rate_limit", "Slow.", 1)
    assert (row["cause_event_id"], row["cause_type"]) == ("rt_1", "response.create")


@pytest.mark.parametrize(
    ("type_", "data", "kind"),
    [
        ("local.closed", {"code": 1006, "reason": "gone", "expected": False}, "connection"),
        ("local.gave_up", {"message": "The key is wrong.", "cause": "401"}, "connection"),
        ("local.limit", {"limit": "max_cost", "message": "It has cost 3."}, "limit"),
        ("local.invalid_frame", {"head": "<html>", "message": "not JSON"}, "frame"),
        ("local.recording", {"state": "failed", "message": "The disk is full."}, "session"),
        ("local.error", {"message": "The browser refused the microphone."}, "session"),
    ],
)
def test_errors_of_this_side(type_, data, kind) -> None:
    (row,) = EventLog([Event(1.0, "local", type_, data)]).errors().to_dict("records")
    assert row["kind"] == kind
    assert row["message"] == data.get("message", data.get("reason"))


def test_a_close_that_was_asked_for_is_no_error() -> None:
    log = EventLog([Event(1.0, "local", "local.closed", {"code": 1000, "expected": True})])
    assert log.errors().empty


def test_a_failed_transcription_names_its_turn(shared_data) -> None:
    table = EventLog(recorded_events(shared_data, "azure_transcription_failed")).errors()
    (row,) = table[table["kind"] == "transcription"].to_dict("records")
    assert row["code"] == "DeploymentNotFound"
    assert row["turn"] == 1


def test_a_clean_conversation_has_none() -> None:
    assert conversation().errors().empty
