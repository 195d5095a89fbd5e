"""Where functions run, and what is told of them."""

from __future__ import annotations

import functools
import queue
import threading

import pytest

from rt_notebook.io.tools.threads import Failure, ToolThreads


@pytest.fixture
def run():
    """Run a function as a tool; return what is reported."""
    threads = ToolThreads()

    def run_(function, **arguments):
        reported = queue.Queue()
        threads.start("call_1", function, arguments, reported.put)
        return reported.get(timeout=30)

    yield run_
    threads.close()


def logged(function):
    @functools.wraps(function)
    def inner(**arguments):
        return function(**arguments)

    return inner


async def weather(city):
    if city == "Nowhere":
        raise ValueError("no such place")
    return f"rain in {city} by {threading.current_thread().name}"


@pytest.mark.parametrize("function", [weather, logged(weather), functools.partial(weather)])
def test_a_coroutine_is_awaited_in_the_loop_of_the_tools_also_where_a_decorator_hides_it(run, function):
    assert run(function, city="Paris") == "rain in Paris by rt_notebook tools"
    failed = run(function, city="Nowhere")
    assert isinstance(failed, Failure)
    assert str(failed.error) == "no such place"


def test_what_is_no_coroutine_is_told_as_it_is(run):
    assert run(lambda: threading.current_thread().name) == "rt_notebook tool"
