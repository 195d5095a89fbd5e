"""The tuner in the kernel: settings in, decided turns out, and what goes to the page."""

from __future__ import annotations

import asyncio
import json
import threading

import numpy as np
import pytest
import traitlets
from ipywidgets import FloatSlider, interactive

from rt_notebook import ConfigError, Endpoint, Playground, ServerVad, Session, SessionConfig, VadTuner, vad
from rt_notebook.widgets.tuner.turns import find_turns

TRACE = vad.Trace(
    np.array([0] * 20 + [0.9] * 20 + [0.1] * 12 + [0.9] * 20 + [0] * 60 + [0.6] * 20 + [0] * 60, np.float32)
)
LABELS = [(0.64, 2.3), (4.2, 4.9)]


@pytest.fixture
def tune(monkeypatch):
    """Make a tuner, and keep what it sends to the page."""
    made = []

    def send(self, content, buffers=None):
        self.__dict__.setdefault("sent", []).append(content)

    monkeypatch.setattr(VadTuner, "send", send)

    def start(*args, **options):
        made.append(VadTuner(*(args or (TRACE,)), **options))
        return made[-1]

    yield start
    for tuner in made:
        tuner.close()


def press(tuner, name, **fields):
    """Do what a button in the page does, to its end."""
    tuner._on_action({"type": "action", "client": "c", "name": name} | fields, b"")
    settle(tuner)


def slide(tuner, n, **changes):
    tuner._on_set({"type": "tuner.set", "client": "c", "n": n, "changes": changes}, b"")


def settle(tuner):
    """Wait until the desk and then the observers have done what was submitted."""
    for worker in (tuner._desk, tuner._observers):
        done = threading.Event()
        worker.submit(done.set)
        assert done.wait(60)


def test_a_setting_that_is_set_has_been_decided(tune):
    tuner = tune()
    for settings in ({"silence_duration_ms": 1000}, {"threshold": 0.7}, {"prefix_padding_ms": 0}):
        ((name, value),) = settings.items()
        setattr(tuner, name, value)
        assert tuner.turns.equals(vad.simulate(TRACE, tuner.vad))
    tuner.exit_threshold = 0.05
    assert tuner.turns.equals(vad.simulate(TRACE, tuner.vad, exit_threshold=0.05))
    assert tuner.value == {"type": "server_vad"} | {
        "threshold": 0.7,
        "prefix_padding_ms": 0,
        "silence_duration_ms": 1000,
    }


def test_the_value_is_set_at_once_and_decided_once(tune):
    tuner, seen = tune(), []
    tuner.observe(lambda change: seen.append(len(change["new"])), "turns")
    tuner.value = {"threshold": 0.55, "silence_duration_ms": 200}
    assert (tuner.threshold, tuner.prefix_padding_ms, tuner.silence_duration_ms) == (0.55, 300, 200)
    assert len(seen) == 1
    assert seen == [len(vad.simulate(TRACE, ServerVad(threshold=0.55, silence_duration_ms=200)))]


def test_the_value_takes_the_numbers_of_a_table(tune):
    tuner = tune()
    tuner.value = {"threshold": np.float32(0.25), "silence_duration_ms": np.int64(300)}
    assert json.dumps(tuner.value) == json.dumps({"type": "server_vad"} | tuner.dials)
    assert (tuner.threshold, tuner.silence_duration_ms) == (0.25, 300)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("threshold", 1.5),
        ("silence_duration_ms", -1),
        ("prefix_padding_ms", 99_999),
        ("exit_threshold", 2.0),
        ("metric", "cost"),
        ("value", {"threshold": 7}),
    ],
)
def test_a_wrong_setting_is_refused_and_loses_nothing(tune, name, value):
    tuner = tune()
    before = getattr(tuner, name), len(tuner.turns)
    with pytest.raises(ConfigError):
        setattr(tuner, name, value)
    assert (getattr(tuner, name), len(tuner.turns)) == before


def test_results_cannot_be_set(tune):
    tuner = tune()
    for name in ("turns", "score", "applied"):
        with pytest.raises(traitlets.TraitError):
            setattr(tuner, name, getattr(tuner, name))


def test_it_links_and_interacts_as_widgets_do(tune):
    tuner, slider, heard = tune(), FloatSlider(0.5, min=0, max=1), []
    traitlets.link((tuner, "threshold"), (slider, "value"))
    slider.value = 0.75
    assert tuner.threshold == 0.75
    interactive(lambda settings: heard.append(settings["threshold"]), settings=tuner)
    tuner.threshold = 0.25
    assert heard[-1] == 0.25


def test_sliders_of_the_page_are_coalesced_and_answered_with_the_newest(tune):
    tuner, decided = tune(), []
    tuner.observe(lambda change: decided.append(change["new"]), "threshold")
    busy = threading.Event()
    tuner._observers.submit(busy.wait)
    for n in range(1, 50):
        slide(tuner, n, threshold=n / 100)
    slide(tuner, 50, silence_duration_ms=200)
    busy.set()
    settle(tuner)
    assert decided == [0.49]
    assert tuner.silence_duration_ms == 200
    answers = [m for m in tuner.sent if m["type"] == "tuner.turns" and m["asked_by"] == "c"]
    assert answers[-1]["n"] == 50
    assert answers[-1]["settings"]["threshold"] == 0.49
    assert answers[-1]["settings"]["silence_duration_ms"] == 200


def test_cells_and_the_page_turn_different_dials_at_once_and_both_count(tune):
    tuner = tune()

    def cell():
        for ms in range(200):
            tuner.prefix_padding_ms = ms

    thread = threading.Thread(target=cell)
    thread.start()
    for n in range(1, 200):
        slide(tuner, n, threshold=n / 200, silence_duration_ms=100 + n)
    thread.join()
    settle(tuner)
    assert (tuner.threshold, tuner.silence_duration_ms, tuner.prefix_padding_ms) == (0.995, 299, 199)
    assert tuner.turns.equals(vad.simulate(TRACE, tuner.vad))
    assert tuner.value == {"type": "server_vad"} | tuner.dials


def test_whoever_observes_the_value_may_set_another(tune):
    tuner = tune()
    tuner.observe(lambda change: tuner.set_trait("value", change["new"] | {"threshold": 0.25}), "value")
    tuner.silence_duration_ms = 320
    assert (tuner.threshold, tuner.silence_duration_ms) == (0.25, 320)
    assert tuner.value["threshold"] == 0.25


def test_what_the_page_wants_is_checked_too(tune):
    tuner = tune()
    slide(tuner, 1, threshold=3)
    slide(tuner, 2, __class__=1, problem="x", _desk=None)
    settle(tuner)
    assert tuner.threshold == 0.5
    assert "Give a number from 0 to 1" in tuner.problem


def test_labels_bring_metrics_and_marks_are_labels(tune):
    tuner = tune()
    assert tuner.metric == "turns_per_min"
    press(tuner, "marks", rows=[[640, 2300], [4200, 4900]])
    assert tuner.labels.tolist() == [[0.64, 2.3], [4.2, 4.9]]
    assert tuner.metric == "cost"
    assert tuner.sweep.at(ServerVad())["cost"] == pytest.approx(
        vad.sweep([TRACE], labels=[LABELS]).at(ServerVad())["cost"]
    )
    tuner.silence_duration_ms = 200
    tuner._plan()
    settle(tuner)
    wanted = vad.sweep([TRACE], silence_duration_ms=[200], labels=[LABELS])
    assert tuner.score["false_cutoff_rate"] == wanted.at(tuner.vad)["false_cutoff_rate"] == 0.5
    tuner.labels = []
    assert tuner.metric == "turns_per_min"


def test_the_plane_is_made_once_for_what_it_depends_on(tune):
    tuner = tune(TRACE, labels=LABELS)
    first = tuner.sweep
    tuner.threshold, tuner.silence_duration_ms = 0.3, 900
    assert tuner.sweep is first
    tuner.exit_threshold = 0.02
    assert tuner.sweep is not first
    assert tuner.sweep.settings.exit_threshold == 0.02


def test_before_is_what_the_session_was_told(tune):
    config = SessionConfig(turn_detection=ServerVad(threshold=0.7, silence_duration_ms=250))
    session = Session(Endpoint.local(), config)
    tuner = tune(TRACE, session=session)
    assert (tuner.threshold, tuner.silence_duration_ms) == (0.7, 250)
    heard = tuner._tuning.heard
    assert heard.before.tolist() == find_turns([(0, TRACE)], config.turn_detection).tolist()
    tuner.threshold = 0.2
    assert tuner.apply() is None
    assert session.config.turn_detection.threshold == 0.2
    session.close_blocking()
    with pytest.raises(ConfigError, match="has ended"):
        tuner.apply()


def test_a_playground_learns_what_is_applied(tune):
    playground = Playground()
    tuner = tune(TRACE, session=playground)
    tuner.value = {"silence_duration_ms": 320}
    tuner.apply()
    assert playground.silence_duration_ms == 320
    assert tuner.session is playground.session
    playground.close()


def test_without_a_session_it_says_how_to_give_one(tune):
    tuner = tune()
    with pytest.raises(ConfigError, match=r"VadTuner\(session="):
        tuner.apply()
    press(tuner, "apply")
    assert "VadTuner(session=" in tuner.problem


def test_state_is_small_and_holds_neither_audio_nor_labels(tune):
    # 600 turns of six seconds: an hour.
    tuner = tune(
        vad.Trace(np.tile(TRACE.probabilities, 530)), labels=[(6 * k, 6 * k + 4) for k in range(600)]
    )
    assert len(tuner.turns) > 1000
    assert len(json.dumps(tuner.get_state(), default=str)) < 4_000


def test_a_saved_notebook_shows_a_picture(tune):
    bundle, _ = tune()._repr_mimebundle_()
    assert bundle["image/png"].startswith(b"\x89PNG")
    assert "text/html" not in bundle
    assert 5_000 < len(bundle["image/png"]) < 100_000


def test_the_update_is_told_in_both_dialects(tune):
    tuner = tune()
    tuner.threshold = 0.7
    ga, preview = tuner.update_event(), tuner.update_event("preview")
    assert ga["session"]["audio"]["input"]["turn_detection"]["threshold"] == 0.7
    assert preview["session"]["turn_detection"]["threshold"] == 0.7
    assert "type" not in preview["session"]
    assert "idle_timeout_ms" not in preview["session"]["turn_detection"]


@pytest.mark.speech
def test_a_live_session_acknowledges_what_is_applied(tune):
    async def converse():
        session = await Session(Endpoint.local(reply="echo")).connect()
        tuner = tune(TRACE, session=session)
        tuner.value = {"threshold": 0.62, "prefix_padding_ms": 120, "silence_duration_ms": 380}
        await tuner.apply()
        settle(tuner)
        applied, settings = dict(tuner.applied), session.settings()
        await session.close()
        return applied, tuner.note, settings

    applied, note, settings = asyncio.run(converse())
    assert applied == {"threshold": 0.62, "prefix_padding_ms": 120, "silence_duration_ms": 380}
    assert "acknowledged threshold 0.62, padding 120 ms, silence 380 ms" in note
    acknowledged = settings.set_index("setting")["acknowledged"]
    assert acknowledged["audio.input.turn_detection.silence_duration_ms"] == 380
