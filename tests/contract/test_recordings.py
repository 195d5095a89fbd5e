"""Recorded sessions of real endpoints, replayed: our server sends what the endpoint sent, but for time.

What counts as the same is said in `tests/support/canonical.py`.
"""

from __future__ import annotations

import pytest
from canonical import main_line, missing_fields, shapes, transcriptions, types
from engine_replay import EngineReplay, speech_frames
from strict_models import problems
from wire_recordings import RECORDINGS, Frame, frames

from rt_notebook.core.dialects import DIALECTS

VOICE_LIVE = "azure_voice_live_spoken_turn"
VOICE_LIVE_ONLY = {
    *("animation", "avatar", "include", "input_audio_echo_cancellation", "input_audio_sampling_rate"),
    *("output_audio_timestamp_types", "truncation_strategy", "reasoning_tokens", "custom_speech"),
    *("phrase_list", "appended_text_after_truncation", "auto_truncate", "end_of_utterance_detection"),
    *("idle_timeout_ms", "speech_duration_ms"),
}


def as_preview(recorded: list[Frame]) -> list[Frame]:
    """Take out of what Voice Live sent the settings that only it has; what its client sent is left alone."""
    return [frame if frame.sent else Frame(False, without_voice_live(frame.event)) for frame in recorded]


def without_voice_live(value):
    if isinstance(value, list):
        return [without_voice_live(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    kept = {key: without_voice_live(inner) for key, inner in value.items() if key not in VOICE_LIVE_ONLY}
    if isinstance(kept.get("voice"), dict):
        kept["voice"] = kept["voice"]["name"]
    return kept


@pytest.fixture(params=list(RECORDINGS))
def recording(request, shared_data):
    """One recording: its name, its frames and its dialect."""
    recorded = frames(shared_data, request.param)
    return request.param, as_preview(recorded) if request.param == VOICE_LIVE else recorded


@pytest.fixture(params=["hears", "reads"])
def replayed(recording, request):
    """What the endpoint sent and what our engine sent to the same client, both on the wire.

    The endpoints' models hear. Ours may only read what was said: then it answers after the transcription.
    """
    name, recorded = recording
    needs_words = request.param == "reads"
    if name == "azure_transcription_failed" and needs_words:
        needs_words = False  # nothing to read: no model that needs words could have answered
    theirs = [frame.event for frame in recorded if not frame.sent]
    return name, theirs, EngineReplay(recorded, name, needs_words=needs_words).run().wire


def aligned(theirs, ours):
    has_limits = "rate_limits.updated" in types(theirs)
    return main_line(theirs, rate_limits=has_limits), main_line(ours, rate_limits=has_limits)


@pytest.mark.conformance("rule/wire.recordings")
def test_the_engine_sends_the_same_events_in_the_same_order(replayed):
    _, theirs, ours = replayed
    expected, got = aligned(theirs, ours)
    assert types(got) == types(expected)
    assert transcriptions(ours) == transcriptions(theirs)


@pytest.mark.conformance("rule/wire.recordings")
def test_the_same_ids_roles_and_statuses_run_through_the_events(replayed):
    _, theirs, ours = replayed
    expected, got = (shapes(events) for events in aligned(theirs, ours))
    assert got == expected


@pytest.mark.conformance("rule/wire.recordings-fields")
def test_no_field_of_the_endpoint_is_missing(replayed):
    _, theirs, ours = replayed
    expected, got = aligned(theirs, ours)
    lacking = [
        f"{mine['type']}{path}"
        for their, mine in zip(expected, got, strict=True)
        for path in missing_fields(their, mine, "")
    ]
    assert sorted(set(lacking)) == []


@pytest.mark.conformance("rule/wire.strict-*")
def test_every_event_of_the_engine_is_right_for_the_models(replayed):
    name, _, ours = replayed
    dialect = RECORDINGS[name]
    if dialect == "voice_live":  # no models of its own; this one event sets it apart from preview
        ours = [event for event in ours if event["type"] != "conversation.item.done"]
        dialect = "preview"
    found = [problem for event in ours for problem in problems(event, dialect)]
    assert sorted(set(found)) == []


def test_an_update_leads_to_the_same_session(replayed):
    name, theirs, ours = replayed
    own = {"id", "model", "expires_at"}
    if name == VOICE_LIVE:  # its defaults are its own: 400 ms of padding, 500 ms of silence
        own |= {"turn_detection", "modalities"}
    [expected], [got] = (
        [event["session"] for event in events if event["type"] == "session.updated"]
        for events in (theirs, ours)
    )
    compared = expected.keys() - own
    if name == "openai_history_seeding":
        # Sent "", the endpoint goes back to its own default words, which are not ours.
        assert got["instructions"] == ours[0]["session"]["instructions"]
        compared -= {"instructions"}
    assert {key: got.get(key) for key in compared} == {key: expected[key] for key in compared}


@pytest.mark.conformance("rule/wire.recordings-times")
def test_turns_begin_and_end_where_the_endpoint_has_them(replayed):
    name, theirs, ours = replayed
    from_wire = DIALECTS[RECORDINGS[name]].server_from_wire
    expected, got = (speech_frames([from_wire(event) for event in events]) for events in (theirs, ours))
    assert got == expected
    if name != VOICE_LIVE:  # its settings are others, so its times are
        kinds = ("input_audio_buffer.speech_started", "input_audio_buffer.speech_stopped")
        times = [
            [(e.get("audio_start_ms"), e.get("audio_end_ms")) for e in events if e["type"] in kinds]
            for events in (theirs, ours)
        ]
        assert times[1] == times[0]


def test_a_replay_repeats_itself(recording):
    name, recorded = recording
    assert EngineReplay(recorded, name).run().wire == EngineReplay(recorded, name).run().wire
