"""Hours of conversation: nothing is lost, and memory holds still but for the log.

Six minutes in every run, two hours in `make nightly`. Nothing waits for a clock: it runs as fast as it can.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import tracemalloc

import numpy as np
import pytest
from hosting import until_true
from long_talk import ANSWERED_S, CHUNK_MS, INTERRUPTED_EVERY, SPOKEN_S, Ear, Track, talking

from rt_notebook import Endpoint, Session, load
from rt_notebook.core.audio import BYTES_PER_SAMPLE, SAMPLE_RATE_HZ
from rt_notebook.core.reconnect import ReconnectPolicy
from rt_notebook.io.audio.reply_audio import ReplyAudio

MINUTES = 120 if os.environ.get("HYPOTHESIS_PROFILE") == "nightly" else 6
TURNS = round(60 * MINUTES / (SPOKEN_S + ANSWERED_S))
TIMEOUT_S = 60
SHARE = 0.1
"""Memory may grow by this much of the audio that went by: one direction of it is three times as much."""

PATIENT = ReconnectPolicy(silence_s=60, idle_silence_s=60, ping_s=60)
"""Endpoint and session share a processor here: neither is dead because the other works."""


def size_of(log):
    """Bytes that the log itself holds: its columns and the payload of every event."""
    store, seen = log._store, set()
    columns = (store.t_s, store.level_dbfs, store.audio_samples, store.kinds, store.data)
    return sum(map(sys.getsizeof, columns)) + sum(_deep(data, seen) for data in store.data)


def _deep(value, seen):
    if id(value) in seen:
        return 0
    seen.add(id(value))
    inner = [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else ()
    return sys.getsizeof(value) + sum(_deep(entry, seen) for entry in inner)


def held(log):
    """Bytes that this process holds beside the log."""
    gc.collect()
    return tracemalloc.get_traced_memory()[0] - size_of(log)


async def held_at_rest(session):
    """As `held`, when all that waited for the disk is written. In a thread: the endpoint shares this loop.

    The recorder lets go of what it has just written a moment after it has counted it, hence two looks.
    """
    await until_true(lambda: session._recorder._events == len(session.log))
    return min([await asyncio.to_thread(held, session.log) for _ in range(2)])


@pytest.mark.timeout(3600)
async def test_nothing_is_lost_and_memory_holds_still(tmp_path):
    spoken, arrived = Track(), Track()
    tracemalloc.start()
    try:
        async with talking() as (talker, url):
            session = Session(Endpoint.url(url), speaker=Ear(), reconnect=PATIENT)
            # What is kept of the voice on purpose is full before the first look.
            session._link.player.audio = ReplyAudio(keep_s=TURNS * ANSWERED_S / 20)
            await session.record(tmp_path / "long.rtlog", purpose="a test")
            await session.connect()
            answered, loop = asyncio.Event(), asyncio.get_running_loop()
            session.subscribe(
                lambda event: (
                    loop.call_soon_threadsafe(answered.set)
                    if event is not None and event.type == "response.done"
                    else None
                )
            )
            before = 0
            for turn in range(1, TURNS + 1):
                answered.clear()
                for _ in range(round(SPOKEN_S * 1000 / CHUNK_MS)):
                    session.append_audio(spoken.make(CHUNK_MS))
                await asyncio.wait_for(answered.wait(), TIMEOUT_S)
                arrived.take(session._link.player.audio.get(f"item_{turn:021d}"))
                if turn == TURNS // 10:
                    before = await held_at_rest(session)
                    went_by = spoken.samples + arrived.samples
            grown = await held_at_rest(session) - before
            went_by = (spoken.samples + arrived.samples - went_by) * BYTES_PER_SAMPLE
            await session.close()
            await until_true(lambda: talker.truncated == TURNS // INTERRUPTED_EVERY)
    finally:
        tracemalloc.stop()
    assert grown < SHARE * went_by, f"{grown / 1e6:.1f} MB more, of {went_by / 1e6:.1f} MB that went by"
    assert talker.turns == TURNS
    assert talker.heard.told == spoken.told
    assert arrived.told == talker.said.told
    assert spoken.samples == TURNS * SPOKEN_S * SAMPLE_RATE_HZ
    check_log(session.log)
    check_recording(load(tmp_path / "long.rtlog"), session, talker)


def check_log(log):
    turns = log.fold_turns()
    assert [turn.user for turn in turns if turn.user] == [f"input {n}" for n in range(1, TURNS + 1)]
    assert [turn.assistant for turn in turns if turn.assistant] == [
        f"answer {n}" for n in range(1, TURNS + 1)
    ]
    assert sum(turn.interrupted for turn in turns) == TURNS // INTERRUPTED_EVERY
    assert log.errors().empty
    assert log.glitches().empty
    sent = log.to_pandas().query("type == 'input_audio_buffer.append'")
    assert len(sent) == TURNS * SPOKEN_S * 1000 / CHUNK_MS


def check_recording(recording, session, talker):
    assert [event.type for event in recording.log] == [event.type for event in session.log]
    for track, told in (
        (recording.user_audio, talker.heard.told),
        (recording.assistant_audio, talker.said.told),
    ):
        read, minute = Track(), 60 * SAMPLE_RATE_HZ
        for start in range(0, len(track), minute):
            read.take(np.rint(track[start : start + minute] * 32768).astype("<i2").tobytes())
        assert read.told == told
