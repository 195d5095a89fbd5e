"""The work of sessions side by side: in order, in turn, and not done at all once nobody wants it."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

import pytest

from rt_notebook.core.audio import to_pcm
from rt_notebook.errors import ConnectError
from rt_notebook.server.components.load import Components, load_components
from rt_notebook.server.components.reply_pieces import CallPiece, LimitReached, Speech
from rt_notebook.server.engine.effects import (
    CancelReply,
    CancelTranscribe,
    Detect,
    JudgeEnd,
    MakeReply,
    Message,
    Prepare,
    Transcribe,
)
from rt_notebook.server.work.component_work import ComponentWork
from rt_notebook.server.work.workers import Workers
from rt_notebook.vad.detectors.energy import EnergyDetector

FRAME = bytes(768 * 2)


class Results:
    """Take results as the engine does, and note them."""

    def __init__(self):
        self.found = []
        self._news = asyncio.Event()

    def __getattr__(self, name):
        def take(*arguments, **more):
            self.found.append((name, *arguments, *more.values()))
            self._news.set()
            return []

        return take

    async def until(self, name, count=1):
        while sum(result[0] == name for result in self.found) < count:
            self._news.clear()
            await self._news.wait()


class Script:
    """A replier, transcriber and voice that does what the test says, in the worker's thread."""

    name, needs_words = "script", True

    def __init__(self, *pieces):
        self.pieces = pieces or ("Hello. ",)
        self.gate = threading.Event()
        self.gate.set()
        self.begun = []
        self.read = []

    def reply(self, work, cancelled):
        self.begun.append(work.response_id)
        for piece in self.pieces:
            self.gate.wait()
            yield piece

    def transcribe(self, pcm, rate_hz=24_000, cancelled=lambda: False):
        self.begun.append(rate_hz)
        self.gate.wait()
        return "words"

    def speak(self, text, speed=1.0):
        yield f"{text}|{speed}".encode(), 1.0


class ReadingScript(Script):
    def prepare(self, messages, tools):
        self.gate.wait()
        self.read.append(messages[-1].text)


def parts(script, **more):
    return Components(EnergyDetector(), script, script, script, {}, **more)


@contextmanager
def sessions(components, count=1, reply_threads=None):
    """Begin sessions that share their workers, as those of a server do."""
    workers = Workers()
    if reply_threads is not None:
        workers.reply.shutdown()
        workers.reply = ThreadPoolExecutor(reply_threads)
    works = []
    for _ in range(count):
        results = Results()
        works.append((ComponentWork(results, components, workers, lambda effects: None), results))
    try:
        yield works
    finally:
        for work, _ in works:
            work.stop()
        workers.stop()


def reply(response_id, **more):
    return MakeReply(response_id, [Message("user", "Hi.")], **more)


async def settle():
    """Let everything happen that can happen without a gate."""
    for _ in range(20):
        await asyncio.sleep(0.005)


async def test_the_parts_of_a_reply_come_in_order():
    pieces = ("Let me see. ", CallPiece("f", ""), CallPiece("", "{}"), LimitReached())
    with sessions(parts(Script(*pieces))) as [(work, results)]:
        work.start(reply("r", speed=1.5))
        await results.until("finished")
    assert results.found == [
        ("replied", "r", "Let me see. "),
        ("spoke", "r", b"Let me see.|1.5", 12),
        ("called", "r", "f", ""),
        ("called", "r", "", "{}"),
        ("finished", "r", None, True),
    ]


async def test_speech_of_the_replier_comes_behind_the_words_before_it():
    with sessions(parts(Script("One", Speech(b"abcd")))) as [(work, results)]:
        work.start(reply("r"))
        await results.until("finished")
    spoken = [result[2:] for result in results.found if result[0] == "spoke"]
    assert spoken == [(b"One|1.0", 3), (b"abcd", 3)]


async def test_what_fails_is_told():
    def fail(*_):
        raise ValueError("broken")

    script = Script()
    script.reply = script.transcribe = fail
    with sessions(parts(script)) as [(work, results)]:
        work.start(reply("r"))
        work.start(Transcribe("t", FRAME))
        await results.until("finished")
        await results.until("transcribed")
    told = {name: more for name, _, *more in results.found}
    assert "broken" in told["finished"][0]
    assert told["transcribed"][0] is None


@pytest.mark.parametrize(
    ("error", "told", "lines"),
    [
        (
            ConnectError("It is away.", "Start it."),
            "It is away. Start it.",
            ["reply failed (ConnectError): Start it."],
        ),
        (ValueError("broken"), "The reply component failed (ValueError: broken).", ["reply failed"]),
    ],
)
async def test_an_error_with_a_remedy_is_one_line_and_any_other_a_traceback(caplog, error, told, lines):
    def fail(*_):
        raise error

    script = Script()
    script.reply = fail
    with sessions(parts(script)) as [(work, results)]:
        work.start(reply("r"))
        await results.until("finished")
    assert results.found == [("finished", "r", told, False)]
    assert [record.getMessage() for record in caplog.records] == lines
    assert [record.exc_info is not None for record in caplog.records] == [error.__class__ is ValueError]


async def test_a_cancelled_reply_that_waits_never_begins():
    script = Script()
    script.gate.clear()
    with sessions(parts(script)) as [(work, results)]:
        for name in "abc":
            work.start(reply(name))
        await settle()
        work.start(CancelReply("c"))
        script.gate.set()
        await results.until("finished", 2)
        await settle()
    assert script.begun == ["a", "b"]
    assert {result[1] for result in results.found} == {"a", "b"}


async def test_a_cancelled_reply_tells_nothing_more():
    script = Script("One. ", "Two. ")
    script.gate.clear()
    with sessions(parts(script)) as [(work, results)]:
        work.start(reply("a"))
        await settle()
        work.start(CancelReply("a"))
        script.gate.set()
        work.start(reply("b"))
        await results.until("finished")
    assert {result[1] for result in results.found} == {"b"}


async def test_a_closed_session_leaves_no_work_behind():
    script = Script()
    script.gate.clear()
    with sessions(parts(script), count=2, reply_threads=1) as [(gone, silent), (work, results)]:
        for name in "abc":
            gone.start(reply(name))
        gone.start(Transcribe("t", FRAME))
        gone.start(Transcribe("u", FRAME))
        await settle()
        gone.stop()
        script.gate.set()
        work.start(reply("r"))
        await results.until("finished")
        await settle()
    assert silent.found == []
    assert script.begun.count("a") == 1
    assert {"b", "c"}.isdisjoint(script.begun)


async def test_sessions_take_turns():
    script = Script()
    script.gate.clear()
    with sessions(parts(script), count=2, reply_threads=1) as [(greedy, many), (modest, one)]:
        for number in range(8):
            greedy.start(reply(f"greedy {number}"))
        await settle()
        modest.start(reply("modest"))
        await settle()
        script.gate.set()
        await many.until("finished", 8)
        await one.until("finished")
    assert script.begun.index("modest") <= 2


async def test_detection_and_the_end_of_turns_wait_for_nobody():
    script = Script()
    script.gate.clear()
    with sessions(parts(script), count=8, reply_threads=2) as works:
        for work, _ in works:
            work.start(reply("r"))
            work.start(Transcribe("t", FRAME))
        await settle()
        for work, results in works:
            work.start(Detect([FRAME] * 3))
            work.start(JudgeEnd("j", FRAME))
            await results.until("detected")
            await results.until("judged")
            assert ("judged", "j", None) in results.found
            assert not {"replied", "transcribed"} & {result[0] for result in results.found}
        script.gate.set()


async def test_a_judge_that_is_there_is_asked():
    class Judge:
        def judge(self, pcm, rate_hz):
            return len(pcm) / rate_hz

    with sessions(replace(parts(Script()), judge=Judge())) as [(work, results)]:
        work.start(JudgeEnd("j", bytes(4000), 8000))
        await results.until("judged")
    assert results.found == [("judged", "j", 0.5)]


async def test_transcriptions_know_their_rate_and_can_be_cancelled():
    script = Script()
    script.gate.clear()
    with sessions(parts(script)) as [(work, results)]:
        work.start(Transcribe("a", FRAME, 8000))
        work.start(Transcribe("b", FRAME))
        await settle()
        work.start(CancelTranscribe("b"))
        script.gate.set()
        await results.until("transcribed")
        await settle()
    assert results.found == [("transcribed", "a", "words", None)]
    assert script.begun == [8000]


async def test_a_conversation_is_read_before_it_is_answered():
    script = ReadingScript()
    script.gate.clear()
    with sessions(parts(script)) as [(work, results)]:
        work.start(Prepare([Message("user", "first")]))
        await settle()
        work.start(Prepare([Message("user", "second")]))
        work.start(Prepare([Message("user", "third")]))
        work.start(reply("r"))
        await settle()
        assert script.begun == []
        script.gate.set()
        await results.until("finished")
    # A reply waits for what is being read, and not for what has not begun.
    assert script.read == ["first"]
    assert script.begun == ["r"]


async def test_who_cannot_read_ahead_is_not_asked_to():
    with sessions(parts(Script())) as [(work, results)]:
        work.start(Prepare([Message("user", "first")]))
        work.start(reply("r"))
        await results.until("finished")


@pytest.mark.speech
async def test_four_sessions_with_the_whole_chain_at_once(speech):
    pcm = to_pcm(speech("What is the capital of France?"))
    frames = [pcm[start : start + len(FRAME)] for start in range(0, len(pcm) - len(FRAME), len(FRAME))]
    with sessions(load_components(), count=4) as works:

        async def converse(work, results):
            for turn in range(2):
                work.start(Prepare([Message("system", "Be brief.")]))
                work.start(Detect(frames))
                work.start(Transcribe(f"t{turn}", pcm))
                await results.until("transcribed", turn + 1)
                text = [result[2] for result in results.found if result[0] == "transcribed"][-1]
                messages = [Message("system", "Be brief."), Message("user", text)]
                work.start(MakeReply(f"r{turn}", messages, max_tokens=12))
                await results.until("finished", turn + 1)

        await asyncio.gather(*(converse(work, results) for work, results in works))
        for _, results in works:
            names = {result[0] for result in results.found}
            assert {"detected", "transcribed", "replied", "spoke", "finished"} <= names
            assert all(result[2] is None for result in results.found if result[0] == "finished")
