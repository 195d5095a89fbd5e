"""The rules of the input audio buffer, of turns and of their transcription."""

from __future__ import annotations

import base64

import pytest
from wire_client import WireClient

from rt_notebook.core.wire_json import encode_audio

DIALECTS = pytest.mark.parametrize("dialect", ["ga", "preview"])
SPEECH = {"input_audio_buffer.speech_started", "input_audio_buffer.speech_stopped"}


def code_of(answers):
    [answer] = answers
    return answer["error"]["code"]


def kept(client):
    """The audio of the last turn, as the server gives it back."""
    item_id = client.last("input_audio_buffer.committed")["item_id"]
    [shown] = client.send("conversation.item.retrieve", item_id=item_id)
    return base64.b64decode(shown["item"]["content"][0]["audio"])


def append(client, pcm):
    return client.send("input_audio_buffer.append", audio=encode_audio(pcm))


@DIALECTS
@pytest.mark.conformance("rule/input.append-silent")
def test_an_append_is_not_answered(dialect):
    client = WireClient(dialect)
    assert client.hear(*[0.0] * 30) == []


@pytest.mark.conformance("rule/input.append-limit")
def test_what_cannot_be_appended_is_refused():
    client = WireClient()
    assert append(client, bytes(15 * 1024 * 1024)) == []
    assert code_of(append(client, bytes(15 * 1024 * 1024 + 2))) == "invalid_value"
    assert code_of(client.send("input_audio_buffer.append", audio="%%%")) == "invalid_value"
    assert code_of(client.send("input_audio_buffer.append", audio=7)) in {"invalid_value", "invalid_type"}


@pytest.mark.conformance("rule/errors.missing")
def test_an_append_without_audio_names_what_is_missing():
    [answer] = WireClient().send("input_audio_buffer.append")
    assert (answer["error"]["code"], answer["error"]["param"]) == ("missing_required_parameter", "audio")


@DIALECTS
@pytest.mark.conformance("rule/input.commit", "rule/input.no-vad")
def test_a_commit_makes_an_item_and_no_response(dialect):
    client = WireClient(dialect)
    client.listen(None)
    assert client.hear(*[0.9] * 10) == []
    committed, added, *_ = client.send("input_audio_buffer.commit")
    assert committed["type"] == "input_audio_buffer.committed"
    assert committed["previous_item_id"] is None
    assert added["item"]["id"] == committed["item_id"]
    assert added["item"]["content"] == [{"type": "input_audio", "transcript": None}]
    client.transcribe()
    assert not {"response.created", *SPEECH} & set(client.types())
    assert client.driver.replying == []


@pytest.mark.parametrize("milliseconds", [0, 99])
@pytest.mark.conformance("rule/input.commit-empty")
def test_a_commit_of_too_little_is_refused(milliseconds):
    client = WireClient()
    client.listen(None)
    append(client, bytes(milliseconds * 48))
    assert code_of(client.send("input_audio_buffer.commit")) == "input_audio_buffer_commit_empty"
    append(client, bytes((100 - milliseconds) * 48))
    assert client.send("input_audio_buffer.commit")[0]["type"] == "input_audio_buffer.committed"
    assert code_of(client.send("input_audio_buffer.commit")) == "input_audio_buffer_commit_empty"


@pytest.mark.conformance("rule/input.clear")
def test_a_clear_takes_the_audio_away():
    client = WireClient()
    client.listen(None)
    append(client, bytes(200 * 48))
    [answer] = client.send("input_audio_buffer.clear")
    assert answer["type"] == "input_audio_buffer.cleared"
    assert code_of(client.send("input_audio_buffer.commit")) == "input_audio_buffer_commit_empty"


@DIALECTS
@pytest.mark.conformance("rule/input.vad-order", "rule/input.vad-one-item")
def test_a_spoken_turn_goes_in_order_under_one_id(dialect):
    client = WireClient(dialect)
    events = client.say()
    expected = [
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        client.name("conversation.item.added"),
        *(["conversation.item.done"] if dialect == "ga" else []),
        "response.created",
    ]
    assert [event["type"] for event in events] == expected
    ids = {event.get("item_id") or event["item"]["id"] for event in events[:-1]}
    assert len(ids) == 1
    assert {e["item"]["status"] for e in events if "item" in e} == {"completed"}


def times(events):
    return [e.get("audio_start_ms", e.get("audio_end_ms")) for e in events if e["type"] in SPEECH]


@pytest.mark.conformance("rule/input.start-padding", "rule/input.end-silence")
def test_the_start_counts_its_padding_and_the_end_its_silence():
    client = WireClient()
    client.hear(*[0.0] * 40)
    start_ms, end_ms = times(client.say(20))
    assert start_ms == 40 * 32 - 300
    assert end_ms == (40 + 20 + 7) * 32  # 200 ms are seven frames


@pytest.mark.parametrize("between", ["input_audio_buffer.commit", "input_audio_buffer.clear"])
@pytest.mark.conformance("rule/input.clock")
def test_the_clock_never_goes_back(between):
    client = WireClient()
    client.listen({"type": "server_vad", "create_response": False})
    client.hear(*[0.0] * 40)
    first = times(client.say())
    client.hear(*[0.0] * 40)
    client.send(between)
    client.hear(*[0.0] * 13)
    second = times(client.say())
    period = (20 + 7 + 40 + 13) * 32
    assert second == [time + period for time in first]


@pytest.mark.conformance("rule/input.turn-audio")
def test_what_is_committed_lies_between_start_and_end():
    client = WireClient()
    audio = b"".join(number.to_bytes(2, "little", signed=True) for number in range(-30_000, 30_000))
    audio = audio[: 768 * 2 * 67]
    client.driver.probabilities = [0.0] * 40 + [0.9] * 20 + [0.0] * 7
    start_ms, end_ms = times(append(client, audio))
    assert kept(client) == audio[start_ms * 48 : end_ms * 48]


@pytest.mark.parametrize("step", [34, 480, 1536, 7000])
@pytest.mark.conformance("rule/input.chunking")
def test_turns_are_the_same_however_audio_is_cut(step):
    pieces, whole = WireClient(), WireClient()
    audio = bytes(768 * 2 * 37)
    for client in (pieces, whole):
        client.driver.probabilities = [0.0] * 10 + [0.9] * 20 + [0.0] * 7
    append(whole, audio)
    for start in range(0, len(audio), step):
        append(pieces, audio[start : start + step])
    assert pieces.wire == whole.wire
    assert len(times(whole.wire)) == 2


@pytest.mark.conformance("rule/input.create-off")
def test_without_create_response_a_turn_is_not_answered():
    client = WireClient()
    client.listen({"type": "server_vad", "create_response": False})
    client.say()
    client.transcribe()
    assert "input_audio_buffer.committed" in client.types()
    assert "response.created" not in client.types()


@pytest.mark.conformance("rule/input.interrupt-off")
def test_without_interrupt_response_speech_does_not_cancel():
    client = WireClient()
    client.listen({"type": "server_vad", "interrupt_response": False, "create_response": False})
    client.write("Hello.")
    client.send("response.create")
    client.say()
    assert "response.done" not in client.types()
    client.reply("Hi.")
    assert client.last("response.done")["response"]["status"] == "completed"


@DIALECTS
@pytest.mark.conformance("rule/transcription.asked")
def test_what_was_said_is_told_only_where_it_is_asked_for(dialect):
    client = WireClient(dialect)
    client.spoken_turn()
    assert not [kind for kind in client.types() if "transcription" in kind]


@DIALECTS
@pytest.mark.conformance("rule/transcription.by-item", "rule/transcription.usage")
def test_a_transcription_names_its_item_and_what_it_cost(dialect):
    client = WireClient(dialect)
    client.update(audio={"input": {"transcription": {"model": "whisper-1"}}})
    client.hear(*[0.0] * 40)
    start_ms, end_ms = times(client.say(30))
    client.transcribe("hello")
    done = client.last("conversation.item.input_audio_transcription.completed")
    assert (done["item_id"], done["content_index"]) == (
        client.last("input_audio_buffer.committed")["item_id"],
        0,
    )
    assert done["transcript"] == "hello"
    assert done["usage"] == {"type": "duration", "seconds": -((start_ms - end_ms) // 1000)}


@DIALECTS
@pytest.mark.conformance("rule/transcription.failed", "rule/connection.survives-errors")
def test_a_transcription_that_fails_says_why(dialect):
    client = WireClient(dialect)
    client.update(audio={"input": {"transcription": {"model": "whisper-1"}}})
    client.listen({"type": "server_vad", "create_response": False})
    client.say()
    client.transcribe(None, "There is no transcriber.")
    failed = client.last("conversation.item.input_audio_transcription.failed")
    assert failed["item_id"] == client.last("input_audio_buffer.committed")["item_id"]
    assert failed["error"]["code"]
    assert "no transcriber" in failed["error"]["message"]
    assert client.write("Hello.")


@pytest.mark.parametrize(("name", "law"), [("audio/pcmu", "g711_ulaw"), ("audio/pcma", "g711_alaw")])
@DIALECTS
@pytest.mark.conformance("rule/input.g711")
def test_g711_is_taken(dialect, name, law):
    client = WireClient(dialect)
    [answer] = client.update(audio={"input": {"format": {"type": name}}})
    if dialect == "preview":
        assert answer["session"]["input_audio_format"] == law
    else:
        assert answer["session"]["audio"]["input"]["format"] == {"type": name}
    client.driver.probabilities = [0.0] * 10 + [0.9] * 20 + [0.0] * 7
    audio = bytes(range(256)) * 37
    assert times(append(client, audio)) == [20, 37 * 32]
    assert kept(client) == audio[20 * 8 :]
    assert client.driver.transcribing[0].rate_hz == 8000


def judged(client, probability):
    job_id = client.driver.judging.pop(0).job_id
    client.driver.take(client.engine.judged(job_id, probability))


@pytest.mark.parametrize(("eagerness", "most_ms"), [("high", 2000), ("medium", 4000), ("low", 8000)])
@DIALECTS
@pytest.mark.conformance("rule/input.semantic")
def test_semantic_detection_waits_for_the_end_of_what_is_said(dialect, eagerness, most_ms):
    client = WireClient(dialect)
    client.listen({"type": "semantic_vad", "eagerness": eagerness})
    client.say(20)
    judged(client, 0.0)  # not all is said
    client.say(20)
    assert client.types().count("input_audio_buffer.speech_started") == 1
    assert "input_audio_buffer.speech_stopped" not in client.types()
    judged(client, 1.0)  # now it is
    assert "response.created" in client.types()
    client.say(20)
    judged(client, 0.0)
    client.hear(*[0.0] * (most_ms // 32 - 8))
    assert client.types().count("input_audio_buffer.speech_stopped") == 1
    client.hear(*[0.0] * 2)
    assert client.types().count("input_audio_buffer.speech_stopped") == 2
    assert client.problems() == []


@pytest.mark.conformance("rule/input.idle")
def test_a_silent_user_is_prompted():
    client = WireClient()
    client.listen({"type": "server_vad", "idle_timeout_ms": 5000}, transcription={"model": "whisper-1"})
    client.write("Hello.")
    client.send("response.create")
    client.reply("Hi. ", "How are you?")  # two seconds to play
    frames = -(-(2000 + 5000) // 32)
    assert client.hear(*[0.0] * (frames - 1)) == []
    events = client.hear(0.0)
    triggered, committed, *rest = events
    assert (triggered["type"], triggered["audio_end_ms"]) == (
        "input_audio_buffer.timeout_triggered",
        frames * 32,
    )
    assert committed["item_id"] == triggered["item_id"]
    assert [event["type"] for event in rest if "transcription" not in event["type"]] == [
        "conversation.item.added",
        "conversation.item.done",
        "response.created",
    ]
    written = client.last("conversation.item.input_audio_transcription.completed")
    assert (written["transcript"], written["usage"]["seconds"]) == ("", 0)
    assert client.problems() == []
