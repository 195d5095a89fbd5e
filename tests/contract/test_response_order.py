"""The order of what a response sends: text, speech, calls, and several of them."""

from __future__ import annotations

import pytest
from wire_client import WEATHER, WireClient, asked

DIALECTS = pytest.mark.parametrize("dialect", ["ga", "preview"])


def folded(events):
    kinds = [event["type"] for event in events]
    return [kind for i, kind in enumerate(kinds) if i == 0 or kind != kinds[i - 1]]


def done(client):
    return client.last("response.done")["response"]


def in_dialect(client, *names):
    dropped = {"conversation.item.done"} if client.dialect == "preview" else set()
    return [client.name(name) for name in names if name not in dropped]


@DIALECTS
@pytest.mark.conformance("rule/response.created")
def test_a_response_begins_empty_and_with_its_settings(dialect):
    client = asked(dialect)
    response = client.last("response.created")["response"]
    assert (response["status"], response["output"], response["usage"]) == ("in_progress", [], None)
    assert response["status_details"] is None
    assert response["conversation_id"].startswith("conv_")
    if dialect == "ga":
        assert response["output_modalities"] == ["audio"]
        assert response["audio"]["output"]["voice"] == "alloy"
    else:
        assert sorted(response["modalities"]) == ["audio", "text"]
        assert (response["voice"], response["output_audio_format"]) == ("alloy", "pcm16")


@DIALECTS
@pytest.mark.conformance("rule/response.text-order", "rule/response.part-names")
def test_the_order_of_a_text(dialect):
    client = WireClient(dialect)
    client.update(output_modalities=["text"])
    client.write("Hello.")
    client.send("response.create")
    events = client.reply("Hi. ", "How are you?")
    assert folded(events) == in_dialect(
        client,
        "response.output_item.added",
        "conversation.item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "conversation.item.done",
        "response.output_item.done",
        "response.done",
    )
    deltas = [e["delta"] for e in events if e["type"] == client.name("response.output_text.delta")]
    assert "".join(deltas) == client.last("response.output_text.done")["text"] == "Hi. How are you?"
    part = {"type": "text", "text": "Hi. How are you?"}
    assert client.last("response.content_part.done")["part"].items() >= part.items()
    item_part = part | {"type": "text" if dialect == "preview" else "output_text"}
    assert done(client)["output"][0]["content"] == [item_part]


@DIALECTS
@pytest.mark.conformance("rule/response.audio-order", "rule/response.part-names")
def test_the_order_of_speech(dialect):
    client = asked(dialect)
    events = client.reply("Hello.")
    assert folded(events) == in_dialect(
        client,
        "response.output_item.added",
        "conversation.item.added",
        "response.content_part.added",
        "response.output_audio_transcript.delta",
        "response.output_audio.delta",
        "response.output_audio.done",
        "response.output_audio_transcript.done",
        "response.content_part.done",
        "conversation.item.done",
        "response.output_item.done",
        "response.done",
    )
    assert client.last("response.content_part.done")["part"] == {"type": "audio", "transcript": "Hello."}
    item_part = {"type": "audio" if dialect == "preview" else "output_audio", "transcript": "Hello."}
    assert done(client)["output"][0]["content"] == [item_part]


@DIALECTS
@pytest.mark.conformance("rule/response.call-order")
def test_the_order_of_a_call(dialect):
    client = WireClient(dialect)
    client.update(tools=[WEATHER])
    client.write("What is the weather in London?")
    client.send("response.create")
    events = client.call()
    assert folded(events) == in_dialect(
        client,
        "response.output_item.added",
        "conversation.item.added",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "conversation.item.done",
        "response.output_item.done",
        "response.done",
    )
    begun, ended = events[0]["item"], client.last("response.function_call_arguments.done")
    assert (begun["type"], begun["status"], begun["arguments"]) == ("function_call", "in_progress", "")
    assert begun["name"] == "get_weather"
    deltas = [e["delta"] for e in events if e["type"] == "response.function_call_arguments.delta"]
    assert "".join(deltas) == ended["arguments"] == '{"city": "London"}'
    assert len(deltas) == 2
    assert ended["call_id"] == begun["call_id"]
    assert ended["call_id"].startswith("call_")
    assert ended["name"] == "get_weather"  # in preview too, though its models do not have it
    [item] = done(client)["output"]
    assert (item["status"], item["arguments"]) == ("completed", '{"city": "London"}')


@pytest.mark.conformance("rule/response.several-items")
def test_words_and_calls_in_one_response():
    client = WireClient()
    client.update(tools=[WEATHER])
    client.write("What is the weather in London and Paris?")
    client.send("response.create")
    work, engine = client.driver.replying.pop(0), client.engine
    client.driver.take(engine.replied(work.response_id, "I will look."))
    client.driver.take(engine.spoke(work.response_id, bytes(4800), 12))
    for city in ("London", "Paris"):
        client.driver.take(engine.called(work.response_id, "get_weather", f'{{"city": "{city}"}}'))
    client.driver.take(engine.finished(work.response_id))
    output = done(client)["output"]
    assert [item["type"] for item in output] == ["message", "function_call", "function_call"]
    assert len({item["call_id"] for item in output[1:]}) == 2
    added = [e for e in client.wire if e["type"] == "response.output_item.added"]
    assert [e["output_index"] for e in added] == [0, 1, 2]
    by_item = {e["item"]["id"]: e["output_index"] for e in added}
    for event in client.wire:
        if "item_id" in event and "output_index" in event:
            assert event["output_index"] == by_item[event["item_id"]]
    assert client.problems() == []
