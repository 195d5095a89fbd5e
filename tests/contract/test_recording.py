"""Sessions with the real local server, written down, killed, loaded and replayed."""

from __future__ import annotations

import asyncio
import dataclasses
import gc
import json
import math
import os
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from recorded_session import CONFIG, ECHO, play
from scripted_endpoint import scripted

from rt_notebook.core.config import SessionConfig
from rt_notebook.errors import BundleError, ConfigError, NoReplyError, SessionClosedError
from rt_notebook.io.audio.speakers import SilentSpeaker
from rt_notebook.io.bundle.recording import load
from rt_notebook.io.endpoints.endpoint import Endpoint
from rt_notebook.io.secrets.secret import Secret
from rt_notebook.io.session.session import Session
from rt_notebook.log.segments import fold_segments

pytestmark = pytest.mark.speech


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


async def test_a_session_that_is_let_go_before_it_connects_leaves_a_bundle(tmp_path):
    session = Session(ECHO)
    path = await session.record(tmp_path / "early.rtlog", purpose="a test")
    finished = session._recorder.finished
    del session
    gc.collect()
    assert await asyncio.wait_for(asyncio.wrap_future(finished), 60) == path
    assert [file.name for file in tmp_path.iterdir()] == ["early.rtlog"]


@pytest.mark.parametrize("old", ["held", "let go"])
async def test_a_cell_that_is_run_again_records_anew_and_the_old_session_takes_nothing(tmp_path, old):
    path = tmp_path / "again.rtlog"

    async def cell():
        session = await Session(ECHO, CONFIG).connect()
        await session.record(path, purpose="a test", overwrite=True)
        return session

    def said():
        return [turn.user for turn in load(path).log.fold_turns()]

    session = await cell()
    await session.ask("One.")
    before, session = (session if old == "held" else None), await cell()
    assert said() == ["One."]
    gc.collect()
    await session.ask("Two.")
    if before is not None:
        assert before.recording is None
        assert "another session" in before.log.errors()["message"].iloc[-1]
        assert await before.stop_recording() == path
        await before.close()
    assert await session.stop_recording() == path
    assert said() == ["Two."]
    assert [file.name for file in tmp_path.iterdir()] == ["again.rtlog"]
    await session.close()


async def test_one_person_is_one_name(tmp_path):
    for number, who in enumerate(("Anna", ["Anna"], ("Anna", "Ben"))):
        session = Session(ECHO, CONFIG)
        path = await session.record(tmp_path / f"{number}.rtlog", purpose="a test", who=who)
        await session.close()
        assert load(path).manifest.who == (("Anna",) if number < 2 else ("Anna", "Ben"))


async def test_a_recording_that_is_stopped_at_once_is_stopped(tmp_path):
    async with scripted() as (session, _):
        await session.connect()
        recording = session.record(tmp_path / "a.rtlog", purpose="a test")
        stopped = session.stop_recording()
        again = session.record(tmp_path / "b.rtlog", purpose="a test")
        assert (await recording, await stopped) == (tmp_path / "a.rtlog", tmp_path / "a.rtlog")
        assert await again == session.recording == tmp_path / "b.rtlog"
        assert await session.stop_recording() == tmp_path / "b.rtlog"
        assert session.recording is None
        await session.ask("Is this heard?")
    assert "Is this heard?" not in str([list(load(tmp_path / name).log) for name in ("a.rtlog", "b.rtlog")])
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("stop", [True, False])
async def test_a_session_that_is_closed_at_once_leaves_a_whole_bundle(stop, tmp_path):
    async with scripted() as (session, _):
        await session.connect()
        recording = session.record(tmp_path / "a.rtlog", purpose="a test")
        stopped = session.stop_recording() if stop else None
        await session.close()
        assert await recording == tmp_path / "a.rtlog"
        assert stopped is None or await stopped == tmp_path / "a.rtlog"
        assert await session.stop_recording() == tmp_path / "a.rtlog"
    assert [path.name for path in tmp_path.iterdir()] == ["a.rtlog"]
    assert "session.created" in [event.type for event in load(tmp_path / "a.rtlog").log]


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


async def test_a_reconnected_session_is_recorded_and_replayed_as_one(tmp_path, speech):
    path = tmp_path / "dropped.rtlog"
    session = Session(Endpoint.local(reply="echo", faults=["drop:connections=1"]), CONFIG)
    await session.record(path, purpose="a test")
    await session.connect()
    with pytest.raises((NoReplyError, SessionClosedError), match="connection was lost"):
        await session.ask(speech("What is the capital of France?"))
    turn = await session.ask(speech("What is the capital of Italy?"))
    await session.close()
    recording = load(path)
    assert list(recording.log) == list(session.log)
    assert [e.data["generation"] for e in recording.log if e.type == "local.connected"] == [1, 2]
    # The second connection counts from its own begin: the item is cut at the right place all the same.
    sent = [(e.audio_samples, e.t_s) for e in session.log if e.audio_samples and e.direction == "sent"]
    again_s = next(e.t_s for e in session.log if e.type == "session.created" and e.t_s > sent[0][1])
    start, stop = recording.index.user_items[turn.user_item_id]
    assert recording.index.connections == [0, sum(n for n, t_s in sent if t_s < again_s)]
    assert start >= recording.index.connections[1]
    assert np.abs(recording.user_audio[start:stop]).max() > 0.05
    replay = Session(Endpoint.replay(recording, speed=math.inf))
    await play(replay)
    await replay.close()
    assert list(replay.log) == list(session.log)
    assert fold_segments(replay.log) == fold_segments(session.log)
