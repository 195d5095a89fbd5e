"""The table of messages is what the kernel handles and sends. `messages.test.ts` holds the page to it."""

import json
import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from rt_notebook import widgets
from rt_notebook.vad import Trace
from rt_notebook.widgets.playground.playground import Playground
from rt_notebook.widgets.port.audio_port import AudioPort
from rt_notebook.widgets.room.room import RoomTest
from rt_notebook.widgets.tuner.vad_tuner import VadTuner

TABLE = json.loads((Path(widgets.__file__).parent / "messages.json").read_text(encoding="utf-8"))


@pytest.fixture
def sent(monkeypatch):
    """The types of all messages to the page."""
    types = set()
    # Before any widget is made, since its lines keep the method.
    monkeypatch.setattr(AudioPort, "send", lambda self, content, buffers=None: types.add(content["type"]))
    return types


@pytest.fixture
def each(sent):
    """One widget of each kind."""
    made = [AudioPort(), Playground(), VadTuner(Trace(np.zeros(100, np.float32))), RoomTest()]
    yield made
    for widget in made:
        widget.close()


def on(worker, *tasks):
    """Run these on a widget's thread, to their end."""
    done = threading.Event()
    for task in (*tasks, done.set):
        worker.submit(task)
    assert done.wait(60)


def tell(widget, type_, **fields):
    """Do what a message of the page asks for, to its end."""
    on(widget._line, lambda: widget._receive({"type": type_, "client": "a", **fields}, b""))
    on(widget._observers)


def test_what_the_page_may_send_is_handled_and_nothing_else(each):
    handled = {type_ for widget in each for type_ in widget._handlers()}
    assert handled == set(TABLE["to_kernel"])


def test_what_the_page_may_get_is_sent_and_nothing_else(each, sent):
    port, playground, tuner, _ = each
    tell(playground, "hello")
    tell(tuner, "hello")
    on(tuner._desk, tuner._plan)

    tell(port, "code.ask")
    tell(port, "hello")
    port.connect(SimpleNamespace(note=lambda _type, **_: None))
    tell(port, "mic.open", epoch=1)
    tell(port, "mic.open", epoch=1, client="b")
    on(port._line, port._tick)
    tell(port, "mic.close", epoch=1, client="b", seq=1, reason="user")
    port.play_audio(bytes(960))
    port.flush()
    on(port._line)
    assert sent == set(TABLE["to_front"])
