"""The client's half of the wire: any frame gives an event, audio stays beside it, unknown things are kept."""

from __future__ import annotations

import base64
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rt_notebook.core.dialects import DIALECTS, GA, PREVIEW
from rt_notebook.core.protocol import ClientProtocol
from rt_notebook.core.recorded_pcm import RecordedPcm

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
hostile = st.fixed_dictionaries(
    {
        "type": st.sampled_from(
            [
                "session.created",
                "session.updated",
                "response.created",
                "response.done",
                "response.output_audio.delta",
                "response.audio.delta",
                "conversation.item.created",
                "conversation.item.added",
                "error",
                "x",
            ]
        )
    },
    optional=dict.fromkeys(
        ["session", "response", "response_id", "item", "item_id", "delta", "transcript", "error"], json_values
    ),
)


@given(st.text() | st.binary() | hostile.map(json.dumps), st.sampled_from(["ga", "preview"]))
def test_no_frame_raises(frame, dialect):
    protocol = ClientProtocol(DIALECTS[dialect])
    event, audio = protocol.receive(frame, 1.0)
    assert event.t_s == 1.0
    assert event.type
    assert isinstance(audio, bytes)
    assert isinstance(protocol.audio_input, dict)
    assert all(isinstance(found, str | None) for found in (event.text, event.item_id, event.response_id))
    assert isinstance(event.known, bool)


AUDIO_FIELDS = st.fixed_dictionaries(
    {"type": st.sampled_from(["response.output_audio.delta", "response.audio.delta"])},
    optional={
        "event_id": st.text(max_size=3) | st.none(),
        "item_id": st.text(max_size=3) | st.integers(),
        "response_id": st.text(max_size=3),
        "output_index": st.integers() | st.floats(allow_nan=False) | st.booleans(),
        "delta": st.binary(max_size=9).map(lambda pcm: base64.b64encode(pcm).decode()) | json_values,
        "obfuscation": st.text(max_size=3),
        "brand_new": json_values,
    },
)


def is_base64(value):
    return isinstance(value, str) and len(value) % 4 == 0 and re.fullmatch("[A-Za-z0-9+/]*={0,2}", value)


@given(AUDIO_FIELDS, st.sampled_from(["ga", "preview"]))
def test_audio_goes_beside_an_event_that_keeps_all_its_other_fields(fields, dialect):
    protocol = ClientProtocol(DIALECTS[dialect])
    event, audio = protocol.receive(json.dumps(fields).encode(), 1.0)
    assert protocol.receive(json.dumps(fields), 1.0) == (event, audio)
    if event.type == "local.invalid_frame":
        assert not is_base64(fields.get("delta"))
        return
    wanted = {key: value for key, value in fields.items() if key not in {"type", "obfuscation"}}
    if event.type == "response.output_audio.delta":
        assert audio == base64.b64decode(wanted["delta"])
        if audio:
            del wanted["delta"]
    assert event.data == wanted | {"type": event.type}


def test_audio_is_taken_out_of_the_event():
    pcm = bytes(range(96)) * 10
    frame = {"type": "response.audio.delta", "item_id": "i", "delta": base64.b64encode(pcm).decode()}
    event, audio = ClientProtocol(PREVIEW).receive(json.dumps(frame), 0.5)
    assert audio == pcm
    assert event.type == "response.output_audio.delta"
    assert "delta" not in event.data
    assert event.audio_ms == 20.0
    assert event.level_dbfs is not None


def test_microphone_audio_goes_out_as_the_api_wants_it_and_stays_out_of_the_log():
    [(frame, event)] = ClientProtocol(GA).send_audio([b"\x01\x00" * 960], 2.0)
    sent = json.loads(frame)
    assert sent["type"] == "input_audio_buffer.append"
    assert base64.b64decode(sent["audio"]) == b"\x01\x00" * 960
    assert event.audio_samples == 960
    assert "audio" not in event.data


def test_an_unknown_event_is_kept_whole():
    frame = {"type": "response.hologram.delta", "beam": {"angle": 3}, "item_id": "i"}
    event, _ = ClientProtocol(GA).receive(json.dumps(frame), 0.0)
    assert event.data == frame
    assert not event.known


def test_the_active_response_is_that_of_the_default_conversation():
    protocol = ClientProtocol(GA)

    def receive(**event):
        protocol.receive(json.dumps(event), 0.0)

    receive(type="response.created", response={"id": "aside", "conversation_id": None})
    assert protocol.active_response_id is None
    receive(type="response.created", response={"id": "main", "conversation_id": "conv_1"})
    receive(type="response.done", response={"id": "aside"})
    assert protocol.active_response_id == "main"
    receive(type="response.done", response={"id": "main"})
    assert protocol.active_response_id is None


@pytest.mark.parametrize(
    "name", ["openai_spoken_turn", "azure_tool_call", "azure_transcription_failed", "openai_history_seeding"]
)
def test_real_sessions_are_understood_event_by_event(shared_data, name):
    protocol = ClientProtocol(GA)
    for line in (shared_data / "recordings" / f"{name}.jsonl").read_text().splitlines():
        record = json.loads(line)
        if record["dir"] == "received":
            event, _ = protocol.receive(json.dumps(record["data"]), 0.0)
            assert event.known, event.type
    assert protocol.session["audio"]["input"]["turn_detection"]["threshold"] == 0.5
    assert protocol.active_response_id is None


def test_a_real_preview_session_folds_into_the_same_vocabulary(shared_data):
    protocol = ClientProtocol(PREVIEW)
    text = (shared_data / "recordings" / "azure_voice_live_spoken_turn.jsonl").read_text()
    types = set()
    for line in text.splitlines():
        record = json.loads(line)
        if record["dir"] == "received":
            types.add(protocol.receive(json.dumps(record["data"]), 0.0)[0].type)
    assert {"conversation.item.added", "response.output_audio.delta", "response.done"} <= types
    assert protocol.session["audio"]["input"]["turn_detection"]["silence_duration_ms"] == 500


def test_audio_from_a_page_is_logged_with_its_times_and_sent_without() -> None:
    protocol = ClientProtocol(DIALECTS["ga"])
    chunks = [bytes(1920), RecordedPcm(bytes(1920), 5.0, 5.01, 0.9)]
    (plain_frame, plain), (frame, event) = protocol.send_audio(chunks, 1.0)
    assert frame == plain_frame
    assert b"envelope" not in frame
    assert event.data == plain.data | {"page_recorded_s": 5.0, "page_sent_s": 5.01, "arrived_s": 0.9}
    assert plain.data.keys() == {"type", "envelope"}
