"""Faults of answers and frames (F8, F13 to F17, F19, F28, F29, F34); test_faults.py has the whole table."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from contextlib import suppress

import pytest
from survival import asked, check_whole, events, happens, surviving

from rt_notebook.core.config import SessionConfig
from rt_notebook.io.audio.speakers import SilentSpeaker
from rt_notebook.io.connection import asking
from rt_notebook.io.runtime import Runtime

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
            await asyncio.gather(*(asking.ask_for_next_answer(link, unless=lambda: False) for _ in range(2)))

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


@pytest.mark.parametrize(("ends_with_waiter", "end"), [(True, "cancelled"), (False, "done")])
def test_an_interrupted_cell_takes_its_question_back(ends_with_waiter, end):
    """ctrl-C while a cell blocks for an answer ends the work as well; elsewhere it ends the wait alone."""
    runtime, answered, ended = Runtime("test"), asyncio.Event(), asyncio.Event()
    ends = []

    async def work():
        try:
            await answered.wait()
            ends.append("done")
        except asyncio.CancelledError:
            ends.append("cancelled")
            raise
        finally:
            ended.set()

    async def finish():
        answered.set()
        await ended.wait()

    pending = runtime.submit(work(), ends_with_waiter=ends_with_waiter)
    threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        pending.result()
    if ends_with_waiter:
        runtime.submit(ended.wait()).result(20)
    else:
        runtime.submit(finish()).result(20)
    runtime.stop()
    assert ends == [end]
