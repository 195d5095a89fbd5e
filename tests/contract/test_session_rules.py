"""The rules of the session: its defaults, and what an update may and may not do."""

from __future__ import annotations

import pytest
from wire_client import WEATHER, WireClient

DIALECTS = pytest.mark.parametrize("dialect", ["ga", "preview"])


def session_of(client):
    return next(e["session"] for e in reversed(client.wire) if e["type"].startswith("session."))


def refused(client, answers, code, param):
    [error] = answers
    assert error["type"] == "error"
    assert (error["error"]["code"], error["error"]["param"]) == (code, param)
    client.update()
    return session_of(client)


@DIALECTS
@pytest.mark.conformance("rule/session.created-first")
def test_the_session_comes_first(dialect):
    client = WireClient(dialect)
    assert client.types() == ["session.created"]
    assert {"id", "object", "model", "expires_at", "instructions", "tools"} <= session_of(client).keys()


@pytest.mark.conformance("rule/session.defaults")
def test_the_defaults_are_those_of_the_wire():
    session = session_of(WireClient())
    given, said = session["audio"]["input"], session["audio"]["output"]
    assert given["turn_detection"] == {
        "type": "server_vad",
        "threshold": 0.5,
        "prefix_padding_ms": 300,
        "silence_duration_ms": 200,
        "idle_timeout_ms": None,
        "create_response": True,
        "interrupt_response": True,
    }
    pcm = {"type": "audio/pcm", "rate": 24_000}
    assert (given["format"], given["transcription"], given["noise_reduction"]) == (pcm, None, None)
    assert (said["format"], said["voice"], said["speed"]) == (pcm, "alloy", 1.0)
    assert (session["type"], session["object"]) == ("realtime", "realtime.session")
    assert (session["output_modalities"], session["max_output_tokens"]) == (["audio"], "inf")
    assert (session["tools"], session["tool_choice"], session["truncation"]) == ([], "auto", "auto")


@pytest.mark.conformance("rule/session.defaults")
def test_the_defaults_are_those_of_the_wire_in_preview():
    session = session_of(WireClient("preview"))
    assert session["turn_detection"]["type"] == "server_vad"
    assert "idle_timeout_ms" not in session["turn_detection"]
    assert sorted(session["modalities"]) == ["audio", "text"]
    assert (session["input_audio_format"], session["output_audio_format"]) == ("pcm16", "pcm16")
    assert (session["voice"], session["temperature"]) == ("alloy", 0.8)
    assert session["max_response_output_tokens"] == "inf"
    assert session["input_audio_transcription"] is None
    assert not {"type", "audio", "output_modalities", "max_output_tokens"} & session.keys()


@DIALECTS
@pytest.mark.conformance("rule/session.update-full", "rule/session.update-merge")
def test_an_update_changes_what_it_names_and_answers_with_all(dialect):
    client = WireClient(dialect)
    before = session_of(client)
    if dialect == "ga":
        [answer] = client.update(audio={"input": {"transcription": {"model": "whisper-1"}}})
        before["audio"]["input"]["transcription"] = answer["session"]["audio"]["input"]["transcription"]
        assert before["audio"]["input"]["transcription"]["model"] == "whisper-1"
    else:
        wanted = {"input_audio_transcription": {"model": "whisper-1"}}
        [answer] = client.raw({"type": "session.update", "session": wanted})
        before["input_audio_transcription"] = answer["session"]["input_audio_transcription"]
        assert before["input_audio_transcription"]["model"] == "whisper-1"
    assert answer["type"] == "session.updated"
    assert answer["session"] == before


@pytest.mark.conformance("rule/session.update-clear")
def test_empty_and_null_take_settings_away():
    client = WireClient()
    client.update(
        tools=[WEATHER],
        audio={"input": {"transcription": {"model": "m"}, "noise_reduction": {"type": "near_field"}}},
    )
    assert session_of(client)["tools"] == [WEATHER]
    nothing = {"turn_detection": None, "transcription": None, "noise_reduction": None}
    client.update(tools=[], audio={"input": nothing})
    session = session_of(client)
    assert session["tools"] == []
    assert {key: session["audio"]["input"][key] for key in nothing} == nothing


@DIALECTS
@pytest.mark.conformance("rule/session.update-instructions")
def test_empty_instructions_bring_the_default_back(dialect):
    client = WireClient(dialect)
    default = session_of(client)["instructions"]
    client.update(instructions="Be brief.")
    assert session_of(client)["instructions"] == "Be brief."
    client.update(instructions="")
    assert session_of(client)["instructions"] == default


@DIALECTS
@pytest.mark.conformance("rule/session.update-whole", "rule/connection.survives-errors")
def test_a_bad_update_changes_nothing(dialect):
    client = WireClient(dialect)
    before = session_of(client)
    [answer] = client.update(instructions="New.", tools=[WEATHER], audio={"output": {"speed": 9}})
    assert answer["type"] == "error"
    client.update()
    assert session_of(client) == before


@pytest.mark.conformance("rule/session.type-required", "rule/errors.missing")
def test_ga_needs_the_type_of_the_session():
    client = WireClient()
    answers = client.raw({"type": "session.update", "session": {"instructions": "New."}})
    session = refused(client, answers, "missing_required_parameter", "session.type")
    assert session["instructions"] != "New."


@pytest.mark.parametrize(
    ("dialect", "session", "param"),
    [
        ("ga", {"type": "realtime", "modalities": ["text"]}, "session.modalities"),
        ("ga", {"type": "realtime", "voice": "alloy"}, "session.voice"),
        ("ga", {"type": "realtime", "input_audio_format": "pcm16"}, "session.input_audio_format"),
        ("ga", {"type": "realtime", "temperature": 0.8}, "session.temperature"),
        ("ga", {"type": "realtime", "mood": 1}, "session.mood"),
        ("ga", {"type": "realtime", "audio": {"input": {"mood": 1}}}, "session.audio.input.mood"),
        ("preview", {"type": "realtime"}, "session.type"),
        ("preview", {"output_modalities": ["text"]}, "session.output_modalities"),
        ("preview", {"audio": {"output": {"voice": "alloy"}}}, "session.audio"),
        ("preview", {"mood": 1}, "session.mood"),
    ],
)
@pytest.mark.conformance("rule/session.unknown-parameter")
def test_settings_that_the_dialect_does_not_know_are_refused(dialect, session, param):
    client = WireClient(dialect)
    before = session_of(client)
    answers = client.raw({"type": "session.update", "session": session})
    assert refused(client, answers, "unknown_parameter", param) == before


@pytest.mark.parametrize(
    ("dialect", "session"),
    [
        ("ga", {"output_modalities": ["audio", "text"]}),
        ("ga", {"output_modalities": []}),
        ("preview", {"modalities": ["audio"]}),
        ("preview", {"modalities": ["smell"]}),
    ],
)
@pytest.mark.conformance("rule/session.one-modality")
def test_modalities_that_the_dialect_does_not_have_are_refused(dialect, session):
    client = WireClient(dialect)
    before = session_of(client)
    session |= {"type": "realtime"} if dialect == "ga" else {}
    [answer] = client.raw({"type": "session.update", "session": session})
    assert answer["error"]["code"] == "invalid_value"
    client.update()
    assert session_of(client) == before


@pytest.mark.parametrize("value", [0.5, 1.3, "hot", True])
@pytest.mark.conformance("rule/session.temperature")
def test_a_temperature_out_of_its_range_is_refused(value):
    client = WireClient("preview")
    [answer] = client.raw({"type": "session.update", "session": {"temperature": value}})
    assert answer["type"] == "error"
    [answer] = client.raw({"type": "session.update", "session": {"temperature": 0.6}})
    assert answer["session"]["temperature"] == 0.6


@pytest.mark.parametrize(
    ("good", "bad"), [(4096, 4097), (1, 0), ("inf", "many"), ("inf", 1.5), ("inf", None), ("inf", True)]
)
@DIALECTS
@pytest.mark.conformance("rule/session.max-tokens")
def test_the_token_limit_has_its_range(dialect, good, bad):
    client = WireClient(dialect)
    assert client.update(max_output_tokens=good)[0]["type"] == "session.updated"
    assert client.update(max_output_tokens=bad)[0]["type"] == "error"


@pytest.mark.parametrize(("good", "bad"), [(0.25, 0.24), (1.5, 1.6), (1, "fast")])
@DIALECTS
@pytest.mark.conformance("rule/session.speed")
def test_the_speed_has_its_range(dialect, good, bad):
    client = WireClient(dialect)
    assert client.update(audio={"output": {"speed": good}})[0]["type"] == "session.updated"
    assert client.update(audio={"output": {"speed": bad}})[0]["type"] == "error"


@pytest.mark.parametrize(
    "bad",
    [
        {"threshold": 1.1},
        {"threshold": -0.1},
        {"prefix_padding_ms": -1},
        {"prefix_padding_ms": 0.5},
        {"silence_duration_ms": "long"},
        {"create_response": "yes"},
        {"idle_timeout_ms": 4999},
        {"idle_timeout_ms": 30_001},
        {"type": "telepathy"},
        {"eagerness": "high"},
    ],
)
@pytest.mark.conformance("rule/session.vad-range")
def test_turn_detection_has_its_ranges(bad):
    client = WireClient()
    assert client.listen({"type": "server_vad"} | bad)[0]["type"] == "error"
    assert client.listen({"type": "server_vad", "idle_timeout_ms": 5000})[0]["type"] == "session.updated"


@DIALECTS
@pytest.mark.conformance("rule/session.voice-lock")
def test_the_voice_is_locked_once_it_has_spoken(dialect):
    client = WireClient(dialect)
    assert client.update(audio={"output": {"voice": "echo"}})[0]["type"] == "session.updated"
    client.spoken_turn()
    [answer] = client.update(instructions="New.", audio={"output": {"voice": "verse"}})
    assert answer["error"]["code"] == "cannot_update_voice"
    client.update(audio={"output": {"voice": "echo"}})
    assert session_of(client)["instructions"] != "New."


@pytest.mark.conformance("rule/session.tracing-lock")
def test_tracing_cannot_change_once_it_is_set():
    client = WireClient()
    assert client.update(tracing="auto")[0]["session"]["tracing"] == "auto"
    assert client.update(tracing={"workflow_name": "mine"})[0]["type"] == "error"
    assert client.update(tracing="auto")[0]["type"] == "session.updated"


@pytest.mark.conformance("rule/session.vad-none", "rule/input.no-vad")
def test_turn_detection_of_type_none_turns_it_off():
    client = WireClient("preview")
    client.raw({"type": "session.update", "session": {"turn_detection": {"type": "none"}}})
    assert session_of(client)["turn_detection"] is None
    assert client.say() == []


@pytest.mark.conformance("rule/session.transcription-ga")
def test_a_transcription_session_writes_down_and_does_not_answer():
    client = WireClient(initial={"type": "transcription"})
    assert session_of(client)["type"] == "transcription"
    wanted = {"type": "transcription", "audio": {"input": {"transcription": {"model": "whisper-1"}}}}
    [answer] = client.send("session.update", session=wanted)
    assert (answer["type"], answer["session"]["type"]) == ("session.updated", "transcription")
    client.say()
    client.transcribe("hello")
    assert client.last("conversation.item.input_audio_transcription.completed")["transcript"] == "hello"
    assert "response.created" not in client.types()
    assert client.problems() == []


@pytest.mark.conformance("rule/session.transcription-preview")
def test_a_transcription_session_in_preview():
    client = WireClient("preview", initial={"type": "transcription"})
    wanted = {"input_audio_transcription": {"model": "whisper-1"}}
    [answer] = client.raw({"type": "transcription_session.update", "session": wanted})
    assert answer["type"] == "transcription_session.updated"
    client.say()
    client.transcribe("hello")
    assert client.last("conversation.item.input_audio_transcription.completed")["transcript"] == "hello"
    assert "response.created" not in client.types()
    assert client.problems() == []


@DIALECTS
@pytest.mark.conformance("rule/session.kind-lock")
def test_a_session_stays_of_its_kind(dialect):
    client = WireClient(dialect)
    [answer] = client.send("session.update", session={"type": "transcription"})
    assert answer["type"] == "error"
    client = WireClient(dialect, initial={"type": "transcription"})
    assert client.update(instructions="New.")[0]["type"] == "error"
    assert client.send("response.create")[0]["type"] == "error"
