"""Faults by seed: whatever they are and however they combine, the same seed does the same."""

from __future__ import annotations

from collections import Counter

from engine_driver import Driver
from hypothesis import given
from hypothesis import strategies as st

from rt_notebook.core import wire_json
from rt_notebook.server.host.faults import FAULTS, FaultPlan
from rt_notebook.server.host.wire_actions import Pass

STREAM = st.sampled_from([name for name, kind in FAULTS.items() if kind.make is not None])
HARMLESS = st.sampled_from(["invalid-json", "binary-frame", "duplicate", "reorder", "slow", "unknown-event"])


@st.composite
def wanted(draw, names=STREAM):
    """A fault with settings."""
    name = draw(names)
    settings = {
        "after": draw(st.integers(1, 12)),
        "times": draw(st.integers(0, 3)),
        "probability": draw(st.sampled_from([0, 0.3, 0.7, 1])),
    }
    if name == "huge-frame":
        settings["mib"] = 0.001
    return f"{name}:" + ",".join(f"{key}={value}" for key, value in settings.items())


@st.composite
def conversations(draw):
    """The events of a session in which things are said, answered and interrupted."""
    driver = Driver()
    for _ in range(draw(st.integers(0, 3))):
        driver.send("response.create")
        if driver.replying:
            driver.reply(*["Well. "] * draw(st.integers(1, 3)), end=draw(st.booleans()))
        driver.send(draw(st.sampled_from(["response.cancel", "input_audio_buffer.clear", "nonsense"])))
    return driver.events


def run(faults, seed, events, connection=1):
    plan = FaultPlan(faults, seed)
    line = [plan.next_connection() for _ in range(connection)][-1]
    return [action for event in events for action in line.to_client(event)]


@given(st.lists(wanted(), max_size=4), st.integers(0, 9), st.integers(1, 3), conversations())
def test_the_same_seed_does_the_same(faults, seed, connection, events):
    first, second = (run(faults, seed, events, connection) for _ in range(2))
    assert first == second


@given(st.lists(wanted(), max_size=4), st.integers(0, 9), conversations())
def test_whatever_is_sent_can_be_sent_and_the_events_given_are_not_changed(faults, seed, events):
    before = [wire_json.encode(event) for event in events]
    for action in run(faults, seed, events):
        if isinstance(action, Pass):
            assert wire_json.decode(wire_json.encode(action.event)) == action.event
    assert [wire_json.encode(event) for event in events] == before


@given(st.lists(wanted(HARMLESS), max_size=3), st.integers(0, 9), conversations())
def test_nothing_is_lost_by_faults_that_do_not_end_a_connection(faults, seed, events):
    sent = [action.event["event_id"] for action in run(faults, seed, events) if isinstance(action, Pass)]
    held = sum(name.startswith("reorder") for name in faults)  # each holds one event back at most
    missing = Counter(event["event_id"] for event in events) - Counter(sent)
    assert sum(missing.values()) <= held


def test_seeds_draw_different_lots():
    driver = Driver()
    driver.send("response.create")
    driver.reply("One. ", "Two. ", "Three.")
    drawn = {str(run(["duplicate:probability=0.5"], seed, driver.events)) for seed in range(10)}
    assert len(drawn) > 5
    connections = {str(run(["duplicate:probability=0.5"], 0, driver.events, n)) for n in range(1, 10)}
    assert len(connections) > 5
