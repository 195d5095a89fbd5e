"""Every event that is served, in both dialects: what answers a client's, and what a server's looks like."""

from __future__ import annotations

import base64

import pytest
from conformance import reason_for
from conformance_table import CLIENT_EVENTS, SERVER_EVENTS
from strict_models import problems
from wire_client import WEATHER, WireClient, message

TRANSCRIBED = {"audio": {"input": {"transcription": {"model": "whisper-1"}}}}
HALF_A_SECOND = base64.b64encode(bytes(24_000)).decode()


def plain(client):
    return {}


def with_audio(client):
    client.listen(None)
    client.send("input_audio_buffer.append", audio=HALF_A_SECOND)
    return {}


def with_item(client):
    client.write("Hello.", id="item_mine")
    return {"item_id": "item_mine"}


def with_speech(client):
    client.spoken_turn()
    item = client.last("response.output_item.done")["item"]
    return {"item_id": item["id"], "content_index": 0, "audio_end_ms": 500}


def with_response(client):
    client.write("Hello.")
    client.send("response.create")
    return {}


ADDED = ["conversation.item.added", "conversation.item.done"]
# What a client sends: what has to be there before, its fields, and the events that answer it.
CLIENT = {
    "session.update": (
        plain,
        {"session": {"type": "realtime", "instructions": "Be kind."}},
        ["session.updated"],
    ),
    "input_audio_buffer.append": (plain, {"audio": HALF_A_SECOND}, []),
    "input_audio_buffer.commit": (with_audio, {}, ["input_audio_buffer.committed", *ADDED]),
    "input_audio_buffer.clear": (with_audio, {}, ["input_audio_buffer.cleared"]),
    "conversation.item.create": (plain, {"item": message("Hello.")}, ADDED),
    "conversation.item.retrieve": (with_item, {}, ["conversation.item.retrieved"]),
    "conversation.item.delete": (with_item, {}, ["conversation.item.deleted"]),
    "conversation.item.truncate": (with_speech, {}, ["conversation.item.truncated"]),
    "response.create": (plain, {}, ["response.created"]),
    "response.cancel": (with_response, {}, ["response.done"]),
    "transcription_session.update": (
        plain,
        {"session": {"input_audio_transcription": {"model": "whisper-1"}}},
        ["transcription_session.updated"],
    ),
}


def client_for(dialect, kind):
    """A client that may send or get a kind of event: some are not on every path."""
    if kind.startswith("transcription_session."):
        return WireClient(dialect, initial={"type": "transcription"})
    return WireClient(dialect, azure=kind != "rate_limits.updated")


def served(side, table):
    return [
        pytest.param(dialect, kind, id=f"{dialect}-{kind}")
        for dialect, kinds in table.items()
        for kind in kinds
        if reason_for(f"{side}/{dialect}/{kind}") is None
    ]


@pytest.mark.parametrize(("dialect", "kind"), served("client", CLIENT_EVENTS))
@pytest.mark.conformance("client/{dialect}/{kind}")
def test_a_clients_event_is_answered_as_it_should_be(dialect, kind):
    client = client_for(dialect, kind)
    before, fields, expected = CLIENT[kind]
    answers = client.send(kind, **(before(client) | fields))
    names = [client.name(name) for name in expected]
    if dialect == "preview":
        names = [name for name in names if name != "conversation.item.done"]
    assert [event["type"] for event in answers] == names
    assert [found for event in answers for found in problems(event, dialect)] == []


# -- what a server sends ------------------------------------------------------------------------------


def typed(client):
    client.update(output_modalities=["text"])
    client.write("Hello.")
    client.send("response.create")
    client.reply("Hi. ", "How are you?")


def spoken(client):
    client.update(**TRANSCRIBED)
    client.spoken_turn()


def not_understood(client):
    client.update(**TRANSCRIBED)
    client.say()
    client.transcribe(None, "It could not be written down.")


def called(client):
    client.update(tools=[WEATHER])
    client.write("What is the weather in London?")
    client.send("response.create")
    client.call()


def changed(client):
    fields = with_speech(client)
    client.send("conversation.item.truncate", **fields)
    client.send("conversation.item.retrieve", item_id=fields["item_id"])
    client.send("conversation.item.delete", item_id=fields["item_id"])
    client.send("input_audio_buffer.clear")


def silent(client):
    client.listen({"type": "server_vad", "idle_timeout_ms": 5000})
    client.write("Hello.")
    client.send("response.create")
    client.reply("Hi.")
    client.hear(*[0.0] * 200)


def mistaken(client):
    client.send("response.cancel")


def written_down(client):
    wanted = {"input_audio_transcription": {"model": "any-model"}}
    client.send("transcription_session.update", session=wanted)


MADE_BY = {
    "error": mistaken,
    "session.": plain,
    "transcription_session.": written_down,
    "conversation.item.input_audio_transcription.failed": not_understood,
    "conversation.item.input_audio_transcription.": spoken,
    "conversation.item.deleted": changed,
    "conversation.item.retrieved": changed,
    "conversation.item.truncated": changed,
    "conversation.item.": spoken,
    "input_audio_buffer.cleared": changed,
    "input_audio_buffer.timeout_triggered": silent,
    "input_audio_buffer.": spoken,
    "response.function_call_arguments.": called,
    "response.output_text.": typed,
    "response.text.": typed,
    "response.": spoken,
    "rate_limits.updated": spoken,
}


@pytest.mark.parametrize(("dialect", "kind"), served("server", SERVER_EVENTS))
@pytest.mark.conformance("server/{dialect}/{kind}", "rule/wire.strict-{dialect}")
def test_a_servers_event_is_right_for_the_models(dialect, kind):
    client = client_for(dialect, kind)
    client.update()
    next(make for prefix, make in MADE_BY.items() if kind.startswith(prefix))(client)
    events = [event for event in client.wire if event["type"] == kind]
    assert events, f"no {kind} among {client.types()}"
    assert [found for event in events for found in problems(event, dialect)] == []
