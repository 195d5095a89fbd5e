"""Faults that a session has to survive, over real sockets. Rows of the table of faults, and their tests:

====  ======================================  =========================================================
row   fault                                   tests
====  ======================================  =========================================================
F1    drop in the middle of a response        test_every_drop.py; test_a_loss_at_any_time
F2    half-open socket                        test_a_loss_at_any_time[stall]; property/test_reconnect.py
F3    goodbye in the middle of a turn         test_a_goodbye_in_the_middle_of_a_turn
F4    accepted and closed at once             test_three_short_lives_are_enough
F5    expiry                                  test_faults_time.py
F6    idle close                              test_faults_time.py
F7    429 at the handshake                    test_a_full_endpoint_says_when_to_come_back
F8    rate limit inside a response            test_faults_answers.py
F9    401, 404, 400                           test_what_no_second_attempt_can_mend
F10   region or model not supported           test_what_no_second_attempt_can_mend
F11   proxy, name, certificate                test_faults_opening.py
F12   handshake that hangs                    test_a_handshake_that_hangs_is_tried_again
F13   invalid JSON, binary frames             test_faults_answers.py
F14   unknown events, fields, types           test_faults_answers.py
F15   out of order, twice                     test_faults_answers.py; property/test_reconnect.py
F16   huge frame                              test_faults_answers.py
F17   slow consumer                           test_faults_answers.py; unit/core/test_outbox.py
F18   busy kernel                             kernel/test_blocking_cell.py
F19   interrupted cell, cancelled await       test_faults_answers.py
F28   truncation                              test_faults_answers.py; property/test_reconnect.py
F29   two answers at once                     test_faults_answers.py
F32   stale state after a reconnect           test_nothing_of_the_old_connection_is_left
F33   settings accepted and ignored           test_settings_table.py
F34   server_error that sticks                test_faults_answers.py
====  ======================================  =========================================================
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

import numpy as np
import pytest
from chaos_proxy import Strike
from hosting import hosting
from scripted_endpoint import scripted
from survival import (
    QUICK,
    TEXT,
    check_whole,
    endpoint_of,
    events,
    happens,
    lives,
    proxied,
    surviving,
)

from rt_notebook.core.audio import to_pcm
from rt_notebook.core.config import ServerVad, SessionConfig
from rt_notebook.core.reconnect import ReconnectPolicy
from rt_notebook.errors import (
    AuthenticationError,
    ConnectError,
    EndpointNotFoundError,
    NoReplyError,
    RefusedError,
    ServerError,
    SessionClosedError,
)
from rt_notebook.io.audio.speakers import SilentSpeaker
from rt_notebook.io.session.session import Session

SHORT = ReconnectPolicy(
    first_delay_s=0.01, longest_delay_s=0.05, silence_s=0.3, ping_s=0.2, idle_silence_s=0.5
)


# -- F1, F2: at any time -------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["reset", "stall"])
@pytest.mark.parametrize("when", ["idle", "speaking", "playing"])
async def test_a_loss_at_any_time(how, when, speech):
    config = SessionConfig(turn_detection=ServerVad(silence_duration_ms=300))
    speaker = SilentSpeaker()
    async with proxied(config=config, policy=SHORT, reply="echo", speaker=speaker) as (session, proxy):
        # Made first: the server lives in this loop, and would be silent meanwhile.
        question = await asyncio.to_thread(lambda: to_pcm(speech("What is the capital of France?")))
        await session.connect()
        if when != "idle":
            session.append_audio(question[:48_000])
            await happens(session, "input_audio_buffer.speech_started")
        if when == "playing":
            session.append_audio(question[48_000:] + bytes(48_000))
            await happens(session, "local.playback", state="playing")
        if when == "speaking":
            # By a listener: whoever looks from time to time may find that another connection serves already.
            session.subscribe(lambda e: e and e.type == "local.closed" and session.append_audio(bytes(4800)))
        getattr(proxy, how)()
        gap = (await happens(session, "local.gap")).data
        closed = (await happens(session, "local.closed")).data
        assert (closed["by"], closed["expected"], closed["generation"]) == ("loss", False, 1)
        assert ("to a ping" in closed["reason"]) is (how == "stall")
        assert gap["generation"] == 2
        assert gap["restored"][0] == "the configuration"
        assert ("what was just being said" in gap["not_restored"]) is (when == "speaking")
        if when == "speaking":
            assert gap["lost_samples"] >= 2400
        session.append_audio(bytes(24_000))
        turn = await session.ask("One two three.")
        assert turn.status == "completed"
        assert session.state == "open"
        check_whole(session)


# -- F3, F4 --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [1000, 1001])
async def test_a_goodbye_in_the_middle_of_a_turn(code):
    async with surviving(faults=[f"close:code={code},connections=1"]) as session:
        with pytest.raises(NoReplyError, match="ask again"):
            await session.ask("What is 1 plus 2?")
        assert (await session.ask("What is 2 plus 2?")).assistant == "That makes 4."
        closed = events(session, "local.closed")[0].data
        assert (closed["by"], closed["code"], closed["expected"]) == ("server", code, False)
        assert len(closed["interrupted"]) == 1
        first, second = session.log.fold_turns()
        assert (first.status, first.status_reason) == ("incomplete", "connection_closed")
        assert second.status == "completed"
        check_whole(session)


async def test_three_short_lives_are_enough():
    async with hosting(reply="rules", faults=["accept-close"]) as server:
        session = Session(endpoint_of(server), TEXT, reconnect=QUICK)
        with pytest.raises(ConnectError, match="3 connections in a row ended at once"):
            await session.connect()
        assert len(events(session, "local.connected")) == 3
        assert {e.data["by"] for e in events(session, "local.closed")} == {"server"}
        assert session.state == "closed"


async def test_a_session_that_dies_again_and_again_gives_up():
    async with proxied() as (session, proxy):
        await session.connect()
        await session.ask("What is 1 plus 2?")
        proxy.strikes = [Strike(down=2)] * 10  # each life ends when the configuration is in force
        ended = asyncio.ensure_future(the_end(session))
        proxy.reset()
        async with asyncio.timeout(60):
            await ended
        assert session.state == "closed"
        assert proxy.connections == 4
        (gave_up,) = events(session, "local.gave_up")
        assert gave_up.data["why"] == "3 connections in a row ended at once."
        with pytest.raises(SessionClosedError, match="not tried again"):
            await session.send_text("Anyone there?")
        check_whole(session)


async def the_end(session):
    async for _ in session:
        pass


# -- F7, F9, F10, F12: the handshake -------------------------------------------------------------------


async def test_a_full_endpoint_says_when_to_come_back():
    policy = ReconnectPolicy(first_delay_s=0.01, longest_delay_s=5)
    faults = ["refuse:status=429,retry_after=1,connections=1"]
    async with surviving(faults=faults, policy=policy) as session:
        (waiting,) = events(session, "local.reconnecting")
        assert waiting.data["delay_s"] == 1.0
        assert waiting.data["code"] == 429
        assert "at its limit" in waiting.data["cause"]


async def test_a_full_endpoint_that_wants_a_long_time_says_so():
    async with hosting(reply="rules", faults=["refuse:status=429,retry_after=90"]) as server:
        session = Session(endpoint_of(server), TEXT, reconnect=QUICK)
        with pytest.raises(RefusedError, match="Wait 90 s") as caught:
            await session.connect()
        assert caught.value.retry_after_s == 90
        assert events(session, "local.reconnecting") == []


@pytest.mark.parametrize(
    ("status", "error"), [(401, AuthenticationError), (404, EndpointNotFoundError), (400, RefusedError)]
)
async def test_what_no_second_attempt_can_mend(status, error):
    async with hosting(reply="rules", faults=[f"refuse:status={status}"]) as server:
        session = Session(endpoint_of(server), TEXT, reconnect=QUICK)
        with pytest.raises(error):
            await session.connect()
        assert events(session, "local.reconnecting") == []


async def test_a_key_that_is_withdrawn_ends_the_session():
    async with proxied() as (session, proxy), hosting(reply="rules", faults=["refuse:status=401"]) as other:
        await session.connect()
        proxy.to_port = other.port
        ended = asyncio.ensure_future(the_end(session))
        proxy.reset()
        async with asyncio.timeout(60):
            await ended
        (gave_up,) = events(session, "local.gave_up")
        assert "refused the key" in gave_up.data["message"]
        assert proxy.connections == 2


async def test_settings_that_are_refused_are_not_sent_again():
    config = TEXT.replace(tools=({"type": "function"},))
    async with hosting(reply="rules") as server:
        session = Session(endpoint_of(server), config, reconnect=QUICK)
        with pytest.raises(ServerError):
            await session.connect()
        assert len(events(session, "local.connected")) == 1


async def test_a_handshake_that_hangs_is_tried_again():
    policy = ReconnectPolicy(first_delay_s=0.01, open_timeout_s=1.0, seed=1)
    async with proxied(Strike("hang"), policy=policy) as (session, proxy):
        await session.connect()
        assert proxy.connections == 2
        assert "did not answer within 1 s" in events(session, "local.reconnecting")[0].data["cause"]
        proxy.strikes = [Strike("hang")]
        proxy.reset()
        await happens(session, "local.gap")
        assert proxy.connections == 4


# -- F32, and audio in between -------------------------------------------------------------------------


async def test_nothing_of_the_old_connection_is_left():
    async with proxied(Strike(down=12)) as (session, _):
        await session.connect()
        with suppress(NoReplyError, SessionClosedError):
            await session.ask("What is 1 plus 2?")
        await happens(session, "local.gap")
        link = session._link
        assert link.protocol.active_response_id is None
        assert len(link.answers) == 0
        assert not link.life.connection.watch.busy
        await session.ask("What is 2 plus 2?")
        first, second = lives(session.log)
        sessions = [
            {e.data["session"]["id"] for e in part if e.type == "session.created"} for part in (first, second)
        ]
        assert sessions[0].isdisjoint(sessions[1])
        check_whole(session)


async def test_ids_of_events_that_begin_anew_on_each_connection():
    async def script(peer, event):
        peer.prefix = "event"
        await peer.usual(event)
        if peer.number == 1 and peer.number_of("response.create") == 3:
            await peer.socket.close(1011, "oops")

    async with scripted(script) as (session, _):
        await session.connect()
        for question in ("One?", "Two?", "Three?"):
            await session.ask(question)
        await happens(session, "local.gap")
        await session.ask("Four?")
        told = [(turn.user, turn.assistant, turn.status) for turn in session.log.fold_turns()]
        assert told == [(q, "Hello.", "completed") for q in ("One?", "Two?", "Three?", "Four?")]


async def _ask(session, text):
    return await session.ask(text)


async def test_a_session_is_closed_while_it_reconnects():
    policy = ReconnectPolicy(first_delay_s=60, longest_delay_s=60)
    async with proxied(policy=policy) as (session, proxy):
        await session.connect()
        proxy.reset()
        await happens(session, "local.reconnecting")
        assert session.state == "reconnecting"
        asking = asyncio.ensure_future(_ask(session, "Anyone?"))
        await asyncio.sleep(0)
        await session.close()
        with pytest.raises((SessionClosedError, asyncio.CancelledError)):
            await asking
        assert session.state == "closed"


async def test_audio_of_the_dead_connection_is_dropped_and_counted():
    async with proxied() as (session, proxy):
        await session.connect()
        proxy.strikes = [Strike("hang"), Strike("hang")]
        proxy.reset()
        await happens(session, "local.reconnecting")
        noise = to_pcm(np.random.default_rng(1).normal(0, 0.1, 960))
        for _ in range(10):
            session.append_audio(noise)
        await asyncio.sleep(0.1)
        proxy.reset()
        await asyncio.sleep(0.2)
        proxy.reset()
        gap = (await happens(session, "local.gap")).data
        assert gap["lost_samples"] == 9600
        assert sum(e.audio_samples for e in lives(session.log)[-1]) == 0
