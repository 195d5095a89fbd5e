"""Recorded sessions, replayed: the same log, folds, voice and widget."""

from __future__ import annotations

import json
import math
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from recorded_session import Ears, play

from rt_notebook.errors import BundleError, ConfigError, NoReplyError
from rt_notebook.io.bundle.recording import load
from rt_notebook.io.endpoints.endpoint import Endpoint
from rt_notebook.io.session.session import Session
from rt_notebook.log.segments import fold_segments

pytestmark = pytest.mark.speech


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
    from rt_notebook.widgets.playground.playground import Playground

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
