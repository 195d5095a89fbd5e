"""What holds for the folds of every log: scripted or recorded, whole, cut, shuffled or broken."""

from __future__ import annotations

import copy
import dataclasses
import math
import random
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from recorded_log import GA_RECORDINGS, recorded_events
from scripted_log import Script

from rt_notebook.core.events import CLIENT_EVENTS, LOCAL_EVENTS, SERVER_EVENTS, Event
from rt_notebook.core.scrub import scrubbed
from rt_notebook.io.bundle.manifest import Manifest
from rt_notebook.io.bundle.recording import Recording, load
from rt_notebook.log.event_log import EventLog
from rt_notebook.log.explain import explain_of
from rt_notebook.log.glitches import glitches_of
from rt_notebook.log.history import fold_history
from rt_notebook.log.latency import ERRORS, PARTS, fold_latency, latency_of
from rt_notebook.log.ledger import Ledger
from rt_notebook.log.reported_errors import errors_of
from rt_notebook.log.segments import fold_segments
from rt_notebook.log.settings_table import fold_settings, settings_table
from rt_notebook.log.store import EventStore
from rt_notebook.log.table import events_table
from rt_notebook.log.turns import Turns, fold_turns
from rt_notebook.log.usage import usage_of

if TYPE_CHECKING:
    from pathlib import Path

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


def fold_all(events: list[Event]) -> None:
    log = EventLog(events)
    turns = log.fold_turns()
    assert len(log.turns()) == len(log.latency()) == len(turns)
    assert [turn.turn for turn in turns] == list(range(1, len(turns) + 1))
    assert len(log.to_pandas()) == len(events)
    log.transcript()
    assert list(log) == events
    assert len(log.usage()) == len(turns)
    assert log.forecast(30.0)["expected_tokens"].min() >= 0
    assert log.glitches()["t_s"].is_monotonic_increasing
    assert set(log.errors()["turn"].dropna()) <= {turn.turn for turn in turns}
    assert len(log.errors()) <= len(events)
    assert log.explain().text
    assert log._repr_html_().startswith("<div")
    for span in fold_segments(events).spans:
        assert span.start_s < span.end_s
    check_sums(events)


def check_sums(events: list[Event]) -> None:
    for row in fold_latency(events):
        parts = [getattr(row, part) for part in PARTS]
        for part, error in zip(PARTS, ERRORS, strict=True):
            assert math.isnan(getattr(row, part)) <= math.isnan(getattr(row, error))
        if not math.isnan(row.total_ms):
            assert sum(part for part in parts if not math.isnan(part)) == row.total_ms


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


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["", "a", "b", "root", "message", "user"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "type", "role", "content"]), inner)
    ),
    max_leaves=6,
)
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


def nested(depth: int, kind: type) -> object:
    value: object = kind()
    for _ in range(depth):
        value = [value] if kind is list else {"a": value}
    return value


ODD = {
    "a list": ["odd"],
    "an object": {"odd": 1},
    "a word": "odd",
    "nothing": None,
    "yes": True,
    "large": 1e308,
    "below": -1e308,
    "not in 64 bits": 2**63,
    "not in a float": 10**400,
    "deep lists": nested(700, list),
    "deep objects": nested(700, dict),
}
DETECTION = {"type": "server_vad", "prefix_padding_ms": 300, "silence_duration_ms": 200, "threshold": 0.5}
SESSION = {"id": "s", "output_modalities": ["audio"], "audio": {"input": {"turn_detection": DETECTION}}}
PART = {"response_id": "r", "item_id": "b", "output_index": 0, "content_index": 0}
SAID = {"type": "message", "role": "assistant", "content": [{"type": "output_audio", "transcript": "Yes."}]}
ASKED = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Well?"}]}
CALL = {"type": "function_call", "name": "f", "call_id": "c", "arguments": "{}"}
FAILURE = {"type": "server_error", "code": "x", "message": "No.", "param": "p", "event_id": "e"}
KNOWN: list[tuple[str, str, dict[str, object]]] = [
    ("sent", "session.update", {"session": SESSION}),
    ("sent", "input_audio_buffer.append", {"envelope": "0000", "page_recorded_s": 1.0, "arrived_s": 1.0}),
    ("sent", "conversation.item.create", {"event_id": "e", "item": ASKED}),
    ("sent", "conversation.item.truncate", {"item_id": "b", "audio_end_ms": 100}),
    ("sent", "response.create", {"event_id": "e"}),
    (
        "received",
        "session.created",
        {"session": SESSION | {"rt_notebook": {"components": {"speak": {"name": "x"}}}}},
    ),
    ("received", "session.updated", {"session": SESSION}),
    ("received", "error", {"error": FAILURE}),
    ("received", "input_audio_buffer.speech_started", {"item_id": "a", "audio_start_ms": 100}),
    ("received", "input_audio_buffer.speech_stopped", {"item_id": "a", "audio_end_ms": 900}),
    ("received", "input_audio_buffer.committed", {"item_id": "a", "previous_item_id": None}),
    ("received", "conversation.item.added", {"item": {"id": "a"} | ASKED, "previous_item_id": None}),
    ("received", "conversation.item.done", {"item": {"id": "b"} | CALL}),
    ("received", "conversation.item.input_audio_transcription.delta", {"item_id": "a", "delta": "W"}),
    (
        *("received", "conversation.item.input_audio_transcription.completed"),
        {
            "item_id": "a",
            "content_index": 0,
            "transcript": "Well?",
            "usage": {"seconds": 3, "total_tokens": 4},
        },
    ),
    ("received", "conversation.item.input_audio_transcription.failed", {"item_id": "a", "error": FAILURE}),
    ("received", "response.created", {"response": {"id": "r", "conversation_id": "c", "output": []}}),
    (
        "received",
        "response.output_item.added",
        {"response_id": "r", "output_index": 0, "item": {"id": "b"} | SAID},
    ),
    ("received", "response.output_audio.delta", PART),
    ("received", "response.output_audio_transcript.delta", PART | {"delta": "Y"}),
    ("received", "response.output_audio_transcript.done", PART | {"transcript": "Yes."}),
    ("received", "response.function_call_arguments.done", PART | {"call_id": "c", "arguments": "{}"}),
    (
        *("received", "response.done"),
        {
            "response": {
                "id": "r",
                "status": "failed",
                "status_details": {"type": "failed", "reason": "x", "error": FAILURE},
                "output": [{"id": "b"} | SAID],
                "usage": {
                    "input_token_details": {"text_tokens": 3, "cached_tokens_details": {"text_tokens": 1}},
                    "output_token_details": {"text_tokens": 3, "audio_tokens": 5},
                },
            }
        },
    ),
    ("received", "rate_limits.updated", {"rate_limits": [{"name": "tokens", "limit": 1}]}),
    ("local", "local.connected", {"endpoint": "x", "dialect": "ga", "generation": 1}),
    ("local", "local.closed", {"by": "loss", "code": 1006, "reason": "", "expected": False, "generation": 1}),
    ("local", "local.reconnecting", {"attempt": 1, "delay_s": 0.1, "cause": "loss", "code": 1006}),
    ("local", "local.gap", {"cause": "loss", "length_s": 0.1, "lost_samples": 9, "restored_items": ["a"]}),
    ("local", "local.gave_up", {"message": "No.", "cause": "loss", "why": "x"}),
    ("local", "local.limit", {"limit": "max_minutes", "value": 1, "message": "Over."}),
    (
        "local",
        "local.playback",
        {"item_id": "b", "played_samples": 900, "dropped_samples": 9, "state": "ended"},
    ),
    ("local", "local.clock", {"client": "p", "asked_s": 1, "received_s": 1, "answered_s": 1, "arrived_s": 1}),
    ("local", "local.round_trip", {"round_trip_s": 0.1}),
    ("local", "local.mic_opened", {"client": "p", "input_latency_s": 0.1}),
    ("local", "local.mic_closed", {"reason": "x"}),
    ("local", "local.mic_gap", {"lost_samples": 9, "where": "outbox"}),
    ("local", "local.tool_call", {"call_id": "c", "name": "f", "state": "running", "duration_ms": 3}),
    ("local", "local.recording", {"state": "failed", "message": "No."}),
    ("local", "local.error", {"message": "No.", "code": "x", "response_id": "r"}),
]


Place = tuple[object, ...]


def places(value: object, path: Place = ()) -> list[Place]:
    """Return the path of everything inside of a value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, entry in inner for place in [(*path, key), *places(entry, (*path, key))]]


PLACES = [(number, *place) for number, (_, _, data) in enumerate(KNOWN) for place in places(data)]


def with_odd(values: dict[Place, object]) -> list[Event]:
    """Return a log of all known events, with values in place of others."""
    payloads: list[Any] = [{"type": type_} | copy.deepcopy(data) for _, type_, data in KNOWN]
    for place, value in values.items():
        *way, last = place
        there: Any = payloads
        try:
            for step in way:
                there = there[step]
            there[last] = value
        except (TypeError, KeyError, IndexError):
            continue  # something else stands there already
    events = []
    for number, ((direction, type_, _), data) in enumerate(zip(KNOWN, payloads, strict=True)):
        samples = 2400 if type_.endswith(("append", "output_audio.delta")) else 0
        events.append(Event(number / 10, direction, type_, data, samples, -20.0 if samples else None))
    return events


def check_everything(events: list[Event], folder: Path) -> None:
    fold_all(events)
    fold_history(events)
    settings_table(fold_settings(events))
    types = [event.type for event in events]
    lines = EventLog(events).to_jsonl(folder / "log.jsonl")
    assert [event.type for event in EventLog.from_jsonl(lines)] == types
    recording = Recording(EventLog(map(scrubbed, events)), {}, Manifest(events=len(events)))
    for kept in (recording, recording.redact()):
        loaded = load(kept.save(folder / "log.rtlog", overwrite=True))
        assert [event.type for event in loaded.log] == types
        assert len(loaded.log.turns()) == len(loaded.log.fold_turns())
        assert loaded.index.samples == {"user": 2400, "assistant": 2400}


@pytest.mark.parametrize("odd", ODD)
def test_no_odd_value_in_any_field_breaks_a_fold_a_file_or_a_bundle(odd, tmp_path) -> None:
    """Each known event has it in its first field, then each in its second, and so on."""
    waiting = [[place for place in PLACES if place[0] == number] for number in range(len(KNOWN))]
    for nth in range(max(map(len, waiting))):
        check_everything(with_odd({row[nth]: ODD[odd] for row in waiting if nth < len(row)}), tmp_path)


@given(st.dictionaries(st.sampled_from(PLACES), JSON | st.sampled_from(list(ODD.values())), max_size=20))
def test_no_values_in_any_fields_break_a_fold_a_file_or_a_bundle(tmp_path_factory, values) -> None:
    check_everything(with_odd(values), tmp_path_factory.mktemp("odd"))


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
