"""An endpoint may put anything into any field: the log stays readable, and so do its files and its bundle."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
from all_folds import JSON, fold_all
from hypothesis import given
from hypothesis import strategies as st

from rt_notebook.core.events import Event
from rt_notebook.core.scrub import scrubbed
from rt_notebook.io.bundle.manifest import Manifest
from rt_notebook.io.bundle.recording import Recording, load
from rt_notebook.log.event_log import EventLog
from rt_notebook.log.history import fold_history
from rt_notebook.log.settings_table import fold_settings, settings_table

if TYPE_CHECKING:
    from pathlib import Path


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
            if isinstance(there, dict) == isinstance(last, str):
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
@pytest.mark.parametrize("whose", ["received", "ours"])
def test_no_odd_value_in_any_field_breaks_a_fold_a_file_or_a_bundle(odd, whose, tmp_path) -> None:
    """Each known event of one side has it in its first field, then each in its second, and so on."""
    waiting = [
        [place for place in PLACES if place[0] == number]
        for number, (direction, _, _) in enumerate(KNOWN)
        if (direction == "received") == (whose == "received")
    ]
    for nth in range(max(map(len, waiting))):
        check_everything(with_odd({row[nth]: ODD[odd] for row in waiting if nth < len(row)}), tmp_path)


@given(st.dictionaries(st.sampled_from(PLACES), JSON | st.sampled_from(list(ODD.values())), max_size=20))
def test_no_values_in_any_fields_break_a_fold_a_file_or_a_bundle(tmp_path_factory, values) -> None:
    check_everything(with_odd(values), tmp_path_factory.mktemp("odd"))
