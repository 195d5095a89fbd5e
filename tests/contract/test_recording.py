"""Sessions with the real local server, written down, killed, loaded and replayed."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import math
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from rt_notebook.core.config import ServerVad, SessionConfig
from rt_notebook.errors import BundleError, ConfigError, NoReplyError
from rt_notebook.io.bundle import load
from rt_notebook.io.endpoints import Endpoint
from rt_notebook.io.secret import Secret
from rt_notebook.io.session import Session
from rt_notebook.io.speakers import SilentSpeaker
from rt_notebook.log.segments import fold_segments

pytestmark = pytest.mark.speech

CONFIG = SessionConfig(turn_detection=ServerVad(silence_duration_ms=300))
ECHO = Endpoint.local(reply="echo")


class Ears:
    """A speaker that keeps what it is given, beside counting it."""

    def __init__(self):
        self.speaker = SilentSpeaker()
        self.heard = []

    def play(self, item_id, pcm):
        self.heard.append(pcm)
        self.speaker.play(item_id, pcm)

    def __getattr__(self, name):
        return getattr(self.speaker, name)


async def conversation(path, question, speaker):
    """A spoken turn, cut short by a typed one. Returns the session and the exact audio that was received."""
    session = Session(ECHO, CONFIG, speaker=speaker)
    await session.record(path, purpose="a test", who=["a tester"])
    await session.connect()
    await session.ask(question)
    await session.ask("Stop. What else?")
    await session.close()
    return session


@pytest.fixture(scope="module")
def recorded(speech, tmp_path_factory):
    """A recorded session with an interruption, and what its speaker was given."""
    ears = Ears()
    path = tmp_path_factory.mktemp("recorded") / "demo.rtlog"
    session = asyncio.run(conversation(path, speech("What is the capital of France?"), ears))
    return session, path, b"".join(ears.heard)


def test_the_bundle_is_the_session(recorded, speech):
    session, path, _ = recorded
    recording = load(path)
    assert [file.name for file in path.parent.iterdir()] == ["demo.rtlog"]
    assert list(recording.log) == list(session.log)
    assert recording.log[0].type == "local.recording"
    assert recording.log[-1].type == "local.closed"
    assert recording.log.turns().equals(session.log.turns())
    assert recording.manifest.who == ("a tester",)
    assert recording.manifest.endpoint == "LOCAL"
    assert set(recording.manifest.components) >= {"detect", "transcribe", "reply", "speak"}
    assert recording.manifest.began_at < recording.manifest.ended_at
    for turn in session.log.fold_turns():
        if turn.assistant_item_id is not None and turn.audio_ms:
            whole = session.reply_audio(turn.assistant_item_id)
            assert np.array_equal(recording.item_audio(turn.assistant_item_id), whole)
            heard = recording.item_audio(turn.assistant_item_id, heard=True)
            assert heard.size == round(turn.heard_ms * 24)


def test_the_microphones_track_is_what_was_sent(recorded, speech):
    _, path, _ = recorded
    recording = load(path)
    question = np.frombuffer(_pcm(speech("What is the capital of France?")), "<i2")
    sent = np.frombuffer(recording.user_audio.pcm(), "<i2")
    assert np.array_equal(sent[: question.size], question)
    assert not sent[question.size :].any()
    # The endpoint's positions lie in it: the speech is loud, and what is before it is not.
    turn = recording.log.fold_turns()[0]
    start, stop = recording.index.user_items[turn.user_item_id]
    assert np.abs(recording.user_audio[start:stop]).max() > 0.05
    stopped = next(event for event in recording.log if event.type == "input_audio_buffer.speech_stopped")
    silence = recording.user_audio[stop - 200 * 24 : stop]
    assert stop == stopped.data["audio_end_ms"] * 24
    assert np.abs(silence).max() < 0.02


def _pcm(samples):
    from rt_notebook.core.audio import to_pcm

    return to_pcm(samples)


async def test_nothing_is_written_unless_asked(tmp_path, monkeypatch, speech):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    async with Session(ECHO, CONFIG, speaker=SilentSpeaker()) as session:
        await session.ask(speech("What is the capital of France?"))
        assert session.recording is None
        assert await session.stop_recording() is None
    assert await session.stop_recording() is None
    assert list(tmp_path.rglob("*")) == []


async def test_recording_from_the_middle_holds_no_word_from_before(tmp_path):
    path = tmp_path / "late.rtlog"
    async with Session(ECHO, CONFIG) as session:
        await session.ask("The secret word is songbird.")
        assert await session.record(path, purpose="a test") == path
        assert session.recording == path
        with pytest.raises(BundleError, match="already"):
            await session.record(tmp_path / "other.rtlog", purpose="a test")
        await session.ask("And this is no secret.")
        assert await session.stop_recording() == path
        assert session.recording is None
        await session.ask("This is not recorded.")
    recording = load(path)
    said = " ".join(str(text) for text in recording.log.transcript().text)
    assert "this is no secret" in said.lower()
    assert "songbird" not in json.dumps([event.data for event in recording.log])
    assert "not recorded" not in said.lower()
    assert [e.type for e in recording.log] == [e.type for e in session.log][: len(recording.log)]
    assert recording.log[-1].data["state"] == "stopped"
    assert 0 < recording.manifest.from_s < recording.log[-1].t_s
    assert len(recording.assistant_audio) == recording.index.samples["assistant"]


async def test_a_refused_path_is_told_and_the_session_goes_on(tmp_path):
    async with Session(ECHO, CONFIG) as session:
        with pytest.raises(BundleError):
            await session.record(tmp_path / "nowhere" / "a.rtlog", purpose="a test")
        with pytest.raises(ConfigError):
            await session.record("a\0b", purpose="a test")
        assert (await session.ask("Hello.")).status == "completed"


async def test_a_key_in_the_conversation_is_not_in_the_bundle(tmp_path):
    key = "canary-4711-do-not-show"
    path = tmp_path / "a.rtlog"
    endpoint = dataclasses.replace(ECHO, _key=Secret(key))
    session = Session(endpoint, SessionConfig(instructions=f"Use {key}."))
    await session.record(path, purpose="a test")
    await session.connect()
    part = path.with_name("a.rtlog.part")
    await session.ask(f"My key is {key}, do you hear?")
    async with asyncio.timeout(30):
        while b"do you hear" not in (part / "events.jsonl").read_bytes():  # noqa: ASYNC110 - a file
            await asyncio.sleep(0.05)
    assert key.encode() not in b"".join(file.read_bytes() for file in part.iterdir())
    await session.close()
    recording = load(path)
    assert recording.manifest.masked >= 3
    assert key not in json.dumps([event.data for event in recording.log])


PROGRAM = """
    import sys, time
    from rt_notebook import Endpoint, Session
    from rt_notebook.core.events import Event

    sent = 0
    session = Session(Endpoint.local(reply="echo"))
    session.record_blocking(sys.argv[1], purpose="a test")
    session.connect_blocking()

    def tell(event):
        global sent
        if event is not None and event.direction == "sent" and event.audio_samples:
            sent += event.audio_samples
            print(sent, flush=True)

    session.subscribe(tell)
    {then}
"""
FOREVER = "session.speak_blocking([0.001 * (i % 100) for i in range(24_000 * 60)])"


def running(path, then):
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(PROGRAM).replace("{then}", then), str(path)],
        stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip


def test_a_killed_kernel_loses_less_than_a_second(tmp_path):
    path = tmp_path / "killed.rtlog"
    process = running(path, FOREVER)
    sent = 0
    for line in process.stdout:
        sent = int(line)
        if sent >= 24_000 * 3:
            break
    process.send_signal(signal.SIGKILL)
    sent = max([sent, *(int(line) for line in process.stdout if line.endswith("\n"))])
    process.wait()
    assert not path.exists()
    recording = load(path)
    assert recording.recovered
    assert "killed" in repr(recording)
    assert "killed" in recording._repr_html_()
    assert sent - 24_000 < len(recording.user_audio) <= sent
    assert recording.index.samples["user"] == len(recording.user_audio)
    assert recording.log[0].type == "local.recording"
    saved = load(recording.save(path))
    assert list(saved.log) == list(recording.log)
    assert saved.user_audio.pcm() == recording.user_audio.pcm()
    assert "killed" in repr(saved)
    saved.purge()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("then", ["session.send_text_blocking('Hello.')", "del session"])
def test_an_interpreter_that_just_ends_has_packed_its_recording(tmp_path, then):
    path = tmp_path / "ended.rtlog"
    process = running(path, then)
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert [file.name for file in tmp_path.iterdir()] == ["ended.rtlog"]
    assert load(path).log[1].type == "local.connected"


# -- replay -----------------------------------------------------------------------------------------------


async def play(session):
    """Connect, and wait for the end of the replay."""
    loop, over = asyncio.get_running_loop(), asyncio.Event()
    session.subscribe(lambda event: loop.call_soon_threadsafe(over.set) if event is None else None)
    await session.connect()
    async with asyncio.timeout(60):
        await over.wait()


@pytest.mark.parametrize("speed", [math.inf, 20.0])
async def test_a_replay_is_the_session_again(recorded, tmp_path, speed):
    original, path, _ = recorded
    session = Session(Endpoint.replay(path, speed=speed))
    followed = []
    session.subscribe(followed.append)
    await play(session)
    assert list(session.log) == list(original.log)
    assert followed == [*original.log, None]
    assert fold_segments(session.log) == fold_segments(original.log)
    for fold in ("turns", "latency", "transcript", "to_pandas"):
        assert getattr(session.log, fold)().equals(getattr(original.log, fold)())
    for turn in original.log.fold_turns():
        if turn.assistant_item_id:
            again, before = (s.reply_audio(turn.assistant_item_id) for s in (session, original))
            assert np.array_equal(again, before)
    assert session.info == original.info
    await session.close()


async def test_a_replay_can_be_recorded_and_is_the_same_again(recorded, tmp_path):
    original, path, _ = recorded
    session = Session(Endpoint.replay(path, speed=math.inf))
    await session.record(tmp_path / "again.rtlog", purpose="a copy")
    await play(session)
    await session.close()
    again = load(tmp_path / "again.rtlog")
    assert list(again.log)[1:] == list(original.log)
    assert again.user_audio.pcm() == load(path).user_audio.pcm()
    assert again.assistant_audio.pcm() == load(path).assistant_audio.pcm()


async def test_at_its_own_pace_the_voice_is_played_again(recorded):
    original, path, played = recorded
    ears = Ears()
    session = Session(Endpoint.replay(path), speaker=ears)
    await play(session)
    await session.close()
    assert b"".join(ears.heard) == played
    assert list(session.log) == list(original.log)


async def test_without_audio_lengths_and_levels_are_replayed(recorded):
    original, path, _ = recorded
    redacted = load(path).redact()
    session = Session(Endpoint.replay(redacted, speed=math.inf))
    await play(session)
    await session.close()
    assert list(session.log) == list(redacted.log)
    assert [e.level_dbfs for e in session.log] == [e.level_dbfs for e in original.log]


async def test_what_is_sent_into_a_replay_is_ignored_and_said(recorded):
    original, path, _ = recorded
    session = Session(Endpoint.replay(path))
    await session.connect()
    for _ in range(3):
        session.append_audio(bytes(1920))
    for wanted in (session.ask("Hello?"), session.update(voice="verse"), session.send_text("Hello?")):
        with pytest.raises(NoReplyError, match="replay"):
            await wanted
    await session.close()
    ignored = [event for event in session.log if event.type == "local.replay_ignored"]
    assert [event.data["ignored"] for event in ignored] == ["input_audio_buffer.append", *["request"] * 3]
    rest = [event for event in session.log if event.type != "local.replay_ignored"]
    assert rest == list(original.log)[: len(rest)]


async def test_after_its_end_a_replay_says_so(recorded):
    session = Session(Endpoint.replay(recorded[1], speed=math.inf))
    await play(session)
    assert session.state == "closed"
    with pytest.raises(NoReplyError, match="over"):
        await session.ask("Hello?")
    await session.close()


def test_an_endpoint_that_cannot_be_replayed_is_refused_in_the_cell(tmp_path, recorded):
    with pytest.raises(BundleError):
        Endpoint.replay(tmp_path / "none.rtlog")
    for speed in (0, -1, math.nan):
        with pytest.raises(ConfigError, match="speed"):
            Endpoint.replay(recorded[1], speed=speed)


def test_the_playground_shows_a_replay(recorded):
    from rt_notebook.widgets.playground import Playground

    original, path, _ = recorded
    playground = Playground(Endpoint.replay(path, speed=math.inf))
    try:
        assert playground.endpoint_label == "Replay of demo.rtlog"
        playground._ensure_session().result(30)
        for _ in range(600):
            if playground.phase == "closed":
                break
            signal.sigtimedwait([], 0.05)
        assert list(playground.log) == list(original.log)
        assert playground.phase == "closed"
    finally:
        playground.close()


def test_the_command_prints_the_conversation(recorded):
    original, path, _ = recorded

    def run(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "rt_notebook", "replay", *map(str, arguments)],
            capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip

    ended = run(path, "--speed", "inf", "--json")
    assert ended.returncode == 0, ended.stderr
    turns = original.log.fold_turns()
    printed = [json.loads(line) for line in ended.stdout.splitlines()]
    assert [turn["user"] for turn in printed] == [turn.user for turn in turns]
    assert [turn["assistant"] for turn in printed] == [turn.assistant for turn in turns]
    assert printed[0]["total_ms"] > 0
    ended = run(path, "--speed", "inf")
    assert f"You:       {turns[0].user}" in ended.stdout
    assert "a test" in ended.stderr
    broken = path.with_name("broken.rtlog")
    broken.write_bytes(path.read_bytes()[:-1])
    ended = run(broken)
    broken.unlink()
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.count("\n") == 1
    assert Path(path).exists()
