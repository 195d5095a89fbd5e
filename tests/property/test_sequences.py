"""The engine and the codecs under whole sessions of legal and illegal events, in both dialects."""

from __future__ import annotations

import json
import os
from contextlib import suppress

import pytest
from client_events import Player, json_values, scripts
from engine_order import check_order
from hypothesis import given, settings
from hypothesis import strategies as st

from rt_notebook.core import wire_json
from rt_notebook.core.dialects import DIALECTS, NotInDialect
from rt_notebook.server.engine.abilities import Abilities

NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
SEQUENCES = 50_000 if NIGHTLY else 2_000
FRAMES = 50_000 if NIGHTLY else 500


@settings(max_examples=SEQUENCES)
@given(scripts, st.sampled_from(["ga", "preview"]), st.booleans())
@pytest.mark.conformance("rule/wire.any-sequence", "rule/wire.strict-*")
def test_whatever_is_sent_the_order_holds_and_every_event_is_right(script, dialect, needs_words):
    client = Player(dialect, abilities=Abilities(needs_words=needs_words)).play(script)
    check_order(client.driver.events)
    assert client.problems() == []
    keeper = check_order(client.finish_all().driver.events)
    assert keeper.open == [], "a response is never done"


@settings(max_examples=SEQUENCES // 20)
@given(scripts, st.sampled_from(["ga", "preview"]))
def test_a_session_repeats_itself(script, dialect):
    assert Player(dialect).play(script).wire == Player(dialect).play(script).wire


def encoded(value):
    return json.dumps(value).encode()


event_like = st.dictionaries(
    st.sampled_from(["session", "response", "item", "audio", "item_id", "delta", "part", "error", "usage"]),
    json_values
    | st.dictionaries(
        st.sampled_from(
            [
                *("type", "role", "content", "output", "audio", "input", "format", "voice", "modalities"),
                *("output_modalities", "turn_detection", "param", "message", "tools"),
            ]
        ),
        json_values,
        max_size=4,
    ),
    max_size=4,
)
kinds = st.sampled_from(
    [
        *("session.update", "transcription_session.update", "conversation.item.create", "response.create"),
        *("nonsense", "", "error", "response.done", "session.created", "conversation.item.done"),
    ]
)


@settings(max_examples=FRAMES)
@given(st.builds(lambda kind, fields: {"type": kind} | fields, kinds, event_like))
@pytest.mark.conformance("rule/wire.any-frames")
def test_a_codec_raises_nothing_but_its_own_refusal(event):
    before = wire_json.encode(event)
    for dialect in DIALECTS.values():
        with suppress(NotInDialect):
            assert isinstance(dialect.client_from_wire(event)["type"], str)
        assert isinstance(dialect.server_from_wire(event)["type"], str)
        assert wire_json.encode(event) == before, "the event that was passed in has been changed"


@settings(max_examples=FRAMES)
@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode) | json_values.map(encoded))
@pytest.mark.conformance("rule/wire.any-frames")
def test_a_frame_is_an_event_or_a_value_error(frame):
    try:
        event = wire_json.decode(frame)
    except ValueError:
        return
    assert isinstance(event["type"], str)
