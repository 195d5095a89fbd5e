"""The preview dialect and GA: translated there and back, nothing is lost but what one side does not know."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rt_notebook.core.config import SemanticVad, ServerVad, SessionConfig
from rt_notebook.core.dialects import GA, PREVIEW, NotInDialect
from rt_notebook.core.session_shape import GA_ONLY

configs = st.builds(
    SessionConfig,
    instructions=st.none() | st.text(max_size=20),
    voice=st.sampled_from(["alloy", "verse"]),
    turn_detection=st.none()
    | st.builds(SemanticVad, eagerness=st.sampled_from(["low", "auto"]))
    | st.builds(ServerVad, threshold=st.floats(0, 1), silence_duration_ms=st.integers(0, 2000)),
    output=st.sampled_from(["audio", "text"]),
    transcription=st.none() | st.just("whisper-1"),
)


@given(configs)
def test_a_session_update_survives_the_preview_dialect(config):
    event = {"type": "session.update", "event_id": "e", "session": config.to_wire()}
    wire = PREVIEW.client_to_wire(event)
    assert "audio" not in wire["session"]
    assert "type" not in wire["session"]
    back = PREVIEW.client_from_wire(wire)
    expected = json.loads(json.dumps(event))
    detection = expected["session"]["audio"]["input"]["turn_detection"]
    if detection is not None:
        detection.pop("idle_timeout_ms", None)  # the preview dialect does not know it
    assert back == expected


def test_the_flat_session_has_the_preview_names():
    flat = PREVIEW.client_to_wire(
        {"type": "session.update", "session": SessionConfig(temperature=0.8, instructions="x").to_wire()}
    )["session"]
    assert flat["modalities"] == ["text", "audio"]
    assert flat["input_audio_format"] == "pcm16"
    assert flat["output_audio_format"] == "pcm16"
    assert flat["input_audio_transcription"] == {"model": "whisper-1"}
    assert flat["turn_detection"]["silence_duration_ms"] == 500
    assert (flat["voice"], flat["temperature"]) == ("alloy", 0.8)


@pytest.mark.parametrize("name", [*GA_ONLY, "output_modalities", "audio"])
@pytest.mark.parametrize("where", ["session", "response"])
def test_a_preview_client_must_not_use_names_of_ga(where, name):
    with pytest.raises(NotInDialect, match=f"^Unknown parameter: '{where}.{name}'.$") as refused:
        PREVIEW.client_from_wire({"type": "session.update", where: {name: None}})
    assert (refused.value.code, refused.value.param) == ("unknown_parameter", f"{where}.{name}")


def test_a_preview_client_may_name_what_its_dialect_got_late():
    late = {"include": ["item.input_audio_transcription.logprobs"], "prompt": {"id": "p"}}
    session = PREVIEW.client_from_wire({"type": "session.update", "session": late})["session"]
    assert session == late | {"type": "realtime"}
    # Endpoints of a former version refuse these, so they are not told.
    assert PREVIEW.client_to_wire({"type": "session.update", "session": late})["session"] == {}


def test_azures_first_way_to_turn_detection_off():
    event = {"type": "session.update", "session": {"turn_detection": {"type": "none"}}}
    assert PREVIEW.client_from_wire(event)["session"]["audio"]["input"]["turn_detection"] is None


@pytest.mark.parametrize(
    ("ga", "preview"),
    [
        ("response.output_audio.delta", "response.audio.delta"),
        ("response.output_audio_transcript.done", "response.audio_transcript.done"),
        ("response.output_text.delta", "response.text.delta"),
        ("conversation.item.added", "conversation.item.created"),
    ],
)
def test_event_names(ga, preview):
    assert PREVIEW.server_to_wire({"type": ga})["type"] == preview
    assert PREVIEW.server_from_wire({"type": preview})["type"] == ga


def test_item_done_is_not_sent_in_preview():
    assert PREVIEW.server_to_wire({"type": "conversation.item.done", "item": {}}) is None


def test_parts_of_an_assistants_item():
    item = {
        "id": "i",
        "type": "message",
        "role": "assistant",
        "content": [{"type": "output_audio", "transcript": "x"}],
    }
    wire = PREVIEW.server_to_wire({"type": "response.output_item.done", "item": item})
    assert wire["item"]["content"] == [{"type": "audio", "transcript": "x"}]
    assert wire["item"]["object"] == "realtime.item"
    assert item["content"][0]["type"] == "output_audio", "the event that was passed in has changed"
    # Content parts in events of their own have one name in both dialects.
    part = {"type": "response.content_part.added", "part": {"type": "audio", "transcript": ""}}
    assert PREVIEW.server_to_wire(part)["part"]["type"] == "audio"


@given(st.dictionaries(st.text(max_size=8), st.none() | st.integers() | st.text(max_size=5), max_size=4))
def test_unknown_events_pass_unchanged(fields):
    event = {"future": fields, "type": "response.future.delta"}
    for dialect in (GA, PREVIEW):
        assert dialect.server_from_wire(event) == event
        assert dialect.client_to_wire(event) == event
