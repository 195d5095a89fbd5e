"""Operations that overlap: updates in flight, a close while something is awaited, a late connect."""

from __future__ import annotations

import asyncio
import threading

import numpy as np
import pytest
from hosting import until_true
from scripted_endpoint import scripted
from survival import events, happens

from rt_notebook.core.limits import SessionLimits
from rt_notebook.errors import ConfigError, ServerError, SessionClosedError

TIMEOUT_S = 60

# -- updates -------------------------------------------------------------------------------------------


def merged(peer):
    """What the endpoint was told of its session, all in all."""
    whole = {}
    for event in peer.received:
        if event["type"] == "session.update":
            for side, settings in event["session"].get("audio", {}).items():
                whole.setdefault(side, {}).update(settings)
    return whole


async def test_updates_in_flight_lose_none_of_each_other():
    async with scripted() as (session, peers):
        await session.connect()
        first, second = session.update(threshold=0.7), session.update(voice="verse")
        third = session.update(silence_duration_ms=700)
        for update in (first, second, third):
            await update
        detection = session.config.turn_detection
        assert (detection.threshold, detection.silence_duration_ms, session.config.voice) == (
            0.7,
            700,
            "verse",
        )
        told = merged(peers[0])
        assert told["input"]["turn_detection"] == detection.to_wire()
        assert told["output"]["voice"] == "verse"


async def test_a_refused_update_is_told_to_whoever_asked_for_it():
    async def script(peer, event):
        if event is not None and event.get("session", {}).get("audio", {}).get("output") == {
            "voice": "verse"
        }:
            error = {"type": "invalid_request_error", "code": "no", "event_id": event["event_id"]}
            await peer.say("error", error=error | {"message": "no"})
        else:
            await peer.usual(event)

    async with scripted(script) as (session, _):
        await session.connect()
        first, refused, last = (
            session.update(**c) for c in ({"threshold": 0.7}, {"voice": "verse"}, {"threshold": 0.8})
        )
        await first
        with pytest.raises(ServerError):
            await refused
        await last
        assert session.config.voice == "alloy"
        assert session.config.turn_detection.threshold == 0.8


async def test_an_update_that_another_makes_impossible_is_refused():
    async with scripted() as (session, _):
        await session.connect()
        off, late = session.update(turn_detection=None), session.update(threshold=0.7)
        await off
        with pytest.raises(ConfigError):
            await late
        with pytest.raises(ConfigError):
            session.update(threshold=0.7)


# -- the end while something is awaited ----------------------------------------------------------------


async def silent(peer, event):
    if event is None or event["type"] != "response.create":
        await peer.usual(event)


@pytest.mark.parametrize(
    "begin",
    [
        lambda session: session.speak(np.zeros(24_000 * 60)),
        lambda session: session.ask(np.zeros(24_000 * 60)),
        lambda session: session.ask("Hello?"),
        lambda session: session.send_text("Hello?"),
        lambda session: session.update(voice="verse"),
    ],
)
async def test_what_a_close_takes_along_says_that_the_session_was_closed(begin):
    async def script(peer, event):
        if event is None or event["type"] != "session.update" or not peer.number_of("session.update") > 1:
            await silent(peer, event)

    async with scripted(script) as (session, peers):
        await session.connect()
        pending = begin(session)
        await until_true(lambda: len(peers[0].received) > 1)
        await session.close()
        with pytest.raises(SessionClosedError, match="session was closed"):
            await asyncio.wait_for(pending, TIMEOUT_S)


@pytest.mark.parametrize("until", ["handshake", "session.created"])
async def test_a_close_takes_a_connect_along(until):
    reached, closed = asyncio.Event(), asyncio.Event()

    async def script(peer, event):
        reached.set()

    async def hang(connection, request):
        if until == "handshake":
            reached.set()
            await closed.wait()

    async with scripted(script, process_request=hang) as (session, _):
        first, second = session.connect(), session.connect()
        await reached.wait()
        await session.close()
        for connecting in (first, second):
            with pytest.raises(SessionClosedError, match="closed"):
                await asyncio.wait_for(connecting, TIMEOUT_S)
        closed.set()


async def test_two_threads_may_close_a_session():
    for _ in range(20):
        async with scripted() as (session, _):
            await session.connect()
            both = threading.Barrier(2)

            def close(session=session, both=both):
                both.wait()
                session.close().result(TIMEOUT_S)

            await asyncio.gather(asyncio.to_thread(close), asyncio.to_thread(close))
            assert len(events(session, "local.closed")) == 1


async def test_a_question_that_is_cancelled_is_cancelled():
    async with scripted(silent) as (session, _):
        await session.connect()
        asking = asyncio.ensure_future(ask(session))
        await happens(session, "response.create")
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert session.state == "open"


async def ask(session):
    return await session.ask("Hello?")


async def test_iterating_over_a_session_that_has_ended_ends():
    async with scripted() as (session, _):
        await session.connect()
        early = aiter(session)
        await session.close()
        async with asyncio.timeout(TIMEOUT_S):
            assert [event.type async for event in early][-1] == "local.closed"
            with pytest.raises(StopAsyncIteration):
                await anext(early)
            assert [event async for event in session] == []


# -- a session that is over ----------------------------------------------------------------------------


async def goodbye(peer, event):
    await peer.usual(event)
    if event is not None and event["type"] == "session.update":
        await peer.socket.close(1000, "bye")


async def test_a_session_that_gave_up_says_why_whatever_is_asked_of_it():
    limits = SessionLimits(max_minutes=0.01)
    async with scripted(goodbye, limits=limits) as (session, _):
        await session.connect()
        await happens(session, "local.gave_up")
        with pytest.raises(SessionClosedError, match="not tried again"):
            await session.connect()
        with pytest.raises(SessionClosedError, match="not tried again"):
            async with session:
                raise AssertionError
        await asyncio.sleep(max(0.0, 0.7 - session.clock_s()))  # the limit would have been reached
        assert events(session, "local.limit") == []
        assert "not tried again" in str(session.log.explain())


async def test_a_session_at_its_limit_connects_no_more():
    async with scripted(limits=SessionLimits(max_minutes=0.001)) as (session, _):
        await session.connect()
        await happens(session, "local.closed")
        with pytest.raises(SessionClosedError, match="higher limit"):
            await session.connect()


async def test_a_second_connect_waits_for_the_first():
    go_on = asyncio.Event()

    async def script(peer, event):
        if event is None:
            await go_on.wait()
        await peer.usual(event)

    async with scripted(script) as (session, peers):
        first, second = session.connect(), session.connect()
        await happens(session, "local.connected")
        assert not second.done()
        go_on.set()
        assert await second is session
        assert session.state == "open"
        await first
        await session.connect()
        assert len(peers) == 1
