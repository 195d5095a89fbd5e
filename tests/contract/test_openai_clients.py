"""Other people's clients against `rt-notebook serve`: openai-python in GA and in preview."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from rt_notebook.core.audio import to_pcm

pytestmark = pytest.mark.speech
QUESTION = "What is the capital of France?"
FAST_TURNS = {"type": "server_vad", "silence_duration_ms": 300}


@pytest.fixture(scope="module")
def served(speech):
    process = subprocess.Popen(
        [sys.executable, "-m", "rt_notebook", "serve"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    line = process.stdout.readline()
    yield json.loads(line)
    process.send_signal(signal.SIGTERM)
    rest = process.stdout.read()
    assert process.wait(10) == 0
    assert rest == "", "stdout holds more than the one line"


async def spoken_turn(connection, speech):
    pcm = to_pcm(np.concatenate([speech(QUESTION), np.zeros(24_000, np.float32)]))
    types, said, audio = [], {}, b""

    async def speak():
        for start in range(0, len(pcm), 4800):
            await connection.input_audio_buffer.append(
                audio=base64.b64encode(pcm[start : start + 4800]).decode()
            )
            await asyncio.sleep(0.02)

    speaking = asyncio.create_task(speak())
    async with asyncio.timeout(90):
        async for event in connection:
            types.append(event.type)
            assert event.type != "error", event
            if event.type.endswith("transcription.completed"):
                said["user"] = event.transcript
            elif event.type.endswith("audio_transcript.done"):
                said["assistant"] = event.transcript
            elif event.type.endswith("audio.delta"):
                audio += base64.b64decode(event.delta)
            elif event.type == "response.done":
                assert event.response.status == "completed"
                break
    await speaking
    return types, said, audio


def check(types, said, audio):
    assert "capital of france" in said["user"].lower()
    assert "paris" in said["assistant"].lower()
    assert len(audio) > 24_000
    assert np.abs(np.frombuffer(audio, "<i2")).max() > 1000, "the reply is silent"
    assert types[0] == "session.created"


async def test_openai_python_ga(served, speech):
    from openai import AsyncOpenAI

    client = AsyncOpenAI(
        api_key=served["api_key"], websocket_base_url=served["realtime_url"].removesuffix("/realtime")
    )
    async with client.realtime.connect(model="local") as connection:
        await connection.session.update(
            session={
                "type": "realtime",
                "audio": {"input": {"transcription": {"model": "whisper-1"}, "turn_detection": FAST_TURNS}},
            }
        )
        types, said, audio = await spoken_turn(connection, speech)
    check(types, said, audio)
    assert "conversation.item.done" in types
    assert "response.output_audio.delta" in types


async def test_openai_python_preview_on_the_azure_path(served, speech):
    from openai import AsyncAzureOpenAI

    client = AsyncAzureOpenAI(
        azure_endpoint=served["azure_endpoint"],
        websocket_base_url=served["azure_endpoint"].replace("http", "ws") + "/openai",
        api_version="2024-10-01-preview",
        api_key=served["api_key"],
    )
    async with client.beta.realtime.connect(model="deployment") as connection:
        await connection.session.update(
            session={
                "modalities": ["text", "audio"],
                "input_audio_transcription": {"model": "whisper-1"},
                "turn_detection": FAST_TURNS,
            }
        )
        types, said, audio = await spoken_turn(connection, speech)
    check(types, said, audio)
    assert "conversation.item.created" in types
    assert "response.audio.delta" in types
    assert not [t for t in types if "output_audio" in t or t == "conversation.item.done"]


def test_the_ready_line_says_everything(served):
    assert set(served) == {"realtime_url", "azure_endpoint", "api_key", "components"}
    assert set(served["components"]) == {"detect", "end_of_turn", "transcribe", "reply", "speak"}
    assert not any(part["fallback"] for part in served["components"].values())


def test_a_port_in_use_is_one_clear_sentence(served):
    port = served["azure_endpoint"].rpartition(":")[2]
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
    assert f"Port {port} on 127.0.0.1 is in use." in ended.stderr
    assert "Traceback" not in ended.stderr
