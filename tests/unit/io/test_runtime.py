"""Calls from any thread run on the session's thread, in their order, however many come at once."""

from __future__ import annotations

import copy
import pickle
import threading

import pytest

from rt_notebook.io.runtime import Pending, Runtime


@pytest.fixture
def runtime():
    runtime = Runtime("test")
    yield runtime
    runtime.stop()


def hold(runtime: Runtime) -> threading.Event:
    """Keep the session thread busy until the event is set, so that calls pile up."""
    held = threading.Event()
    runtime.loop.call_soon_threadsafe(held.wait)
    return held


def test_calls_wake_the_thread_once_and_run_before_later_work(runtime) -> None:
    done: list[int] = []
    woken: list[object] = []
    wake = runtime.loop.call_soon_threadsafe
    runtime.loop.call_soon_threadsafe = lambda *call: (woken.append(call), wake(*call))

    async def work() -> None:
        done.append(100)

    held = hold(runtime)
    woken.clear()
    for number in range(100):
        runtime.call_soon(done.append, number)
    assert len(woken) == 1
    last = runtime.submit(work())
    held.set()
    last.result(10)
    assert done == list(range(101))


def test_calls_of_many_threads_keep_the_order_of_each(runtime) -> None:
    done: list[tuple[int, int]] = []

    def call(caller: int) -> None:
        for number in range(500):
            runtime.call_soon(done.append, (caller, number))

    callers = [threading.Thread(target=call, args=(caller,)) for caller in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()

    async def after() -> None:
        return None

    runtime.submit(after()).result(10)
    assert len(done) == 2000
    for caller in range(4):
        assert [number for who, number in done if who == caller] == list(range(500))


def test_a_call_that_fails_is_told_and_stops_no_other(runtime) -> None:
    told: list[object] = []
    done = threading.Event()
    runtime.loop.set_exception_handler(lambda _, context: told.append(context["exception"]))
    held = hold(runtime)
    runtime.call_soon(int, "no number")
    runtime.call_soon(done.set)
    held.set()
    assert done.wait(10)
    assert [type(error) for error in told] == [ValueError]


def test_work_that_is_submitted_in_the_last_moment_begins(runtime) -> None:
    async def work() -> str:
        return "begun"

    held = hold(runtime)
    runtime.call_soon(runtime.loop.stop)
    last = runtime.submit(work())
    held.set()
    assert last.result(10) == "begun"


def test_calls_after_the_end_are_nothing(runtime) -> None:
    done: list[int] = []
    runtime.call_soon(done.append, 1)
    runtime.stop()
    assert not runtime.alive
    runtime.call_soon(done.append, 2)
    assert done == [1]


def test_a_forgotten_await_is_told(runtime) -> None:
    async def work() -> str:
        return "done"

    pending = runtime.submit(work())
    with pytest.raises(AttributeError, match=r"no attribute 'upper'. Await it first, or call .result\(\)"):
        pending.upper()
    assert pending.result() == "done"


def test_whoever_probes_a_pending_finds_it_plain(runtime) -> None:
    async def work() -> None: ...

    pending = runtime.submit(work())
    for name in ("_repr_html_", "_ipython_display_", "__len__"):
        with pytest.raises(AttributeError) as caught:
            getattr(pending, name)
        assert "Await" not in str(caught.value)
    assert copy.copy(pending).result() is None
    assert not hasattr(Pending.__new__(Pending), "_future")
    with pytest.raises(TypeError, match="pickle"):  # the future's, and no endless recursion
        pickle.dumps(pending)


def test_nothing_can_be_submitted_once_it_is_to_end(runtime) -> None:
    async def work() -> None:
        raise AssertionError

    held = hold(runtime)
    threading.Timer(0.1, held.set).start()
    runtime.stop()
    runtime.stop()
    assert not runtime.alive
    late = work()
    with pytest.raises(RuntimeError):
        runtime.submit(late)
    late.close()
    assert runtime.loop.is_closed()
