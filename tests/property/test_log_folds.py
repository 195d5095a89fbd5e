"""What holds for the folds of every log: scripted or recorded, whole, cut, shuffled or broken."""

from __future__ import annotations

import dataclasses
import random

import pandas as pd
import pytest
from all_folds import JSON, check_sums, fold_all
from hypothesis import given
from hypothesis import strategies as st
from recorded_log import GA_RECORDINGS, recorded_events
from scripted_log import Script

from rt_notebook.core.events import CLIENT_EVENTS, LOCAL_EVENTS, SERVER_EVENTS, Event
from rt_notebook.log.event_log import EventLog
from rt_notebook.log.explain import explain_of
from rt_notebook.log.glitches import glitches_of
from rt_notebook.log.latency import latency_of
from rt_notebook.log.ledger import Ledger
from rt_notebook.log.reported_errors import errors_of
from rt_notebook.log.segments import fold_segments
from rt_notebook.log.store import EventStore
from rt_notebook.log.table import events_table
from rt_notebook.log.turns import Turns, fold_turns
from rt_notebook.log.usage import usage_of

FINAL = {"completed", "cancelled", "incomplete"}
"""What is over. A failed answer may be asked for again, and so may one that a connection took along."""

LATE = {"user", "transcribed_s", "heard_ms", "playback_started_s", "interrupted"}
"""What may become known after a turn is over: the transcript, and what the speaker reports."""


@st.composite
def sessions(draw) -> list[Event]:
    script = Script(silence_ms=draw(st.integers(100, 900)), padding_ms=draw(st.integers(0, 400)))
    t_s = 0.6
    for _ in range(draw(st.integers(0, 4))):
        kind = draw(st.sampled_from(["spoken", "spoken", "typed", "unasked", "called"]))
        if kind == "spoken":
            end_s = t_s + draw(st.floats(0.2, 2.0))
            text = draw(st.one_of(st.none(), st.text(max_size=20)))
            script.say(text, t_s, end_s, transcribed_s=draw(st.floats(-0.3, 6.0)))
            t_s = end_s + script.silence_ms / 1000 + 0.05
        elif kind == "typed":
            script.type(draw(st.text(min_size=1, max_size=20)), t_s)
            t_s += 0.05
        if kind == "called":
            t_s = max(t_s, script.end_s + 0.1)  # a connection that is lost says nothing afterwards
            script.type("Call it.", t_s)
            call_id = script.call(t_s + 0.05)
            if draw(st.booleans()):
                script.lose(t_s + 0.1)
                t_s += 0.4
                continue
            script.output(call_id, t_s + 0.1)
            t_s += 0.2
        if kind == "unasked" or draw(st.integers(0, 4)):
            script.answer(
                draw(st.sampled_from(["Yes.", "It is sunny in Lisbon.", "One two three four five six."])),
                t_s,
                draw(st.floats(0.2, 3.0)),
                heard_s=draw(st.one_of(st.none(), st.floats(0.1, 1.5))),
                speaker=draw(st.booleans()),
                status=draw(st.sampled_from(["completed", "completed", "cancelled", "failed"])),
            )
        t_s = max(t_s, script.end_s if draw(st.booleans()) else t_s) + draw(st.floats(0.3, 2.0))
    return list(script.log(microphone=draw(st.booleans())))


def damaged(events: list[Event], seed: int) -> list[Event]:
    """The same events with some lost, some doubled and all out of order."""
    rng = random.Random(seed)
    left = [event for event in events for _ in range(rng.choice([0, 1, 1, 2]))]
    rng.shuffle(left)
    return left


def settled(events: list[Event]) -> list[dict[str, object]]:
    over = [turn for turn in fold_turns(events) if turn.status in FINAL]
    turns = [dataclasses.asdict(turn) for turn in over if turn.status_reason != "connection_closed"]
    return [{name: value for name, value in turn.items() if name not in LATE} for turn in turns]


def check_prefixes(events: list[Event]) -> None:
    whole = {turn["turn"]: turn for turn in settled(events)}
    ends = [i + 1 for i, event in enumerate(events) if not event.type.endswith((".append", ".delta"))]
    for end in ends:
        for turn in settled(events[:end]):
            assert turn == whole.get(turn["turn"])


@given(sessions())
def test_a_turn_that_is_over_does_not_change_any_more(events) -> None:
    check_prefixes(events)


@given(sessions())
def test_folding_again_gives_the_same(events) -> None:
    assert fold_turns(events) == fold_turns(events)
    assert fold_segments(events) == fold_segments(events)
    assert EventLog(events)._repr_html_() == EventLog(events)._repr_html_()


@given(sessions())
def test_the_parts_of_a_latency_sum_exactly_to_its_total(events) -> None:
    check_sums(events)


@given(sessions(), st.integers())
def test_no_loss_and_no_order_of_events_breaks_a_fold(events, seed) -> None:
    fold_all(damaged(events, seed))


@given(sessions(), st.integers())
def test_events_that_come_twice_count_once(events, seed) -> None:
    rng = random.Random(seed)
    doubled = [
        event for event in events for _ in range(2 if "event_id" in event.data and rng.random() < 0.5 else 1)
    ]
    assert fold_turns(doubled) == fold_turns(events)


@given(sessions())
def test_folds_leave_the_events_as_they_are(events) -> None:
    before = repr(events)
    fold_all(events)
    assert repr(events) == before


FIELDS = [
    *("event_id", "item_id", "response_id", "previous_item_id", "call_id", "conversation_id"),
    *("item", "response", "session", "error", "delta", "transcript", "text", "output", "status"),
    *("usage", "code", "length_s", "lost_samples", "dropped_samples", "expected", "message", "reason"),
    *("name", "content_index", "output_index", "audio_start_ms", "audio_end_ms", "played_samples", "state"),
    *("envelope", "client", "asked_s", "received_s", "answered_s", "arrived_s", "round_trip_s"),
    *("page_recorded_s", "page_sent_s", "page_arrived_s", "page_started_s", "base_latency_s"),
]
ANY_EVENT = st.builds(
    Event,
    st.floats(0, 100),
    st.sampled_from(["sent", "received", "local"]),
    st.sampled_from([*sorted(CLIENT_EVENTS | SERVER_EVENTS | set(LOCAL_EVENTS)), "response.brand_new"]),
    st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=6),
    st.integers(0, 10_000),
    st.none() | st.floats(-100, 0),
)


@given(st.lists(ANY_EVENT, max_size=25))
def test_fields_of_any_shape_break_no_fold(events) -> None:
    fold_all(events)


class TestRecordings:
    @pytest.mark.parametrize("name", GA_RECORDINGS)
    def test_a_turn_that_is_over_does_not_change_any_more(self, shared_data, name) -> None:
        check_prefixes(recorded_events(shared_data, name))

    @pytest.mark.parametrize("name", [*GA_RECORDINGS, "azure_voice_live_spoken_turn"])
    def test_no_loss_and_no_order_of_events_breaks_a_fold(self, shared_data, name) -> None:
        events = recorded_events(shared_data, name)
        for seed in range(25):
            fold_all(damaged(events, seed))


@st.composite
def calls(draw) -> tuple[list[Event], list[bool]]:
    """Questions that are answered by a function, some of which the connection takes along."""
    script, told = Script(), draw(st.lists(st.booleans(), min_size=1, max_size=6))
    for number, whole in enumerate(told):
        t_s = 1.0 + 10 * number
        script.type(f"Question {number}.", t_s)
        call_id = script.call(t_s + 0.1)
        if whole:
            script.output(call_id, t_s + 0.2)
            script.answer(f"Answer {number}.", t_s + 0.3, 0.5)
        else:
            script.lose(t_s + 0.2)
    return list(script.log(microphone=False)), told


@given(calls())
def test_whatever_a_connection_takes_along_each_answer_is_that_of_its_question(called) -> None:
    events, told = called
    turns = fold_turns(events)
    assert [turn.user for turn in turns] == [f"Question {number}." for number in range(len(told))]
    for number, (turn, whole) in enumerate(zip(turns, told, strict=True)):
        assert turn.assistant == (f"Answer {number}." if whole else None)
        status = ("completed", None) if whole else ("incomplete", "connection_closed")
        assert (turn.status, turn.status_reason) == status


def everything(folds: Turns) -> list[object]:
    usage = usage_of(folds, {"output_audio": 64.0})
    return [folds.fold(), latency_of(folds), usage, errors_of(folds), glitches_of(folds), explain_of(folds)]


@given(sessions(), st.integers(), st.integers(7, 80))
def test_folds_that_are_kept_current_are_those_of_the_whole_log(events, seed, step) -> None:
    for order in (events, damaged(events, seed)):
        store, live = EventStore(), Turns()
        for index, event in enumerate(order, start=1):
            store.append(event)
            if index % step == 0 or index == len(order):
                live.read(store, index)
                assert repr(everything(live)) == repr(everything(Turns(Ledger(order[:index]))))


@given(st.lists(ANY_EVENT, max_size=25), st.integers(1, 9))
def test_a_frame_that_grows_is_the_frame_of_the_whole_log(events, step) -> None:
    live, handed_out = EventLog(), []
    for index, event in enumerate(events, start=1):
        live.append(event)
        if index % step == 0:
            handed_out.append((index, live.to_pandas()))
    for index, frame in handed_out:
        pd.testing.assert_frame_equal(frame, events_table(events[:index]), check_categorical=False)
