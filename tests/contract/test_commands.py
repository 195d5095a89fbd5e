"""The command line as a person types it: talk on real recordings, serve and its end, clear refusals."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys

import numpy as np
import pytest
import soundfile

pytestmark = pytest.mark.speech

SPOKEN = {
    "human_0870_16k.wav": "and mister john dashwood had then leisure to consider how much there might be "
    "prudently in his power to do for them",
    "human_0880_16k.wav": "he was not an ill disposed young man",
    "human_0930_16k.wav": "he might even have been made amiable himself",
}
OTHERS = ["question_tts_22k.wav", "weather_alaw_8k.wav", "whats_the_weather_24k.wav"]


def rt_notebook(*arguments, timeout=240):
    return subprocess.run(
        [sys.executable, "-m", "rt_notebook", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout,
    )


def words(text):
    return re.sub(r"[^a-z' ]", " ", text.lower().replace("mr.", "mister").replace("-", " ")).split()


def errors(reference, hypothesis):
    """Word errors: the edit distance of two lists of words."""
    row = list(range(len(hypothesis) + 1))
    for i, expected in enumerate(reference, 1):
        before, row[0] = row[0], i
        for j, found in enumerate(hypothesis, 1):
            cost = min(row[j] + 1, row[j - 1] + 1, before + (expected != found))
            before, row[j] = row[j], cost
    return row[-1]


def test_talk_hears_and_answers_every_recording(speech, shared_data, tmp_path):
    folder = shared_data / "speech"
    reply = tmp_path / "reply.wav"
    files = [folder / name for name in (*SPOKEN, *OTHERS)]
    ended = rt_notebook("talk", *files, "--json", "--reply-wav", reply)
    assert ended.returncode == 0, ended.stderr
    turns = [json.loads(line) for line in ended.stdout.splitlines()]
    assert [turn["file"] for turn in turns] == [file.name for file in files]
    heard = {turn["file"]: turn for turn in turns}
    wrong = sum(errors(words(text), words(heard[name]["user"])) for name, text in SPOKEN.items())
    assert wrong / sum(len(words(text)) for text in SPOKEN.values()) <= 0.15
    assert "san francisco" in heard["whats_the_weather_24k.wav"]["user"].lower()
    for turn in turns:
        assert turn["user"]
        assert turn["assistant"]
        assert turn["status"] == "completed"
        assert turn["total_ms"] > 0
    samples, rate_hz = soundfile.read(reply)
    assert rate_hz == 24_000
    assert samples.size == pytest.approx(
        sum(turn["reply_audio_ms"] for turn in turns) * 24, abs=24 * len(turns)
    )
    assert np.abs(samples).max() > 0.05


def test_talk_on_its_own_voice_at_another_rate(speech, tmp_path):
    question = tmp_path / "question.flac"
    soundfile.write(question, speech("What is the capital of France?")[::2], 12_000)
    ended = rt_notebook("talk", question)
    assert ended.returncode == 0, ended.stderr
    assert "capital of france" in ended.stdout.lower()
    assert "Assistant:" in ended.stdout


@pytest.mark.parametrize(
    ("arguments", "words_"),
    [
        (["talk", "nowhere.wav"], "There is no file"),
        (["talk", __file__], "cannot be read as audio"),
        (["talk", "VOICE", "--endpoint", "https://example.com"], "a WebSocket is meant"),
        (["talk", "VOICE", "--endpoint", "mars"], "no endpoint 'mars'"),
        (["talk", "VOICE", "--threshold", "3"], "threshold=3.0 is out of range"),
    ],
)
def test_bad_input_is_one_clear_sentence(speech, tmp_path, arguments, words_):
    voice = tmp_path / "voice.wav"
    soundfile.write(voice, speech("Hello."), 24_000)
    ended = rt_notebook(*[voice if argument == "VOICE" else argument for argument in arguments])
    assert ended.returncode == 1
    assert words_ in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert "Traceback" not in ended.stderr
    assert ended.stdout == ""


def test_serve_ends_cleanly_while_it_loads(speech):
    process = subprocess.Popen(
        [sys.executable, "-X", "importtime", "-m", "rt_notebook", "serve"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    # The import of a component's library shows that loading has begun.
    for line in process.stderr:
        if line.rstrip().endswith("onnxruntime"):
            break
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    assert process.stdout.read() == ""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serve_ends_cleanly_in_the_middle_of_an_answer(speech, number):
    import websockets.sync.client

    process = subprocess.Popen(
        [sys.executable, "-m", "rt_notebook", "serve"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    ready = json.loads(process.stdout.readline())
    headers = {"Authorization": f"Bearer {ready['api_key']}"}
    with websockets.sync.client.connect(ready["realtime_url"], additional_headers=headers) as socket:
        content = [{"type": "input_text", "text": "Why is the sky blue?"}]
        item = {"type": "message", "role": "user", "content": content}
        socket.send(json.dumps({"type": "conversation.item.create", "item": item}))
        socket.send(json.dumps({"type": "response.create"}))
        while json.loads(socket.recv(timeout=30))["type"] != "response.created":
            pass
        process.send_signal(number)
        assert process.wait(10) == 0
    assert "Traceback" not in process.stderr.read()
