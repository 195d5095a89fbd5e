"""What a widget synchronises: a small list, no words, no audio, no key."""

import json

import numpy as np
import pytest
from ipywidgets import Widget

from rt_notebook.core.config import SessionConfig
from rt_notebook.core.events import Event
from rt_notebook.errors import ConfigError
from rt_notebook.io.endpoints.endpoint import Endpoint
from rt_notebook.vad import Trace
from rt_notebook.widgets.playground.playground import Playground
from rt_notebook.widgets.port.audio_port import AudioPort
from rt_notebook.widgets.port.code_line import LOADER
from rt_notebook.widgets.room.room import RoomTest
from rt_notebook.widgets.tuner.vad_tuner import VadTuner

IPYWIDGETS = {
    "_anywidget_id",
    "_dom_classes",
    "_esm",
    "_model_module",
    "_model_module_version",
    "_model_name",
    "_view_count",
    "_view_module",
    "_view_module_version",
    "_view_name",
    "layout",
    "tabbable",
    "tooltip",
}
PORT = {"kind", "mic_state", "muted", "problem"}
PLAYGROUND = PORT | {
    "phase",
    "session_started",
    "recorded",
    "endpoint_label",
    "dialect",
    "components",
    "turn_detection",
    "instructions",
    "voice",
    "temperature",
    "threshold",
    "prefix_padding_ms",
    "silence_duration_ms",
    "applied",
}
TUNER = PORT | {
    "threshold",
    "prefix_padding_ms",
    "silence_duration_ms",
    "exit_threshold",
    "metric",
    "session_state",
    "recorded",
    "applied",
    "note",
    "busy",
}
ROOM_TEST = PORT | {"step", "prompt", "progress", "value", "verdict", "has_session", "applied"}


def quiet_tuner():
    return VadTuner(Trace(np.zeros(100, np.float32)))


STATES = {AudioPort: PORT, Playground: PLAYGROUND, RoomTest: ROOM_TEST, quiet_tuner: TUNER}


@pytest.fixture
def make():
    made = []

    def start(kind, *args):
        made.append(kind(*args))
        return made[-1]

    yield start
    for widget in made:
        widget.close()


@pytest.mark.parametrize(("kind", "own"), STATES.items())
def test_only_listed_traits_are_synchronised(make, kind, own):
    assert set(make(kind).get_state()) == IPYWIDGETS | own


@pytest.mark.parametrize("kind", STATES)
def test_state_is_small_with_the_code_that_is_in_it(make, kind):
    state = make(kind).get_state()
    assert len(json.dumps(state, default=str)) < 4_000
    # Not even a style sheet: the loader brings it.
    assert state["_esm"] == LOADER.read_text(encoding="utf-8")


def test_state_holds_neither_key_nor_audio(make):
    playground = make(
        Playground, Endpoint.azure(endpoint="https://x.example", deployment="d", api_key="canary-7")
    )
    playground.play_audio(b"\x11\x22" * 2400)
    playground.chunk = b"\x33\x44" * 960
    state = playground.get_state()
    assert len(json.dumps(state, default=str)) < 4_000
    # Not those that other tests have left.
    own = Widget.get_manager_state(widgets=[playground, playground.layout])
    everything = json.dumps(own, default=str) + repr(playground)
    assert "canary-7" not in everything
    assert "canary-7" not in json.dumps(playground._repr_mimebundle_(), default=str)
    assert "chunk" not in state


def test_a_wrong_setting_is_refused_in_the_cell(make):
    playground = make(Playground)
    with pytest.raises(ConfigError, match="Give a number from 0 to 1"):
        playground.threshold = 1.5
    assert playground.threshold == 0.5
    with pytest.raises(ConfigError):
        playground.temperature = 0.8
    with pytest.raises(ConfigError):
        Playground(config=SessionConfig(temperature=0.8))


def test_the_preview_dialect_takes_a_temperature(make):
    playground = make(Playground, Endpoint.local(dialect="preview"))
    playground.temperature = 0.8
    assert playground.temperature == 0.8


def test_making_a_playground_opens_nothing(make):
    playground = make(Playground)
    assert playground.session.state == "idle"
    assert len(playground.log) == 0


def test_it_shows_that_the_session_is_recorded(make, tmp_path):
    playground = make(Playground, Endpoint.local(reply="rules"))
    playground._observers.stop()
    playground._observers.join(10)
    session, seen = playground.session, []
    playground.observe(lambda change: seen.append(change["new"]), "recorded")
    playground._publish()
    session.record_blocking(tmp_path / "a.rtlog", purpose="a test")
    playground._publish()
    session.stop_recording_blocking()
    playground._publish()
    assert seen == [True, False]


def test_a_wait_is_counted_down_until_something_else_is_said(make):
    playground, seen = make(Playground), []
    playground._observers.stop()
    playground._observers.join(10)
    playground.observe(lambda change: seen.append(change["new"]), "problem")
    told = {"cause": "x.example is at its limit (HTTP 429).", "delay_s": 2.0, "code": 429}

    def happens(type_, now_s, **data):
        playground.session._link.clock_s = lambda: now_s
        if type_:
            playground._on_event(playground.session, Event(now_s, "local", type_, data))
        playground._publish()

    happens("local.reconnecting", 5.0, **told)
    for now_s in (5.4, 6.2, 6.9):
        happens("", now_s)
    happens("local.connected", 7.1)
    happens("", 7.2)
    again = "x.example is at its limit (HTTP 429). Connecting again"
    assert seen == [f"{again} in 2 s …", f"{again} in 1 s …", f"{again} …", ""][: len(seen)]
    assert len(seen) == 4
    happens("local.reconnecting", 8.0, **told)
    happens("local.error", 8.1, message="Something else.")
    happens("", 8.2)
    assert playground.problem == "Something else."


def test_equal_chunks_are_all_observed(make):
    port, seen = make(AudioPort), []
    port.observe(lambda change: seen.append(change["new"]), "chunk")
    for _ in range(3):
        port.chunk = b"\0\0"
    assert seen == [b"\0\0"] * 3


def test_a_closed_widget_can_be_closed_again(make):
    port = make(AudioPort)
    port.close()
    port.close()


def test_a_still_summary_stands_beside_the_view(make):
    bundle, _ = make(Playground)._repr_mimebundle_()
    assert {"text/plain", "text/html", "application/vnd.jupyter.widget-view+json"} <= set(bundle)
