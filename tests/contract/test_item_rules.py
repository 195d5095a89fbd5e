"""The rules of a conversation's items: create, retrieve, delete, truncate."""

from __future__ import annotations

import base64

import pytest
from wire_client import WEATHER, WireClient, message

DIALECTS = pytest.mark.parametrize("dialect", ["ga", "preview"])


def code_of(answers):
    [answer] = answers
    assert answer["type"] == "error", answer
    return answer["error"]["code"]


def create(client, item, **fields):
    return client.send("conversation.item.create", item=item, **fields)


def read_by_the_model(client):
    return [(m.role, m.text.strip()) for m in client.driver.replying[0].messages if m.role != "system"]


@DIALECTS
@pytest.mark.conformance("rule/items.create")
def test_a_created_item_is_told(dialect):
    client = WireClient(dialect)
    events = create(client, message("Hello."))
    names = (
        ["conversation.item.created"]
        if dialect == "preview"
        else [
            "conversation.item.added",
            "conversation.item.done",
        ]
    )
    assert [event["type"] for event in events] == names
    for event in events:
        item = event["item"]
        assert event["previous_item_id"] is None
        assert (item["type"], item["role"], item["status"]) == ("message", "user", "completed")
        assert item["content"] == [{"type": "input_text", "text": "Hello."}]
        assert item["id"].startswith("item_")
        assert ("object" in item) == (dialect == "preview")


@pytest.mark.conformance("rule/items.place", "rule/items.order")
def test_an_item_goes_where_it_is_wanted():
    client = WireClient()
    places = [("a", {}), ("b", {}), ("c", {"previous_item_id": "root"}), ("d", {"previous_item_id": "a"})]
    before = [
        create(client, message(name, id=name), **place)[0]["previous_item_id"] for name, place in places
    ]
    assert before == [None, "a", None, "a"]
    assert code_of(create(client, message("e"), previous_item_id="nowhere"))
    client.send("response.create")
    assert [text for _, text in read_by_the_model(client)] == ["c", "a", "d", "b"]


@DIALECTS
@pytest.mark.conformance("rule/items.id")
def test_a_clients_id_is_kept_and_taken_once(dialect):
    client = WireClient(dialect)
    assert create(client, message("a", id="mine"))[0]["item"]["id"] == "mine"
    assert code_of(create(client, message("b", id="mine"))) == "invalid_value"
    client.send("response.create")
    assert read_by_the_model(client) == [("user", "a")]


@pytest.mark.parametrize(
    ("dialect", "role", "part"),
    [
        ("ga", "user", {"type": "output_text", "text": "a"}),
        ("ga", "user", {"type": "smell", "text": "a"}),
        ("ga", "system", {"type": "input_audio", "audio": ""}),
        ("ga", "assistant", {"type": "input_text", "text": "a"}),
        ("ga", "assistant", {"type": "text", "text": "a"}),
        ("ga", "narrator", {"type": "input_text", "text": "a"}),
        ("ga", "user", {"type": "input_text"}),
        ("ga", "user", {"type": "input_text", "text": 7}),
        ("preview", "assistant", {"type": "output_text", "text": "a"}),
        ("preview", "user", {"type": "text", "text": "a"}),
    ],
)
@pytest.mark.conformance("rule/items.parts")
def test_parts_that_a_role_does_not_have_are_refused(dialect, role, part):
    client = WireClient(dialect)
    item = {"type": "message", "role": role, "content": [part]}
    code_of(client.raw({"type": "conversation.item.create", "item": item}))
    assert not [kind for kind in client.types() if kind.startswith("conversation.item")]


@DIALECTS
@pytest.mark.conformance("rule/items.history", "rule/items.parts")
def test_earlier_turns_can_be_put_in(dialect):
    client = WireClient(dialect)
    create(client, message("Be brief.", role="system"))
    create(client, message("My name is Alice."))
    [told, *_] = create(client, message("Nice to meet you!", role="assistant"))
    assert told["item"]["content"] == [
        {"type": "text" if dialect == "preview" else "output_text", "text": "Nice to meet you!"}
    ]
    client.write("What is my name?")
    client.send("response.create")
    assert [m.text for m in client.driver.replying[0].messages][-4:] == [
        "Be brief.",
        "My name is Alice.",
        "Nice to meet you!",
        "What is my name?",
    ]
    assert client.problems() == []


@pytest.mark.conformance("rule/items.history")
def test_speech_of_the_assistant_cannot_be_put_in():
    client = WireClient()
    part = {"type": "output_audio", "audio": base64.b64encode(bytes(4800)).decode(), "transcript": "Hi."}
    code_of(create(client, {"type": "message", "role": "assistant", "content": [part]}))


@DIALECTS
@pytest.mark.conformance("rule/items.audio-item")
def test_speech_can_come_in_an_item(dialect):
    client = WireClient(dialect)
    client.update(audio={"input": {"transcription": {"model": "whisper-1"}}})
    pcm = bytes(range(256)) * 100
    part = {"type": "input_audio", "audio": base64.b64encode(pcm).decode()}
    [told, *_] = create(client, {"type": "message", "role": "user", "content": [part]})
    assert told["item"]["content"][0]["type"] == "input_audio"
    assert not told["item"]["content"][0].get("audio")
    client.send("response.create")
    assert client.driver.transcribing[0].pcm == pcm
    client.transcribe("good morning")
    done = client.last("conversation.item.input_audio_transcription.completed")
    assert (done["item_id"], done["transcript"]) == (told["item"]["id"], "good morning")
    assert read_by_the_model(client) == [("user", "good morning")]


@pytest.mark.conformance("rule/items.call-output")
def test_an_output_has_to_answer_a_call():
    client = WireClient()
    output = {"type": "function_call_output", "call_id": "call_none", "output": "12 degrees"}
    code_of(create(client, output))
    client.update(tools=[WEATHER])
    client.write("What is the weather?")
    client.send("response.create")
    client.call()
    call_id = client.last("response.function_call_arguments.done")["call_id"]
    [added, done] = create(client, output | {"call_id": call_id})
    assert (added["type"], done["type"]) == ("conversation.item.added", "conversation.item.done")
    item = added["item"]
    assert (item["type"], item["call_id"], item["output"]) == ("function_call_output", call_id, "12 degrees")
    assert added["previous_item_id"] == client.last("response.output_item.done")["item"]["id"]


@DIALECTS
@pytest.mark.conformance("rule/items.retrieve")
def test_a_retrieved_item_comes_with_its_audio(dialect):
    client = WireClient(dialect)
    client.spoken_turn("Hello.")
    spoken = client.last("response.output_item.done")["item"]["id"]
    heard = client.last("input_audio_buffer.committed")["item_id"]
    start = client.last("input_audio_buffer.speech_started")["audio_start_ms"]
    end = client.last("input_audio_buffer.speech_stopped")["audio_end_ms"]
    for item_id, length_ms in ((heard, end - start), (spoken, 1000)):
        [answer] = client.send("conversation.item.retrieve", item_id=item_id)
        assert answer["type"] == "conversation.item.retrieved"
        assert len(base64.b64decode(answer["item"]["content"][0]["audio"])) == length_ms * 48


@DIALECTS
@pytest.mark.conformance("rule/items.delete")
def test_a_deleted_item_is_forgotten(dialect):
    client = WireClient(dialect)
    create(client, message("a", id="first"))
    create(client, message("b", id="second"))
    [answer] = client.send("conversation.item.delete", item_id="first")
    assert (answer["type"], answer["item_id"]) == ("conversation.item.deleted", "first")
    client.send("response.create")
    assert read_by_the_model(client) == [("user", "b")]
    assert code_of(client.send("conversation.item.delete", item_id="first")) == "item_delete_invalid_item_id"


@pytest.mark.parametrize("action", ["retrieve", "delete", "truncate"])
@pytest.mark.conformance("rule/items.unknown-id")
def test_unknown_ids_are_refused(action):
    fields = {"content_index": 0, "audio_end_ms": 0} if action == "truncate" else {}
    answers = WireClient().send(f"conversation.item.{action}", item_id="item_none", **fields)
    assert code_of(answers) == f"item_{action}_invalid_item_id"


def truncate(client, end_ms):
    item_id = client.last("response.output_item.done")["item"]["id"]
    return client.send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=end_ms)


@DIALECTS
@pytest.mark.conformance("rule/items.truncate")
def test_a_truncation_forgets_what_was_not_heard(dialect):
    client = WireClient(dialect)
    client.spoken_turn("First part here. ", "Second part there.")
    [answer] = truncate(client, 1000)
    assert (answer["type"], answer["content_index"], answer["audio_end_ms"]) == (
        "conversation.item.truncated",
        0,
        1000,
    )
    [shown] = client.send("conversation.item.retrieve", item_id=answer["item_id"])
    [part] = shown["item"]["content"]
    assert not part.get("transcript")
    assert len(base64.b64decode(part.get("audio") or "")) == 1000 * 48
    client.write("Go on.")
    client.send("response.create")
    assert read_by_the_model(client)[1:] == [("assistant", "First part here."), ("user", "Go on.")]


@pytest.mark.conformance("rule/items.truncate-past")
def test_a_truncation_past_the_audio_is_refused():
    client = WireClient()
    client.spoken_turn("Hello.")
    [answer] = truncate(client, 1001)
    assert answer["error"]["message"] == "Audio content of 1000ms is already shorter than 1001ms"
    assert truncate(client, 1000)[0]["type"] == "conversation.item.truncated"


@pytest.mark.conformance("rule/items.truncate-text")
def test_only_speech_of_the_assistant_can_be_truncated():
    client = WireClient()
    create(client, message("a", id="typed"))
    answers = client.send("conversation.item.truncate", item_id="typed", content_index=0, audio_end_ms=0)
    assert code_of(answers) == "unsupported_content_type"
    client.update(output_modalities=["text"])
    client.send("response.create")
    client.reply("Hi.")
    assert code_of(truncate(client, 0)) == "unsupported_content_type"
