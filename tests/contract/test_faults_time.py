"""F5 and F6: a session that moves on before its time is over, and one that the endpoint puts to sleep."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager

import pytest
from chaos_proxy import chaos
from hosting import hosting
from survival import QUICK, TEXT, check_whole, endpoint_of, events, happens, lives, surviving

from rt_notebook.core.audio import to_pcm
from rt_notebook.core.config import ServerVad, SessionConfig
from rt_notebook.core.limits import SessionLimits
from rt_notebook.core.reconnect import ReconnectPolicy
from rt_notebook.errors import SessionClosedError
from rt_notebook.io.session.session import Session


@asynccontextmanager
async def two_servers(session_s, config=TEXT, policy=QUICK, **options):
    """A session with a server that gives it so much time, and another server for what comes after it."""
    async with (
        hosting(reply="echo", api_key="k", session_minutes=session_s / 60, **options) as first,
        hosting(reply="rules", api_key="k") as second,
        chaos(first.port) as proxy,
    ):
        session = Session(endpoint_of(first, proxy.port), config, reconnect=policy)
        try:
            await session.connect()
            proxy.to_port = second.port
            yield session, first
        finally:
            await session.close()
        check_whole(session)


async def test_it_moves_on_between_two_turns_and_loses_nothing():
    async with two_servers(3.0) as (session, _):
        assert (await session.ask("One two three.")).status == "completed"
        expiring = await happens(session, "local.expiring")
        assert 0 < expiring.data["in_s"] <= 4
        gap = (await happens(session, "local.gap")).data
        assert (gap["cause"], gap["lost_samples"], gap["dropped_events"]) == ("planned", 0, 0)
        assert len(gap["restored_items"]) == 2
        assert gap["interrupted"] == []
        closed = events(session, "local.closed")[0].data
        assert (closed["by"], closed["expected"]) == ("local", True)
        assert session.state == "open"
        assert (await session.ask("What is 2 plus 2?")).assistant == "That makes 4."
        assert len(lives(session.log)) == 2


async def test_it_does_not_move_on_in_the_middle_of_a_turn():
    policy = ReconnectPolicy(first_delay_s=0.01, rollover_before_s=60)
    async with two_servers(6.0, policy=policy, faults=["slow:delay_ms=400"]) as (session, _):
        asking = asyncio.ensure_future(_ask(session, "One two three four five six seven eight nine ten."))
        await happens(session, "local.expiring")
        assert (await asking).status == "completed"
        await happens(session, "local.gap")
        shown = {"local.expiring", "response.done", "local.closed"}
        order = [event.type for event in session.log if event.type in shown]
        assert order == ["local.expiring", "response.done", "local.closed"]


async def _ask(session, text):
    return await session.ask(text)


async def test_audio_that_comes_while_it_moves_on_is_sent(speech):
    config = SessionConfig(turn_detection=ServerVad(silence_duration_ms=300))
    question = await asyncio.to_thread(lambda: to_pcm(speech("One two three.")))
    async with two_servers(2.0, config) as (session, _):

        def speak(event):
            if event is not None and event.type == "local.connected":
                session.append_audio(question + bytes(48_000))

        session.subscribe(speak)
        await happens(session, "response.done")
        assert events(session, "local.gap")[0].data["lost_samples"] == 0
        second = lives(session.log)[1]
        assert sum(e.audio_samples for e in second if e.direction == "sent") == len(question) // 2 + 24_000


async def test_the_end_of_its_time_is_told_apart_from_a_loss(monkeypatch):
    # This side's clock is so wrong that it cannot know when the time is over.
    monkeypatch.setattr("rt_notebook.io.connection.connection.unix_s", lambda: time.time() + 7200)
    policy = ReconnectPolicy(first_delay_s=0.01, short_life_s=0)
    async with two_servers(1.0, policy=policy) as (session, _):
        closed = (await happens(session, "local.closed")).data
        assert (closed["by"], closed["code"]) == ("expiry", 1001)
        await happens(session, "local.gap")
        assert (await session.ask("What is 1 plus 2?")).assistant == "That makes 3."
        assert not events(session, "local.expiring")


@pytest.mark.parametrize("waker", ["speech", "text"])
async def test_a_session_that_was_put_to_sleep_wakes_at_the_first_word(waker, speech):
    config = SessionConfig(turn_detection=ServerVad(silence_duration_ms=300))
    question = await asyncio.to_thread(lambda: to_pcm(speech("What is the capital of France?")))
    policy = ReconnectPolicy(first_delay_s=0.01, short_life_s=0)
    async with two_servers(3600.0, config, policy) as (session, server):
        await server.stop()
        await happens(session, "local.resting")
        assert session.state == "open"
        for _ in range(100):
            session.append_audio(bytes(1920))
        await asyncio.sleep(0.1)
        assert len(events(session, "local.connected")) == 1, "silence wakes nobody"
        if waker == "speech":
            for start in range(0, len(question), 1920):
                session.append_audio(question[start : start + 1920])
            session.append_audio(bytes(48_000))
        else:
            await session.send_text("Hello!")
        assert (await happens(session, "response.done")).data["response"]["status"] == "completed"
        gap = events(session, "local.gap")[0].data
        assert gap["lost_samples"] == 0
        if waker == "speech":
            sent = sum(e.audio_samples for e in lives(session.log)[1] if e.direction == "sent")
            assert sent >= len(question) // 2, "with its beginning, and a moment from before"


PRICES = {"input_text": 1.0, "output_text": 4.0}


@pytest.mark.parametrize(
    ("limits", "name"),
    [
        (SessionLimits(max_cost=1e-9, prices=PRICES), "max_cost"),
        (SessionLimits(max_minutes=0.02), "max_minutes"),
        (SessionLimits(idle_minutes=0.02), "idle_minutes"),
    ],
)
async def test_a_limit_ends_the_session(limits, name):
    async with surviving(limits=limits, policy=QUICK) as session:
        assert (await session.ask("What is 1 plus 2?")).assistant == "That makes 3."
        limit = (await happens(session, "local.limit")).data
        assert limit["limit"] == name
        closed = (await happens(session, "local.closed")).data
        assert (closed["by"], closed["reason"], closed["expected"]) == ("local", name, True)
        assert session.state == "closed"
        with pytest.raises(SessionClosedError, match="higher limit"):
            await session.send_text("Hello?")
        assert len(events(session, "local.connected")) == 1
