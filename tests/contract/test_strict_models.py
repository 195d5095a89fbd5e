"""The oracle of shape is itself put to the test: real wires pass, and damaged events are caught."""

from __future__ import annotations

import copy

import pytest
from strict_models import ALLOWED, MODELS, problems
from wire_recordings import RECORDINGS, received

GA_RECORDINGS = [name for name, dialect in RECORDINGS.items() if dialect == "ga"]
# Voice Live speaks a dialect of its own that is close to preview. This is all that sets its wire apart, once
# its voices (objects) are put into the preview form (names).
VOICE_LIVE = {
    "conversation.item.done: no event of this dialect",
    "conversation.item.input_audio_transcription.completed.usage: Field required",
    *(
        f"session.{kind}.session.{name}: unknown field"
        for kind in ("created", "updated")
        for name in (
            *("animation", "avatar", "include", "input_audio_echo_cancellation", "input_audio_sampling_rate"),
            *("output_audio_timestamp_types", "truncation_strategy"),
            *("turn_detection.appended_text_after_truncation", "turn_detection.auto_truncate"),
            *("turn_detection.end_of_utterance_detection", "turn_detection.idle_timeout_ms"),
            "turn_detection.speech_duration_ms",
        )
    ),
    "session.updated.session.input_audio_transcription.custom_speech: unknown field",
    "session.updated.session.input_audio_transcription.phrase_list: unknown field",
}
FREE_FORM = {"parameters", "properties", "metadata"}  # the client's own objects: any field is right


def with_plain_voice(event):
    for key in ("session", "response"):
        if isinstance(event.get(key), dict) and isinstance(event[key].get("voice"), dict):
            event = event | {key: event[key] | {"voice": event[key]["voice"]["name"]}}
    return event


def objects(value, path=()):
    """Every object in an event, as the path to it."""
    if isinstance(value, dict):
        yield path
        for key, inner in value.items():
            if key not in FREE_FORM:
                yield from objects(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from objects(inner, (*path, index))


@pytest.fixture(params=GA_RECORDINGS)
def one_of_each(request, shared_data):
    """One event of each type of a recording."""
    return {event["type"]: event for event in received(shared_data, request.param)}.values()


@pytest.mark.parametrize("name", GA_RECORDINGS)
def test_what_the_endpoints_sent_passes(shared_data, name):
    for event in received(shared_data, name):
        assert problems(event, "ga") == []


def test_what_voice_live_sent_passes_but_for_its_own_ways(shared_data):
    found = set()
    for event in received(shared_data, "azure_voice_live_spoken_turn"):
        found |= {problem.partition(" (got")[0] for problem in problems(with_plain_voice(event), "preview")}
    assert found == VOICE_LIVE


def test_a_required_field_that_is_missing_is_caught(one_of_each):
    for event in one_of_each:
        model = MODELS["ga"][event["type"]]
        required = [name for name, field in model.model_fields.items() if field.is_required()]
        assert {"type", "event_id"} <= set(required)
        for name in required:
            damaged = {key: value for key, value in event.items() if key != name}
            assert problems(damaged, "ga"), f"{event['type']} without {name}"


def test_an_unknown_field_is_caught_however_deep_it_is(one_of_each):
    for event in one_of_each:
        for path in objects(event):
            if path[:1] == ("content",):
                continue  # Azure's second copy of the part, which no model describes
            damaged = inner = copy.deepcopy(event)
            for step in path:
                inner = inner[step]
            inner["surprise"] = 1
            assert any("surprise" in found for found in problems(damaged, "ga")), (event["type"], path)


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (lambda e: e["response"].update(status="finished"), "response.status"),
        (lambda e: e["response"]["audio"]["output"]["format"].update(rate=16_000), "response.audio"),
        (lambda e: e["response"]["usage"].update(total_tokens="205"), "response.usage.total_tokens"),
        (lambda e: e["response"]["usage"].update(total_tokens=20.5), "response.usage.total_tokens"),
        (lambda e: e["response"]["output"][0].update(role="narrator"), "response.output.0"),
        (lambda e: e["response"]["output"][0]["content"][0].update(type="audio"), "response.output.0"),
        (lambda e: e["response"].update(output={}), "response.output"),
        (lambda e: e.update(event_id=None), "event_id"),
        (lambda e: e.update(type="response.finished"), "response.finished"),
    ],
)
def test_a_wrong_value_is_caught_where_it_is(shared_data, change, path):
    event = copy.deepcopy(received(shared_data, "openai_spoken_turn")[-1])
    assert event["type"] == "response.done"
    change(event)
    assert any(path in found for found in problems(event, "ga"))


def test_one_dialect_is_not_taken_for_the_other(shared_data):
    ga_only = {"response.output_audio.delta", "conversation.item.added", "conversation.item.done"}
    for event in received(shared_data, "openai_spoken_turn"):
        if event["type"] in ga_only or event["type"] in {"session.created", "response.done"}:
            assert problems(event, "preview"), event["type"]


@pytest.mark.parametrize(
    ("dialect", "pattern"),
    [
        (dialect, pattern)  # preview recordings have neither calls nor transcription sessions
        for dialect in ALLOWED
        for pattern in ALLOWED[dialect]
        if not pattern.startswith("transcription_session.")
        and not pattern.endswith((".rt_notebook", ".name"))
    ],
)
def test_nothing_is_allowed_that_no_wire_has(shared_data, monkeypatch, dialect, pattern):
    events = [
        with_plain_voice(event)
        for name, spoken in RECORDINGS.items()
        if spoken == {"preview": "voice_live"}.get(dialect, dialect)
        for event in received(shared_data, name)
    ]
    before = sum(len(problems(event, dialect)) for event in events)
    monkeypatch.delitem(ALLOWED[dialect], pattern)
    assert sum(len(problems(event, dialect)) for event in events) > before, "needless: strike it out"
