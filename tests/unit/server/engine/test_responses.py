"""Responses: function calls, overrides, out of band, cut, and in parallel."""

from __future__ import annotations

import base64
import json

import pytest
from engine_driver import Driver

WEATHER = {
    "type": "function",
    "name": "get_weather",
    "description": "Look up the weather.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


def user(text: str, **fields) -> dict:
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]} | fields


def asked(text: str = "Hello", **response) -> Driver:
    driver = Driver()
    driver.send("session.update", session={"type": "realtime", "tools": [WEATHER]})
    driver.send("conversation.item.create", item=user(text))
    driver.send("response.create", response=response)
    return driver


def test_a_function_call_goes_as_on_the_wire_and_its_output_is_read():
    driver = asked("What is the weather in London?")
    assert driver.replying[0].tools[0].name == "get_weather"
    before = len(driver.events)
    driver.call("get_weather", '{"city":', ' "London"}')
    assert driver.folded(before) == [
        "response.output_item.added",
        "conversation.item.added",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "conversation.item.done",
        "response.output_item.done",
        "response.done",
        "rate_limits.updated",
    ]
    call = driver.last("response.done")["response"]["output"][0]
    assert json.loads(call["arguments"]) == {"city": "London"}
    output = {"type": "function_call_output", "call_id": call["call_id"], "output": "Foggy."}
    driver.send("conversation.item.create", item=output)
    driver.send("response.create")
    asked_for, answered = driver.replying[0].messages[-2:]
    assert asked_for.call.name == "get_weather"
    assert (answered.role, answered.text, answered.call_id) == ("tool", "Foggy.", call["call_id"])


def test_words_and_two_calls_share_a_response():
    driver = asked()
    work = driver.replying[0]
    driver.take(driver.engine.replied(work.response_id, "One moment."))
    for city in ("Paris", "Rome"):
        driver.take(driver.engine.called(work.response_id, "get_weather", f'{{"city": "{city}"}}'))
    driver.take(driver.engine.spoke(work.response_id, bytes(4800), 11))
    driver.take(driver.engine.finished(work.response_id))
    output = driver.last("response.done")["response"]["output"]
    assert [item["type"] for item in output] == ["message", "function_call", "function_call"]
    done = [event for event in driver.events if event["type"] == "response.output_item.done"]
    assert sorted(event["output_index"] for event in done) == [0, 1, 2]


def test_the_output_of_a_call_that_never_was_is_refused():
    driver = asked()
    driver.send(
        "conversation.item.create", item={"type": "function_call_output", "call_id": "call_x", "output": ""}
    )
    assert driver.last("error")["error"]["param"] == "item.call_id"


@pytest.mark.parametrize(
    ("choice", "meant"),
    [
        ("required", "required"),
        ({"type": "function", "name": "get_weather"}, "get_weather"),
        ({"type": "function", "function": {"name": "get_weather"}}, "get_weather"),
    ],
)
def test_a_tool_choice_counts_for_its_response(choice, meant):
    driver = asked(tool_choice=choice)
    assert driver.replying[0].tool_choice == meant
    assert driver.engine.session["tool_choice"] == "auto"


def test_a_tool_choice_that_names_no_tool_is_refused():
    driver = asked(tool_choice={"type": "function", "name": "fly"})
    assert driver.last("error")["error"]["param"] == "response.tool_choice"
    assert driver.replying == []


def test_overrides_count_for_one_response_only():
    driver = asked(instructions="Rhyme.", output_modalities=["text"], max_output_tokens=12)
    work = driver.replying[0]
    assert (work.messages[0].text, work.aloud, work.max_tokens) == ("Rhyme.", False, 12)
    driver.reply("Yes.")
    driver.send("response.create")
    assert driver.replying[0].aloud
    assert driver.replying[0].messages[0].text != "Rhyme."


def test_a_response_that_a_limit_cut_is_incomplete():
    driver = asked()
    work = driver.replying.pop(0)
    driver.take(driver.engine.replied(work.response_id, "And so"))
    driver.take(driver.engine.finished(work.response_id, cut=True))
    response = driver.last("response.done")["response"]
    assert response["status_details"] == {"type": "incomplete", "reason": "max_output_tokens"}
    assert response["output"][0]["status"] == "incomplete"


def test_out_of_band_responses_run_beside_the_conversation_and_leave_it_alone():
    driver = asked("Tell me a story")
    driver.send(
        "response.create",
        response={"conversation": "none", "metadata": {"topic": "mood"}, "input": [user("Happy?")]},
    )
    story, mood = driver.replying
    assert [message.text for message in mood.messages][1:] == ["Happy?"]
    before = len(driver.events)
    driver.replying = [mood, story]
    driver.reply("Happy.")
    assert "conversation.item.added" not in driver.types()[before:]
    aside = driver.last("response.done")["response"]
    assert aside["conversation_id"] is None
    assert aside["metadata"] == {"topic": "mood"}
    driver.reply("Once upon a time.")
    driver.send("conversation.item.create", item=user("Go on"))
    driver.send("response.create")
    assert [message.text for message in driver.replying[0].messages][1:] == [
        "Tell me a story",
        "Once upon a time.",
        "Go on",
    ]


def test_the_input_of_a_response_may_refer_to_items():
    driver = Driver()
    driver.send("conversation.item.create", item=user("My name is Ann.", id="item_name"))
    driver.send("conversation.item.create", item=user("And I am tall."))
    refer = [{"type": "item_reference", "id": "item_name"}, user("Who am I?")]
    driver.send("response.create", response={"input": refer})
    assert [m.text for m in driver.replying[0].messages][1:] == ["My name is Ann.", "Who am I?"]


def test_a_cancel_by_id_leaves_the_others_running():
    driver = asked()
    driver.send("response.create", response={"conversation": "none"})
    aside = driver.last("response.created")["response"]["id"]
    driver.send("response.cancel", response_id=aside)
    assert driver.last("response.done")["response"]["id"] == aside
    driver.reply("Here.")
    assert driver.last("response.done")["response"]["status"] == "completed"


def test_metadata_is_bounded():
    driver = asked(metadata={"key": "v" * 513})
    assert driver.last("error")["error"]["param"] == "response.metadata"


def test_azure_names_each_part_twice_and_tells_no_rate_limits():
    driver = Driver(azure=True)
    driver.send("conversation.item.create", item=user("Hi"))
    driver.send("response.create")
    driver.reply("Hi.")
    part = driver.last("response.content_part.done")
    assert part["part"] == part["content"]
    assert "rate_limits.updated" not in driver.types()


def test_a_clients_audio_is_written_down_before_it_is_answered():
    driver = Driver()
    audio = base64.b64encode(bytes(48 * 500)).decode()
    spoken = {"type": "message", "role": "user", "content": [{"type": "input_audio", "audio": audio}]}
    driver.send("conversation.item.create", item=spoken)
    assert "audio" not in driver.last("conversation.item.added")["item"]["content"][0]
    driver.send("response.create")
    assert driver.replying == []
    driver.transcribe("hello")
    assert driver.replying[0].messages[-1].text == "hello"
    driver.send("conversation.item.retrieve", item_id=driver.last("conversation.item.added")["item"]["id"])
    assert driver.last("conversation.item.retrieved")["item"]["content"][0]["audio"] == audio
