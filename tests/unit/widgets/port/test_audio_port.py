"""Work of a session that a widget has begun: what follows, and what is said when it fails."""

import threading
from concurrent.futures import Future

import pytest

from rt_notebook.errors import ServerError
from rt_notebook.io.runtime import Pending
from rt_notebook.widgets.port.audio_port import AudioPort


@pytest.fixture
def port():
    made = AudioPort()
    yield made
    made.close()


def follow(port, end):
    """Watch work that `end` ends; return what followed, and on which thread."""
    followed, future = [], Future()

    def note(name):
        followed.append((name, threading.current_thread() is port._observers._thread))

    port._watch(Pending(future), lambda: note("then"), lambda: note("otherwise"))
    end(future)
    settled = threading.Event()
    port._observers.submit(settled.set)
    assert settled.wait(60)
    return followed


def test_what_goes_well_is_followed_on_the_observers_thread(port):
    assert follow(port, lambda future: future.set_result(None)) == [("then", True)]
    assert port.problem == ""


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ServerError("No.", "Ask again."), "No. Ask again."),
        (OSError("no route"), "OSError: no route. Look into the session's log."),
    ],
)
def test_what_fails_is_told_in_the_widget(port, error, told):
    assert follow(port, lambda future: future.set_exception(error)) == [("otherwise", True)]
    assert port.problem == told


def test_what_ends_with_its_session_is_no_problem(port):
    assert follow(port, lambda future: future.cancel()) == [("otherwise", True)]
    assert port.problem == ""
