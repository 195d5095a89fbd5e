"""Other people's clients against `rt-notebook serve`: openai-python, in GA and in preview."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest
from openai_peer import Peer
from served import serving
from wire_client import WEATHER

from rt_notebook.core.audio import to_pcm

pytestmark = pytest.mark.speech
FAST_TURNS = {"type": "server_vad", "silence_duration_ms": 300}


@pytest.fixture(scope="module")
def served(speech):
    with serving() as ready:
        yield ready


@pytest.fixture(params=["ga", "preview"])
def peer(request):
    return Peer(request.param)


@pytest.fixture
def question(speech):
    """A spoken question, and the silence after it."""
    return to_pcm(np.concatenate([speech("What is the capital of France?"), np.zeros(24_000, np.float32)]))


def audio_of(talk, item_id):
    deltas = [e["delta"] for e in talk.all("response.output_audio.delta") if e["item_id"] == item_id]
    return b"".join(map(base64.b64decode, deltas))


@pytest.mark.conformance("rule/wire.spoken-turn", "rule/wire.strict-*", "rule/connection.any-model")
async def test_a_spoken_turn(served, peer, question):
    async with peer.connect(served) as talk:
        await talk.update(turn_detection=FAST_TURNS)
        speaking = asyncio.create_task(talk.say(question, pause_s=0.02))
        done = await talk.until("response.done")
        await speaking
    response = done["response"]
    assert response["status"] == "completed"
    assert "paris" in talk.said(response).lower()
    [heard] = talk.all("conversation.item.input_audio_transcription.completed")
    assert "capital of france" in heard["transcript"].lower()
    audio = audio_of(talk, response["output"][0]["id"])
    assert len(audio) > 24_000
    assert np.abs(np.frombuffer(audio, "<i2")).max() > 1000, "the reply is silent"
    assert talk.frames[0]["session"]["model"] == ("local" if peer.dialect == "ga" else "deployment")
    assert talk.problems() == []


@pytest.mark.conformance("rule/wire.typed-turn", "rule/wire.strict-*")
async def test_a_typed_turn(served, peer):
    async with peer.connect(served) as talk:
        await talk.update(text=True)
        await talk.write("What is the capital of France?")
        await talk.connection.response.create()
        done = await talk.until("response.done")
    assert "paris" in talk.said(done["response"]).lower()
    deltas = [frame["delta"] for frame in talk.all("response.output_text.delta")]
    assert "".join(deltas).strip() == talk.said(done["response"])
    assert talk.all("response.output_audio.delta") == []
    assert talk.problems() == []


ORDER = {"type": "message", "role": "system", "content": [{"type": "input_text", "text": "Greet the user."}]}


@pytest.mark.parametrize(
    ("items", "response"),
    [
        ([], {}),
        ([], {"instructions": "Greet the user."}),
        ([], {"conversation": "none", "input": []}),
        ([ORDER], {}),
    ],
    ids=["nothing", "instructions", "no-input", "a-system-item"],
)
async def test_an_answer_before_the_user_has_said_anything(served, peer, items, response):
    async with peer.connect(served) as talk:
        await talk.update(text=True)
        for item in items:
            await talk.connection.conversation.item.create(item=item)
        await talk.connection.response.create(response=response)
        done = await talk.until("response.done")
    assert done["response"]["status"] == "completed"
    assert re.search(r"\b(?:hello|hi|hey|welcome|help)\b", talk.said(done["response"]).lower())
    assert talk.problems() == []


@pytest.mark.conformance("rule/wire.tool-turn", "rule/wire.strict-*")
async def test_a_turn_with_a_function(served, peer):
    async with peer.connect(served) as talk:
        choice = peer.named_tool("get_weather")
        await talk.update(text=True, tools=[WEATHER], tool_choice=choice)
        await talk.write("What is the weather in London?")
        await talk.connection.response.create()
        done = await talk.until("response.done")
        [item] = done["response"]["output"]
        [call] = talk.all("response.function_call_arguments.done")
        assert isinstance(json.loads(call["arguments"])["city"], str)
        assert (item["type"], item["name"], item["call_id"]) == (
            "function_call",
            "get_weather",
            call["call_id"],
        )
        output = {"type": "function_call_output", "call_id": call["call_id"], "output": "12 degrees, foggy"}
        await talk.connection.conversation.item.create(item=output)
        await talk.connection.response.create(response={"tool_choice": "none"})
        done = await talk.until("response.done")
    answer = talk.said(done["response"]).lower()
    assert "12" in answer or "twelve" in answer or "fog" in answer, answer
    assert talk.problems() == []


@pytest.mark.conformance("rule/wire.interrupted-turn", "rule/wire.strict-*")
async def test_an_interrupted_turn(served, peer, question):
    async with peer.connect(served) as talk:
        await talk.update(turn_detection=FAST_TURNS)
        for _ in range(5):  # an answer may be complete before the interruption is heard: then ask again
            await talk.write("Tell me a long story about a king and his three sons.")
            await talk.connection.response.create()
            begun = await talk.until("response.output_audio.delta")
            await talk.say(question)
            done = await talk.until_done(begun["response_id"])
            if done["response"]["status"] == "cancelled":
                break
            await talk.until("response.done")  # the answer to what was to interrupt
        response = done["response"]
        assert response["status"] == "cancelled"
        assert response["status_details"]["reason"] == "turn_detected"
        assert response["output"][0]["status"] == "incomplete"
        heard_ms = 50
        assert len(audio_of(talk, begun["item_id"])) >= heard_ms * 48
        await talk.connection.conversation.item.truncate(
            item_id=begun["item_id"], content_index=0, audio_end_ms=heard_ms
        )
        cut = await talk.until("conversation.item.truncated")
        assert (cut["item_id"], cut["audio_end_ms"]) == (begun["item_id"], heard_ms)
        after = await talk.until("response.done")
    assert "paris" in talk.said(after["response"]).lower()
    late = [e for e in talk.frames[talk.frames.index(done) :] if e.get("response_id") == begun["response_id"]]
    assert late == [], "the cancelled response goes on"
    assert talk.problems() == []


@pytest.mark.conformance("rule/errors.no-event", "rule/connection.survives-errors")
async def test_frames_that_are_no_events_are_refused(served, peer):
    async with peer.connect(served) as talk:
        for frame in ("{", "[]", "7", "null", '{"no": "type"}', '{"type": 7}'):
            await talk.connection._connection.send(frame)
            error = await talk.until("error")
            assert error["error"]["code"] == "invalid_event"
        await talk.update(instructions="Be brief.")
    assert talk.problems() == []


def test_the_ready_line_says_everything(served):
    assert set(served) == {"realtime_url", "azure_endpoint", "api_key", "components"}
    assert set(served["components"]) == {"detect", "end_of_turn", "transcribe", "reply", "speak"}
    assert not any(part["fallback"] for part in served["components"].values())


@pytest.mark.parametrize(
    ("port", "told"),
    [
        (None, "Port {port} on 127.0.0.1 is in use."),
        ("80000", "cannot listen on 127.0.0.1:{port} (a port is a number from 0 to 65535). Use --host"),
    ],
    ids=["in use", "no port"],
)
def test_a_port_that_cannot_be_had_is_one_clear_sentence(served, port, told):
    port = port or served["azure_endpoint"].rpartition(":")[2]
    ended = subprocess.run(
        [sys.executable, "-m", "rt_notebook", "serve", "--port", port],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env=os.environ | {"PYTHONWARNINGS": "ignore"},
    )
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert told.format(port=port) in ended.stderr
    assert "Traceback" not in ended.stderr
