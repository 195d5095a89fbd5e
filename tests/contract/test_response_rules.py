"""The rules of responses: their settings, what they are made from, and how they end."""

from __future__ import annotations

import base64

import pytest
from wire_client import WEATHER, WireClient, asked, message

DIALECTS = pytest.mark.parametrize("dialect", ["ga", "preview"])


def code_of(answers):
    [answer] = answers
    assert answer["type"] == "error", answer
    return answer["error"]["code"]


def done(client):
    return client.last("response.done")["response"]


@DIALECTS
@pytest.mark.conformance("rule/response.one-at-a-time")
def test_one_response_at_a_time(dialect):
    client = asked(dialect)
    assert code_of(client.send("response.create")) == "conversation_already_has_active_response"
    client.reply("Hi.")
    assert client.send("response.create")[0]["type"] == "response.created"


@DIALECTS
@pytest.mark.conformance("rule/response.overrides")
def test_settings_of_a_response_are_its_own(dialect):
    wanted = {"output_modalities": ["text"], "instructions": "In rhymes.", "max_output_tokens": 50}
    client = asked(dialect, response=wanted)
    [work] = client.driver.replying
    assert (work.aloud, work.max_tokens, work.messages[0].text) == (False, 50, "In rhymes.")
    client.reply("Hi.")
    assert done(client)["max_output_tokens"] == 50
    client.send("response.create")
    [work] = client.driver.replying
    assert (work.aloud, work.max_tokens) == (True, None)
    assert work.messages[0].text != "In rhymes."


@DIALECTS
@pytest.mark.parametrize(
    "bad", [{"max_output_tokens": 0}, {"mood": 1}, {"conversation": "later"}, {"input": 7}]
)
@pytest.mark.conformance("rule/response.overrides")
def test_bad_settings_of_a_response_are_refused(dialect, bad):
    client = WireClient(dialect)
    code_of(client.send("response.create", response=bad))
    assert "response.created" not in client.types()


@DIALECTS
@pytest.mark.conformance("rule/response.metadata")
def test_metadata_is_echoed_within_its_limits(dialect):
    good = {f"{number:02}" + "k" * 62: "v" * 512 for number in range(16)}
    client = asked(dialect, response={"metadata": good})
    assert client.last("response.created")["response"]["metadata"] == good
    client.reply("Hi.")
    assert done(client)["metadata"] == good
    too_much = [good | {"one": "more"}, {"k" * 65: "v"}, {"k": "v" * 513}, {"k": 1}, "words"]
    for bad in too_much:
        code_of(client.send("response.create", response={"metadata": bad}))


@DIALECTS
@pytest.mark.conformance("rule/response.out-of-band")
def test_responses_beside_the_conversation(dialect):
    client = asked(dialect)
    aside = {"conversation": "none", "output_modalities": ["text"], "metadata": {"topic": "aside"}}
    for _ in range(2):
        [created] = client.send("response.create", response=aside)
        assert created["response"]["conversation_id"] is None
        assert created["response"]["metadata"] == {"topic": "aside"}
    main, *others = client.driver.replying
    assert len({work.response_id for work in client.driver.replying}) == 3
    client.driver.replying = [*others, main]
    for _ in others:
        kinds = {event["type"] for event in client.reply("Aside.")}
        assert "response.done" in kinds
        assert not {"conversation.item.added", "conversation.item.created", "conversation.item.done"} & kinds
    client.reply("Hi.")
    client.send("response.create")
    assert [m.text.strip() for m in client.driver.replying[0].messages[1:]] == ["Hello.", "Hi."]
    assert client.problems() == []


@DIALECTS
@pytest.mark.conformance("rule/response.input")
def test_input_takes_the_place_of_the_conversation(dialect):
    client = WireClient(dialect)
    client.write("First.", id="first")
    client.write("Second.", id="second")
    reference = {"type": "item_reference", "id": "second"}
    wanted = {"conversation": "none", "input": [reference, message("Sum up.")]}
    client.send("response.create", response=wanted)
    client.send("response.create", response={"conversation": "none", "input": []})
    read = [[m.text for m in work.messages if m.role != "system"] for work in client.driver.replying]
    assert read == [["Second.", "Sum up."], []]
    unknown = [{"type": "item_reference", "id": "item_none"}]
    code_of(client.send("response.create", response={"conversation": "none", "input": unknown}))


@DIALECTS
@pytest.mark.parametrize("by_id", [True, False])
@pytest.mark.conformance("rule/response.cancel")
def test_a_cancelled_response_is_done(dialect, by_id):
    client = asked(dialect)
    client.reply("Once upon a time. ", end=False)
    response_id = client.last("response.created")["response"]["id"]
    events = client.send("response.cancel", **({"response_id": response_id} if by_id else {}))
    response = events[-1]["response"]
    assert (response["id"], response["status"]) == (response_id, "cancelled")
    assert response["status_details"] == {"type": "cancelled", "reason": "client_cancelled"}
    assert [item["status"] for item in response["output"]] == ["incomplete"]
    assert client.driver.cancelled == [client.job_id]
    before = len(client.wire)
    client.driver.take(client.engine.replied(client.job_id, "and"))
    client.finish()
    assert len(client.wire) == before
    assert client.problems() == []


@pytest.mark.conformance("rule/response.cancel-none")
def test_a_cancel_of_nothing_is_refused():
    client = WireClient()
    assert code_of(client.send("response.cancel")) == "response_cancel_not_active"
    client = asked()
    assert code_of(client.send("response.cancel", response_id="resp_none")) == "response_cancel_not_active"
    assert client.reply("Hi.")[-1]["response"]["status"] == "completed"


@DIALECTS
@pytest.mark.conformance("rule/response.barge-in")
def test_speech_cancels_the_response(dialect):
    client = WireClient(dialect)
    client.say()
    client.transcribe()
    client.reply("Once upon a time. ", end=False)
    events = client.hear(0.9)
    assert events[0]["type"] == "input_audio_buffer.speech_started"
    response = events[-1]["response"]
    assert response["status"] == "cancelled"
    assert response["status_details"] == {"type": "cancelled", "reason": "turn_detected"}
    assert client.driver.cancelled == [client.job_id]


@DIALECTS
@pytest.mark.conformance("rule/response.max-tokens")
def test_a_response_that_reaches_its_limit_is_incomplete(dialect):
    client = asked(dialect)
    client.reply("Once upon a", end=False)
    client.finish(cut=True)
    response = done(client)
    assert response["status"] == "incomplete"
    assert response["status_details"] == {"type": "incomplete", "reason": "max_output_tokens"}
    assert client.problems() == []


@DIALECTS
@pytest.mark.conformance("rule/response.failed")
def test_a_response_that_fails_says_why(dialect):
    client = asked(dialect)
    client.reply(end=False)
    client.finish("The model is gone.")
    response = done(client)
    assert (response["status"], response["status_details"]["type"]) == ("failed", "failed")
    assert set(response["status_details"]["error"]) >= {"type", "code"}
    assert client.problems() == []
    assert client.send("response.create")[0]["type"] == "response.created"


@DIALECTS
@pytest.mark.conformance("rule/response.usage")
def test_usage_adds_up(dialect):
    client = WireClient(dialect)
    client.hear(*[0.0] * 40)
    client.spoken_turn("One. ", "Two. ")
    start = client.last("input_audio_buffer.speech_started")["audio_start_ms"]
    end = client.last("input_audio_buffer.speech_stopped")["audio_end_ms"]
    usage = done(client)["usage"]
    given, made = usage["input_token_details"], usage["output_token_details"]
    assert (given["audio_tokens"], made["audio_tokens"]) == ((end - start) // 100, 2000 // 50)
    assert usage["input_tokens"] == given["audio_tokens"] + given["text_tokens"]
    assert usage["output_tokens"] == made["audio_tokens"] + made["text_tokens"]
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    assert given["cached_tokens"] <= usage["input_tokens"]


@DIALECTS
@pytest.mark.conformance("rule/response.rate-limits")
def test_rate_limits_follow_where_there_are_some(dialect):
    client = WireClient(dialect, azure=False)
    client.spoken_turn()
    *_, before, limits = client.wire
    assert (before["type"], limits["type"]) == ("response.done", "rate_limits.updated")
    names = {limit["name"] for limit in limits["rate_limits"]}
    assert names == ({"tokens"} if dialect == "ga" else {"requests", "tokens"})
    client = WireClient(dialect, azure=True)
    client.spoken_turn()
    assert client.types()[-1] == "response.done"


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("auto", "auto"),
        ("none", "none"),
        ("required", "required"),
        ({"type": "function", "name": "get_weather"}, "get_weather"),
    ],
)
@pytest.mark.conformance("rule/response.tool-choice")
def test_the_choice_of_tools_reaches_the_model(choice, expected):
    client = WireClient()
    client.update(tools=[WEATHER], tool_choice=choice)
    client.write("Hello.")
    client.send("response.create")
    [work] = client.driver.replying
    assert work.tool_choice == expected
    assert [tool.name for tool in work.tools] == ["get_weather"]
    assert work.tools[0].parameters == WEATHER["parameters"]
    client.reply("Hi.")
    client.send("response.create", response={"tools": [], "tool_choice": "auto"})
    assert client.driver.replying[0].tools == ()


@pytest.mark.conformance("rule/response.tool-choice")
def test_a_choice_that_no_tool_meets_is_refused():
    client = WireClient()
    code_of(client.update(tools=[WEATHER], tool_choice={"type": "function", "name": "other"}))
    code_of(client.update(tool_choice="sometimes"))


@DIALECTS
@pytest.mark.conformance("rule/response.call-answer", "rule/response.call-early-output")
def test_the_output_of_a_function_is_read_by_the_next_response(dialect):
    client = WireClient(dialect)
    client.update(tools=[WEATHER])
    client.write("What is the weather in London?")
    client.send("response.create")
    work, engine = client.driver.replying.pop(0), client.engine
    client.driver.take(engine.called(work.response_id, "get_weather", '{"city": "London"}'))
    call_id = client.last("response.output_item.added")["item"]["call_id"]
    output = {"type": "function_call_output", "call_id": call_id, "output": "12 degrees"}
    assert client.send("conversation.item.create", item=output)[0]["type"] != "error"
    client.driver.take(engine.finished(work.response_id))
    client.send("response.create")
    asked_for, answer = client.driver.replying[0].messages[-2:]
    assert (asked_for.role, asked_for.call.name) == ("assistant", "get_weather")
    assert (asked_for.call.call_id, asked_for.call.arguments) == (call_id, '{"city": "London"}')
    assert (answer.role, answer.call_id, answer.text) == ("tool", call_id, "12 degrees")


@pytest.mark.parametrize(("name", "law"), [("audio/pcmu", "g711_ulaw"), ("audio/pcma", "g711_alaw")])
@DIALECTS
@pytest.mark.conformance("rule/response.formats", "rule/input.g711")
def test_speech_comes_in_the_format_that_is_asked_for(dialect, name, law):
    client = WireClient(dialect)
    client.update(audio={"output": {"format": {"type": name}}})
    client.write("Hello.")
    client.send("response.create")
    events = client.reply("Hi. ", "Bye.")
    delta = client.name("response.output_audio.delta")
    audio = b"".join(base64.b64decode(e["delta"]) for e in events if e["type"] == delta)
    silence = {"audio/pcmu": b"\xff", "audio/pcma": b"\xd5"}[name]
    assert audio == silence * (2 * 8000)
    own = {"audio": {"output": {"format": {"type": "audio/pcm", "rate": 24_000}}}}
    client.send("response.create", response=own)
    audio = b"".join(base64.b64decode(e["delta"]) for e in client.reply("Hi.") if e["type"] == delta)
    assert len(audio) == 48_000


@DIALECTS
@pytest.mark.conformance(
    "rule/errors.event-id", "rule/errors.unknown-event", "rule/connection.survives-errors"
)
def test_an_error_names_the_event_that_it_answers(dialect):
    client = WireClient(dialect)
    [answer] = client.send("time.travel", event_id="mine")
    assert answer["error"]["event_id"] == "mine"
    assert answer["error"]["type"] == "invalid_request_error"
    [answer] = client.send("response.cancel")
    assert answer["error"]["event_id"] is None
    assert client.update()[0]["type"] == "session.updated"
