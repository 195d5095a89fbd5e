"""What the shell makes of a judge that is slow, fails or is not there: the session always gets an answer."""

from __future__ import annotations

import asyncio
import threading
from types import SimpleNamespace

import pytest

from rt_notebook.server.engine.effects import JudgeEnd
from rt_notebook.server.work import component_work
from rt_notebook.server.work.component_work import ComponentWork
from rt_notebook.server.work.workers import Workers


class Judge:
    def __init__(self, answer=None) -> None:
        self.answer = answer
        self.go_on = threading.Event()
        self.heard: list[tuple[bytes, int]] = []

    def judge(self, pcm, rate_hz):
        self.heard.append((pcm, rate_hz))
        if self.answer is None:
            self.go_on.wait(20)
            return 1.0
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


async def judged(*judges_in_turn):
    """Ask once for each session, all at once; return what each session was told."""
    told: list[tuple[int, str, float | None]] = []
    workers = Workers()
    for number, judge in enumerate(judges_in_turn):
        engine = SimpleNamespace(
            judged=lambda job_id, probability, n=number: told.append((n, job_id, probability)) or []
        )
        work = ComponentWork(engine, SimpleNamespace(judge=judge), workers, lambda _effects: None)
        work.start(JudgeEnd(f"job_{number}", b"\1\2", 8_000))
    async with asyncio.timeout(20):
        while len(told) < len(judges_in_turn):  # noqa: ASYNC110
            await asyncio.sleep(0.001)
    for judge in judges_in_turn:
        if judge is not None:
            judge.go_on.set()
    workers.stop()
    return sorted(told)


async def test_the_answer_of_the_judge_is_handed_on():
    judge = Judge(0.7)
    assert await judged(judge) == [(0, "job_0", 0.7)]
    assert judge.heard == [(b"\1\2", 8_000)]


@pytest.mark.parametrize("judge", [None, Judge(RuntimeError("out of memory"))])
async def test_without_an_answer_nobody_waits(judge):
    assert await judged(judge) == [(0, "job_0", None)]


async def test_a_slow_judge_is_not_waited_for_and_what_it_has_not_begun_it_never_hears(monkeypatch):
    monkeypatch.setattr(component_work, "_JUDGE_S", 0.05)
    slow, waiting = Judge(), Judge(0.9)
    assert await judged(slow, waiting) == [(0, "job_0", None), (1, "job_1", None)]
    assert len(slow.heard) == 1
    assert waiting.heard == []
