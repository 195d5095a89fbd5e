"""What each fault does to the events of a conversation, without a socket."""

from __future__ import annotations

import json

import pytest
from engine_driver import Driver

from rt_notebook.errors import ConfigError
from rt_notebook.server.host.faults import FAULTS, FaultPlan, faults_help
from rt_notebook.server.host.wire_actions import (
    Binary,
    Close,
    FailResponse,
    Pass,
    Reset,
    Stall,
    Text,
    Wait,
)

NEW_VAD = {"type": "server_vad", "threshold": 0.9, "silence_duration_ms": 900}


def conversation(responses=1):
    """The events of a session with some spoken responses."""
    driver = Driver()
    for _ in range(responses):
        driver.send("response.create")
        driver.reply("One. ", "Two.")
    return driver.events


def through(*wanted, events=None, seed=0, line=None):
    line = line or FaultPlan(wanted, seed).next_connection()
    return [action for event in events or conversation() for action in line.to_client(event)]


def passed(actions):
    return [action.event for action in actions if isinstance(action, Pass)]


def test_without_faults_everything_passes():
    line = FaultPlan().next_connection()
    assert not line.active
    assert passed(through(line=line)) == conversation()


@pytest.mark.parametrize(
    ("name", "action"),
    [("drop", Reset()), ("stall", Stall()), ("close", Close), ("close:code=1001", Close)],
)
def test_the_end_comes_in_the_middle_of_the_first_response(name, action):
    actions = through(name)
    ends = [at for at, done in enumerate(actions) if not isinstance(done, Pass)]
    assert len(ends) == 1
    said = passed(actions[: ends[0]])
    types = [event["type"] for event in said]
    assert types.count("response.created") == 1
    assert "response.done" not in types
    assert any(type_.endswith(".delta") for type_ in types), "nothing of the reply was said yet"
    if action is Close:
        assert actions[ends[0]].code == (1001 if "1001" in name else 1000)
    else:
        assert actions[ends[0]] == action


def test_after_counts_events_of_responses():
    actions = through("drop:after=1")
    at = actions.index(Reset())
    assert actions[at - 1].event["type"] == "response.created"


def test_accepted_and_closed():
    assert isinstance(through("accept-close:code=1008")[0], Close)
    assert "session.created" not in [event["type"] for event in passed(through("accept-close"))]


def test_a_frame_that_is_no_json():
    actions = through("invalid-json")
    (broken,) = [action.frame for action in actions if isinstance(action, Text)]
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        json.loads(broken)
    assert passed(actions) == conversation(), "the conversation goes on"


def test_a_binary_frame():
    actions = through("binary-frame")
    assert sum(isinstance(action, Binary) for action in actions) == 1
    assert passed(actions) == conversation()


def test_a_huge_frame():
    (huge,) = [action.frame for action in through("huge-frame") if isinstance(action, Text)]
    assert len(huge) > 16 * 1024 * 1024
    assert json.loads(huge)["type"] not in {event["type"] for event in conversation()}


def test_unknown_events_and_fields():
    known = {event["type"] for event in conversation()}
    events = passed(through("unknown-event"))
    unknown = [event for event in events if event["type"] not in known]
    of_response = [event for event in conversation() if event["type"].startswith("response.")]
    assert len(unknown) == len(of_response)
    stripped = [
        {key: value for key, value in event.items() if key != "unheard_of"}
        for event in events
        if event["type"] in known
    ]
    assert stripped == conversation()
    assert any("unheard_of" in event for event in events)


def test_duplicates():
    events = passed(through("duplicate"))
    for event in conversation():
        assert events.count(event) == (2 if event["type"].startswith("response.") else 1)


def test_out_of_order():
    events = passed(through("reorder:probability=1"))
    straight = conversation()
    assert events != straight
    assert sorted(event["event_id"] for event in events) == sorted(event["event_id"] for event in straight)
    for event in straight:
        moved = events.index(event) - straight.index(event)
        assert abs(moved) <= 1, "an event moves by one place"


def test_slow():
    actions = through("slow:delay_ms=250")
    for at, action in enumerate(actions):
        is_audio = isinstance(action, Pass) and action.event["type"] == "response.output_audio.delta"
        assert (at > 0 and actions[at - 1] == Wait(0.25)) == is_audio
    assert Wait(0.25) in actions
    assert passed(actions) == conversation()


@pytest.mark.parametrize(
    ("name", "code"), [("rate-limit", "rate_limit_exceeded"), ("server-error", "server_error")]
)
def test_responses_that_fail(name, code):
    driver = Driver()
    line = FaultPlan([f"{name}:after=2"]).next_connection()
    sent = []

    def carry():
        while driver.events:
            for action in line.to_client(driver.events.pop(0)):
                if isinstance(action, FailResponse):
                    driver.take(driver.engine.fail(action.response_id, action.problem))
                else:
                    sent.append(action.event)

    for _ in range(3):
        driver.send("response.create")
        carry()
        if driver.replying:
            driver.reply("Hello.")
        carry()
    assert len(driver.cancelled) == 2, "the work for what has failed goes on"
    done = [event["response"] for event in sent if event["type"] == "response.done"]
    assert [response["status"] for response in done] == ["completed", "failed", "failed"]
    assert done[0]["status_details"] is None
    assert done[1]["status_details"]["error"]["code"] == code
    assert done[1]["output"] == []
    errors = [event["error"]["code"] for event in sent if event["type"] == "error"]
    assert errors == (["server_error"] * 2 if name == "server-error" else [])


@pytest.mark.parametrize("wanted", [NEW_VAD, {"threshold": 0.9}, None])
def test_settings_that_are_acknowledged_and_not_used(wanted):
    driver = Driver()
    line = FaultPlan(["ignore-settings"]).next_connection()
    audio = {"input": {"turn_detection": wanted, "transcription": {"model": "m"}}}
    update = {"type": "session.update", "session": {"type": "realtime", "instructions": "x", "audio": audio}}
    before = driver.last("session.created")["session"]["audio"]["input"]["turn_detection"]
    driver.take(driver.engine.receive(line.from_client(update)))
    updated = driver.last("session.updated")
    (told,) = passed(line.to_client(updated))
    shown = told["session"]["audio"]["input"]["turn_detection"]
    assert shown == (None if wanted is None else before | wanted)
    assert told["session"]["instructions"] == "x"
    assert told["session"]["audio"]["input"]["transcription"]["model"] == "m"
    assert updated["session"]["audio"]["input"]["turn_detection"] == before, "the server took it"
    driver.hear(*[0.6] * 20)
    assert "input_audio_buffer.speech_started" in driver.types(), "the old threshold counts"


@pytest.mark.parametrize(
    "event",
    [
        {"type": "session.update"},
        {"type": "session.update", "session": 5},
        {"type": "session.update", "session": {"audio": []}},
        {"type": "session.update", "session": {"type": "realtime"}},
        {"type": "response.create", "response": {}},
        {"type": "anything"},
    ],
)
@pytest.mark.parametrize("name", FAULTS)
def test_what_a_client_sends_passes_whatever_it_is(name, event):
    assert FaultPlan([name]).next_connection().from_client(event) == event


def test_a_refused_handshake():
    refusal = FaultPlan(["refuse"]).next_connection().refusal
    assert (refusal.status, refusal.headers["Retry-After"]) == (429, "2")
    assert FaultPlan(["refuse:status=404"]).next_connection().refusal.body()["error"]["code"]
    assert FaultPlan(["drop"]).next_connection().refusal is None


@pytest.mark.parametrize("name", FAULTS)
def test_only_the_first_connections_are_struck(name):
    plan = FaultPlan([f"{name}:connections=2"])
    lines = [plan.next_connection() for _ in range(4)]
    assert [line.active or line.refusal is not None for line in lines] == [True, True, False, False]


def test_faults_combine():
    actions = through("duplicate", "drop:after=4")
    at = actions.index(Reset())
    assert actions[at - 1].event == actions[at - 2].event


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("explode", "There is no fault 'explode'"),
        ("drop:when=3", "has no 'when'. It has after"),
        ("drop:after=0", "out of range"),
        ("drop:after=1.5", "out of range"),
        ("drop:after=x", "out of range"),
        ("drop:after=nan", "out of range"),
        ("drop:probability=1.1", "out of range"),
        ("refuse:status=477", "no status 477"),
        ("close:code=1", "out of range"),
    ],
)
def test_what_cannot_be_asked_for(text, words):
    with pytest.raises(ConfigError, match=words):
        FaultPlan([text])


def test_the_help_has_a_line_for_each():
    lines = faults_help().splitlines()
    for name, kind in FAULTS.items():
        assert any(line.strip().startswith(name) and kind.summary in line for line in lines), name
