"""F5 and F6: a session that moves on before its time is over, and one that the endpoint puts to sleep."""

from __future__ import annotations

import asyncio

import pytest
from hosting import hosting
from survival import QUICK, TEXT, check_whole, endpoint_of, events, happens, lives, surviving

from rt_notebook.core.audio import to_pcm
from rt_notebook.core.config import ServerVad, SessionConfig
from rt_notebook.core.limits import SessionLimits
from rt_notebook.core.reconnect import ReconnectPolicy
from rt_notebook.errors import SessionClosedError
from rt_notebook.io.session import Session

EARLY = ReconnectPolicy(first_delay_s=0.01, rollover_before_s=3600 - 0.2)
"""Of a session of an hour, this leaves the first 0.2 s."""


async def test_it_moves_on_between_two_turns_and_loses_nothing():
    async with hosting(reply="rules") as server:
        session = Session(endpoint_of(server), TEXT, reconnect=EARLY)
        # Half of the time that is left is the soonest: an hour would make it wait for half an hour.
        server._session_s = 1.0
        await session.connect()
        assert (await session.ask("What is 1 plus 2?")).assistant == "That makes 3."
        server._session_s = 3600.0
        (expiring,) = [await happens(session, "local.expiring")]
        assert 0 < expiring.data["in_s"] <= 2
        gap = (await happens(session, "local.gap")).data
        assert (gap["cause"], gap["lost_samples"], gap["dropped_events"]) == ("planned", 0, 0)
        assert len(gap["restored_items"]) == 2
        assert gap["interrupted"] == []
        closed = events(session, "local.closed")[0].data
        assert (closed["by"], closed["expected"]) == ("local", True)
        assert session.state == "open"
        assert (await session.ask("What is 2 plus 2?")).assistant == "That makes 4."
        await session.close()
        assert len(lives(session.log)) == 2
        check_whole(session)


async def test_it_does_not_move_on_in_the_middle_of_a_turn():
    async with hosting(reply="rules", faults=["slow:delay_ms=300,connections=1"]) as server:
        server._session_s = 3.0
        policy = ReconnectPolicy(first_delay_s=0.01, rollover_before_s=2.9)
        session = Session(endpoint_of(server), TEXT, reconnect=policy)
        await session.connect()
        server._session_s = 3600.0
        asking = asyncio.ensure_future(_ask(session, "What is 1 plus 2?"))
        await happens(session, "local.expiring")
        turn = await asking
        assert turn.status == "completed"
        await happens(session, "local.gap")
        order = [e.type for e in session.log if e.type in {"local.expiring", "response.done", "local.closed"}]
        assert order in (
            ["local.expiring", "response.done", "local.closed"],
            ["response.done", "local.expiring", "local.closed"],
        )
        await session.close()
        check_whole(session)


async def _ask(session, text):
    return await session.ask(text)


async def test_audio_that_comes_while_it_moves_on_is_sent(speech):
    config = SessionConfig(turn_detection=ServerVad(silence_duration_ms=300))
    question = await asyncio.to_thread(lambda: to_pcm(speech("One two three.")))
    async with hosting(reply="echo") as server:
        session = Session(endpoint_of(server), config, reconnect=EARLY)
        server._session_s = 1.0
        await session.connect()
        server._session_s = 3600.0
        sent = asyncio.Event()
        loop = asyncio.get_running_loop()

        def speak(event):
            if event is not None and event.type == "local.connected":
                session.append_audio(question + bytes(48_000))
                loop.call_soon_threadsafe(sent.set)

        session.subscribe(speak)
        await sent.wait()
        await happens(session, "response.done")
        assert events(session, "local.gap")[0].data["lost_samples"] == 0
        second = lives(session.log)[1]
        assert sum(e.audio_samples for e in second if e.direction == "sent") == len(question) // 2 + 24_000
        await session.close()
        check_whole(session)


async def test_the_end_of_its_time_is_told_apart_from_a_loss():
    policy = ReconnectPolicy(first_delay_s=0.01, short_life_s=0)
    async with hosting(reply="rules") as server:
        session = Session(endpoint_of(server), TEXT, reconnect=policy)
        server._session_s = 0.5
        await session.connect()
        session._link.life.connection.expires_s = None  # as of an endpoint that does not say when
        server._session_s = 3600.0
        closed = (await happens(session, "local.closed")).data
        assert (closed["by"], closed["code"]) == ("expiry", 1001)
        await happens(session, "local.gap")
        assert (await session.ask("What is 1 plus 2?")).assistant == "That makes 3."
        await session.close()
        check_whole(session)


@pytest.mark.parametrize("waker", ["speech", "text"])
async def test_a_session_that_was_put_to_sleep_wakes_at_the_first_word(waker, speech):
    config = SessionConfig(turn_detection=ServerVad(silence_duration_ms=300))
    question = await asyncio.to_thread(lambda: to_pcm(speech("What is the capital of France?")))
    policy = ReconnectPolicy(first_delay_s=0.01, short_life_s=0)
    async with (
        hosting(reply="echo") as server,
        Session(endpoint_of(server), config, reconnect=policy) as session,
    ):
        (connection,) = server._connections.values()
        connection.leave(1000, "Nothing was said for 20 s.")
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
        check_whole(session)


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
