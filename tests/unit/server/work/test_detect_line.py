"""The line of frames: each session gets its own probabilities, in order, whatever the others do."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from rt_notebook.server.work.detect_line import DetectLine


class Stream:
    """Answers each frame with its number; remembers how many frames of all streams were under way."""

    def __init__(self, hold: threading.Event | None = None) -> None:
        self.hold = hold
        self.pushed: list[int] = []

    def push(self, frame: bytes) -> float:
        if self.hold is not None:
            self.hold.wait(10)
        self.pushed.append(frame[0])
        if frame[0] == 255:
            raise RuntimeError("a broken frame")
        return float(frame[0])


@pytest.fixture
def line():
    executor = ThreadPoolExecutor(1)
    yield DetectLine(executor)
    executor.shutdown()


async def until(condition):
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - what is waited for is plain state
            await asyncio.sleep(0.001)


def frames(*numbers):
    return [bytes([number]) for number in numbers]


async def test_every_session_gets_its_own_results_in_order(line):
    results = [[] for _ in range(5)]
    lanes = [line.lane(found.extend) for found in results]
    streams = [Stream() for _ in lanes]
    for step in range(30):
        for number, lane in enumerate(lanes):
            lane.put(streams[number], frames(*[number * 40 + step] * (number % 3)))
        if step % 7 == 0:
            await asyncio.sleep(0.001)
    wanted = [[float(n * 40 + step) for step in range(30) for _ in range(n % 3)] for n in range(5)]
    await until(lambda: list(map(len, results)) == list(map(len, wanted)))
    assert results == wanted


async def test_a_burst_of_one_session_does_not_hold_up_another(line):
    hold, order = threading.Event(), []
    burst, single = (
        line.lane(lambda found: order.extend(["burst"] * len(found))),
        line.lane(lambda _found: order.append("single")),
    )
    burst.put(Stream(hold), frames(*range(200)))
    await asyncio.sleep(0)
    single.put(Stream(), frames(1))
    hold.set()
    await until(lambda: len(order) == 201)
    # One batch of the burst was under way; the single frame went into the next one.
    assert order.index("single") <= 16


async def test_who_has_left_gets_nothing_and_takes_nothing(line):
    hold, found, others = threading.Event(), [], []
    stream = Stream(hold)
    gone = line.lane(found.extend)
    gone.put(stream, frames(*range(100)))
    await asyncio.sleep(0)
    gone.close()
    hold.set()
    line.lane(others.extend).put(Stream(), frames(7))
    await until(lambda: others == [7.0])
    assert found == []
    assert len(stream.pushed) <= 8


async def test_a_fault_stops_neither_the_clock_nor_the_others(line, caplog):
    broken, well = [], []

    def fail(probabilities):
        broken.extend(probabilities)
        raise ValueError("a broken session")

    line.lane(fail).put(Stream(), frames(1, 2))
    line.lane(well.extend).put(Stream(), frames(255, 3))
    await until(lambda: len(broken) == len(well) == 2)
    assert well[1] == 3.0
    assert len(caplog.records) == 2
