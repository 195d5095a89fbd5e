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
F8    rate limit inside a response            test_an_answer_that_failed_is_said_aloud
F9    401, 404, 400                           test_what_no_second_attempt_can_mend
F10   region or model not supported           test_what_no_second_attempt_can_mend
F11   proxy, name, certificate                test_faults_opening.py
F12   handshake that hangs                    test_a_handshake_that_hangs_is_tried_again
F13   invalid JSON, binary frames             test_frames_that_are_no_events
F14   unknown events, fields, types           test_events_that_nobody_expects
F15   out of order, twice                     test_events_that_nobody_expects; property/test_reconnect.py
F16   huge frame                              test_a_frame_that_is_too_large
F17   slow consumer                           test_a_slow_reader_holds_nobody_up; unit/core/test_outbox.py
F18   busy kernel                             kernel/test_blocking_cell.py
F19   interrupted cell, cancelled await       test_a_cancelled_question_takes_its_answer_along
F28   truncation                              property/test_reconnect.py; test_what_was_not_heard_is_forgotten
F29   two answers at once                     test_one_answer_at_a_time
F32   stale state after a reconnect           test_nothing_of_the_old_connection_is_left
F33   settings accepted and ignored           test_settings_table.py
F34   server_error that sticks                test_an_endpoint_that_keeps_failing_is_left
====  ======================================  =========================================================
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

import numpy as np
import pytest
from chaos_proxy import Strike
from hosting import hosting
from survival import (
    QUICK,
    TEXT,
    asked,
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
from rt_notebook.io import conversation
from rt_notebook.io.session import Session
from rt_notebook.io.speakers import SilentSpeaker

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
        getattr(proxy, how)()
        if when == "speaking":
            await until_lost(session)
            session.append_audio(bytes(4800))
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


async def until_lost(session):
    """Wait until the loss has been noticed."""
    await happens(session, "local.closed")


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
        assert {e.data["reason"] for e in events(session, "local.closed")} == {
            "Closed on purpose, as a lesson."
        }
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
    policy = ReconnectPolicy(first_delay_s=0.01, open_timeout_s=0.3, seed=1)
    async with proxied(Strike("hang"), policy=policy) as (session, proxy):
        await session.connect()
        assert proxy.connections == 2
        assert "did not answer within 0.3 s" in events(session, "local.reconnecting")[0].data["cause"]
        proxy.strikes = [Strike("hang")]
        proxy.reset()
        await happens(session, "local.gap")
        assert proxy.connections == 4


# -- F8, F34: answers that fail ------------------------------------------------------------------------


async def test_an_answer_that_failed_is_said_aloud():
    async with surviving(faults=["rate-limit:times=1"]) as session:
        turn = await session.ask("What is 1 plus 2?")
        assert turn.status == "failed"
        (told,) = events(session, "local.error")
        assert "rate_limit_exceeded" in told.data["message"]
        assert told.data["response_id"] == turn.response_id
        assert (await session.ask("What is 2 plus 2?")).status == "completed"
        assert len(events(session, "local.connected")) == 1


async def test_an_endpoint_that_keeps_failing_is_left():
    async with surviving(faults=["server-error:connections=1"]) as session:
        assert (await session.ask("What is 1 plus 2?")).status == "failed"
        assert (await session.ask("What is 2 plus 2?")).status == "failed"
        assert (await session.ask("What is 3 plus 3?")).assistant == "That makes 6."
        assert "server_error" in events(session, "local.closed")[0].data["reason"]
        assert len(events(session, "local.gap")[0].data["restored_items"]) == 2
        check_whole(session)


# -- F13 to F17: what comes ----------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["invalid-json", "binary-frame"])
async def test_frames_that_are_no_events(fault):
    async with surviving(faults=[f"{fault}:after=1,times=3,connections=1"]) as session:
        assert (await session.ask("What is 1 plus 2?")).assistant == "That makes 3."
        assert len(events(session, "local.invalid_frame")) == 3
        assert all(len(e.data["head"]) <= 200 for e in events(session, "local.invalid_frame"))
        assert len(events(session, "local.connected")) == 1


async def test_too_many_frames_that_are_no_events():
    async with surviving(faults=["invalid-json:after=1,times=0,connections=1"]) as session:
        assert (await asked(session, "Hello!")).status == "completed"
        assert len(events(session, "local.invalid_frame")) == 20
        assert "20 frames in a minute" in events(session, "local.closed")[0].data["reason"]
        check_whole(session)


@pytest.mark.parametrize("fault", ["unknown-event", "duplicate", "reorder", "slow:delay_ms=5"])
@pytest.mark.parametrize("seed", [0, 1, 2])
async def test_events_that_nobody_expects(fault, seed):
    async with surviving(faults=[fault], seed=seed) as session:
        for question, answer in (
            ("What is 1 plus 2?", "3"),
            ("What is 2 times 2?", "4"),
            ("What is 4-1?", "3"),
        ):
            turn = await session.ask(question)
            assert turn.status == "completed"
            assert answer in (turn.assistant or "")
        assert len(session.log.fold_turns()) == 3
        assert len(events(session, "local.connected")) == 1
        if fault == "unknown-event":
            assert not all(event.known for event in session.log)


async def test_a_frame_that_is_too_large():
    async with surviving(faults=["huge-frame:connections=1"]) as session:
        assert (await asked(session, "What is 1 plus 2?")).assistant == "That makes 3."
        closed = events(session, "local.closed")[0].data
        assert (closed["code"], closed["reason"]) == (1009, "a frame of more than 16 MiB came")
        check_whole(session)


async def test_frames_that_are_large_enough():
    async with surviving(faults=["huge-frame:mib=15"]) as session:
        assert (await session.ask("What is 1 plus 2?")).assistant == "That makes 3."
        assert len(events(session, "local.connected")) == 1


async def test_a_slow_reader_holds_nobody_up():
    async with surviving() as session:
        read = []

        async def slowly():
            async for event in session:
                read.append(event)
                await asyncio.sleep(0.02)

        reading = asyncio.ensure_future(slowly())
        await asyncio.sleep(0)
        for number in range(3):
            assert (await session.ask(f"What is {number} plus 1?")).status == "completed"
        assert len(read) < len(session.log)
        await session.close()
        async with asyncio.timeout(60):
            await reading
        log = list(session.log)
        assert read == log[len(log) - len(read) :], "late, and nothing is missing"


# -- F19, F28, F29, F32 --------------------------------------------------------------------------------


async def test_a_cancelled_question_takes_its_answer_along(speech):
    speaker = SilentSpeaker()
    async with surviving(
        config=SessionConfig(), faults=["slow:delay_ms=100,times=9"], speaker=speaker
    ) as session:
        asking = asyncio.ensure_future(asked_once(session, "Hello!"))
        await happens(session, "local.playback", state="playing")
        await asyncio.sleep(0.2)
        asking.cancel()
        with suppress(asyncio.CancelledError):
            await asking
        await happens(session, "response.done")
        await happens(session, "conversation.item.truncated")
        first = session.log.fold_turns()[0]
        assert first.interrupted
        assert first.heard_ms < first.audio_ms
        turn = await session.ask("What is 1 plus 2?")
        assert turn.status == "completed"
        check_errors(session)


async def asked_once(session, text):
    return await session.ask(text)


@pytest.mark.parametrize("moment", ["conversation.item.create", "response.create", "response.created"])
async def test_a_question_cancelled_at_any_moment_leaves_the_session_usable(moment):
    async with surviving(faults=["slow:delay_ms=100"]) as session:
        asking = asyncio.ensure_future(asked_once(session, "Hello!"))
        await happens(session, moment)
        asking.cancel()
        with suppress(asyncio.CancelledError):
            await asking
        turn = await session.ask("What is 1 plus 2?")
        assert (turn.status, turn.assistant) == ("completed", "That makes 3.")
        assert {t.status for t in session.log.fold_turns()[:-1]} <= {"cancelled", "unanswered", "completed"}
        check_errors(session)


def check_errors(session):
    """An answer may be over by itself while it is being cancelled; nothing else is refused."""
    codes = {event.data["error"]["code"] for event in events(session, "error")}
    assert codes <= {"response_cancel_not_active"}


async def test_what_was_not_heard_is_forgotten(speech):
    class Dumb:
        """A speaker that never sounds."""

        def attach(self, report):
            self.report, self.items = report, []

        def play(self, item_id, pcm):
            self.items.append(item_id)

        def end(self, item_id):
            pass

        def flush(self):
            for item_id in dict.fromkeys(self.items):
                self.report(item_id, 0, "flushed")

    async with surviving(config=SessionConfig(), speaker=Dumb()) as session:
        await session.send_text("Hello!")
        await happens(session, "response.output_audio.delta")
        await session.interrupt()
        await happens(session, "conversation.item.deleted")
        assert not events(session, "conversation.item.truncate")
        assert not events(session, "error")
        assert (await session.ask("What is 1 plus 2?")).status == "completed"


async def test_one_answer_at_a_time():
    async with surviving() as session:
        await asyncio.gather(*(session.send_text(f"What is {number} plus 1?") for number in range(5)))
        link = session._link

        async def twice():
            await asyncio.gather(conversation.create_response(link), conversation.create_response(link))

        await session._runtime.submit(twice())
        await happens(session, "response.done", count=7)
        check_errors(session)
        running = set()
        for event in session.log:
            if event.type == "response.created":
                assert not running
                running.add(event.response_id)
            elif event.type == "response.done":
                running.discard(event.response_id)


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


async def test_a_session_is_closed_while_it_reconnects():
    policy = ReconnectPolicy(first_delay_s=60, longest_delay_s=60)
    async with proxied(policy=policy) as (session, proxy):
        await session.connect()
        proxy.reset()
        await happens(session, "local.reconnecting")
        assert session.state == "reconnecting"
        asking = asyncio.ensure_future(asked_once(session, "Anyone?"))
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
