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


def test_a_clean_conversation_has_no_errors_and_no_glitches() -> None:
    assert conversation().errors().empty
    assert conversation().glitches().empty


def test_chunks_that_were_lost_have_their_place() -> None:
    events = [
        Event(1.0, "local", "local.mic_gap", {"lost_samples": 960}),
        Event(2.0, "local", "local.mic_gap", {"lost_samples": 4800, "where": "outbox"}),
    ]
    table = EventLog(events).glitches()
    assert table[["place", "kind", "lost_ms"]].to_numpy().tolist() == [
        ["carrier", "drop", 40.0],
        ["outbox", "drop", 200.0],
    ]


def test_a_connection_gap_begins_where_it_began() -> None:
    told = {"length_s": 2.5, "lost_samples": 24_000, "doubtful_samples": 2400, "cause": "1006"}
    (row,) = EventLog([Event(10.0, "local", "local.gap", told)]).glitches().to_dict("records")
    assert (row["place"], row["t_s"], row["length_ms"]) == ("connection", 7.5, 2500.0)
    assert (row["lost_ms"], row["doubtful_ms"], row["cause"]) == (1000.0, 100.0, "1006")


def test_a_speaker_that_runs_dry_in_the_middle_of_an_answer() -> None:
    script = Script()
    script.say("Hello.", 1.0, 2.0)
    item_id = script.answer("One two three.", 2.6, 2.0, speaker=False)
    for t_s, played_s in ((3.2, 0.1), (3.3, 0.2), (4.3, 0.2), (4.4, 0.3)):
        script.playback(t_s, item_id, played_s, "playing")
    (row,) = script.log().glitches().to_dict("records")
    assert (row["place"], row["kind"], row["turn"], row["item_id"]) == ("speaker", "underrun", 1, item_id)
    assert row["t_s"] == pytest.approx(3.3)
    assert row["length_ms"] == pytest.approx(1000.0)


def test_audio_that_no_front_end_played_is_dropped_and_what_was_flushed_is_not() -> None:
    script = Script()
    script.type("Hello.", 1.0)
    item_id = script.answer("One two three.", 1.1, 2.0, speaker=False)
    script.add(
        3.0, "local", "local.playback", item_id=item_id, played_samples=0, dropped_samples=2400, state="ended"
    )
    script.add(
        4.0,
        "local",
        "local.playback",
        item_id=item_id,
        played_samples=0,
        dropped_samples=9600,
        state="flushed",
    )
    (row,) = script.log().glitches().to_dict("records")
    assert (row["place"], row["kind"], row["lost_ms"], row["t_s"]) == ("speaker", "drop", 100.0, 3.0)


def test_an_open_microphone_that_gives_nothing_has_stalled() -> None:
    def chunk(t_s):
        return Event(t_s, "sent", "input_audio_buffer.append", {}, 960, -30.0)

    opened, closed = Event(1.0, "local", "local.mic_opened"), Event(3.0, "local", "local.mic_closed")
    log = EventLog([opened, chunk(1.1), chunk(1.14), chunk(2.14), closed, chunk(9.0), chunk(12.0)])
    (row,) = log.glitches().to_dict("records")
    assert (row["place"], row["kind"], row["t_s"]) == ("microphone", "stall", 1.14)
    assert row["length_ms"] == pytest.approx(960.0)
