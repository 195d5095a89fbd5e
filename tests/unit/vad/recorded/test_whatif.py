"""Time travel: the recorded decisions come out again, and others at other settings."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from rt_notebook import BundleError, ConfigError, EventLog, ServerVad, SessionConfig, vad
from rt_notebook.core.events import Event
from rt_notebook.io.bundle.recording import load
from rt_notebook.io.endpoints.endpoint import Endpoint
from rt_notebook.io.session.session import Session

SETTINGS = {"type": "server_vad", "threshold": 0.5, "prefix_padding_ms": 64, "silence_duration_ms": 320}
# Two turns; a pause of 320 ms in neither; 20 frames of silence between the two stretches of the first.
TRACE = np.array([0] * 20 + [0.9] * 20 + [0] * 5 + [0.9] * 20 + [0] * 40 + [0.6] * 20 + [0] * 40, np.float32)


def a_log(trace, settings, sessions=1):
    """What a client would have written down: chunks of 32 ms in real time, and the decisions."""
    events, t_s, offset = [], 0.0, 0
    for number in range(sessions):
        session = {"id": f"sess_{number}", "audio": {"input": {"turn_detection": settings}}}
        events.append(Event(t_s, "received", "session.created", {"session": session}, 0, None))
        decided = vad.simulate(
            trace,
            ServerVad(**{name: value for name, value in settings.items() if name != "type"}),
        )
        marks = {}
        for turn in decided.itertuples():
            marks[turn.started_ms] = ("speech_started", {"audio_start_ms": turn.audio_start_ms})
            if not turn.open:
                marks[turn.decision_ms] = ("speech_stopped", {"audio_end_ms": turn.audio_end_ms})
        for frame in range(len(trace)):
            t_s += 0.032
            events.append(Event(t_s, "sent", "input_audio_buffer.append", {}, 768, -30.0))
            if (frame + 1) * 32 in marks:
                kind, data = marks[(frame + 1) * 32]
                data = {"item_id": f"item_{number}_{frame}"} | {k: int(v) for k, v in data.items()}
                events.append(Event(t_s + 0.001, "received", f"input_audio_buffer.{kind}", data, 0, None))
        offset += len(trace)
    return EventLog(events)


def test_the_recorded_settings_give_the_recorded_decisions():
    found = vad.whatif(a_log(TRACE, SETTINGS), audio=vad.Trace(TRACE))
    assert found.changes.change.tolist() == ["same", "same"]
    assert found.known_until_s is None
    assert "Nothing would have been decided otherwise" in str(found)
    columns = ["audio_start_ms", "audio_end_ms"]
    assert found.turns[columns].equals(found.recorded[columns])


@pytest.mark.parametrize(
    ("change", "settings"),
    [
        (["split", "same"], {"silence_duration_ms": 96}),
        (["merged"], {"silence_duration_ms": 2000}),
        (["moved", "vanished"], {"threshold": 0.7, "silence_duration_ms": 400}),
    ],
)
def test_other_settings_split_merge_and_lose_turns(change, settings):
    new = ServerVad(**{name: value for name, value in SETTINGS.items() if name != "type"}).replace(**settings)
    found = vad.whatif(a_log(TRACE, SETTINGS), new, audio=vad.Trace(TRACE))
    kinds = found.changes.change.tolist()
    assert kinds[0] == change[0]
    if "vanished" in change:
        assert kinds == change
    assert found.known_until_s is not None
    assert "nobody knows" in str(found) == repr(found)


def test_a_new_turn_that_comes_while_the_assistant_speaks_interrupts():
    log = list(a_log(TRACE, SETTINGS | {"threshold": 0.7}))
    start_s = 105 * 0.032 - 0.2
    log += [
        Event(start_s - 0.1, "received", "response.created", {"response": {"id": "r"}}, 0, None),
        Event(
            start_s,
            "received",
            "response.output_audio.delta",
            {"response_id": "r", "item_id": "a", "output_index": 0, "content_index": 0},
            24_000,
            -20.0,
        ),
    ]
    log.sort(key=lambda event: event.t_s)
    found = vad.whatif(
        EventLog(log), ServerVad(silence_duration_ms=320, prefix_padding_ms=64), audio=vad.Trace(TRACE)
    )
    assert found.changes.change.tolist() == ["same", "new"]
    assert found.turns.interrupts.tolist() == [False, True]


def test_nothing_is_decided_before_its_audio_was_sent():
    """Each half of the trace goes in one piece; the second one while an answer to the first sounds."""
    half, start_s = 85, 10.0
    chunks = [event for event in a_log(TRACE, SETTINGS) if event.direction == "sent"]
    told = [event for event in a_log(TRACE, SETTINGS) if "speech" in event.type]
    session = {"id": "sess_0", "audio": {"input": {"turn_detection": SETTINGS}}}
    delta = {"response_id": "r", "item_id": "a", "output_index": 0, "content_index": 0}
    events = [
        Event(start_s, "received", "session.created", {"session": session}, 0, None),
        Event(start_s, "sent", "input_audio_buffer.append", {}, 768 * half, -30.0),
        *[Event(start_s + 0.1, "received", each.type, each.data, 0, None) for each in told[:2]],
        Event(start_s + 0.2, "received", "response.created", {"response": {"id": "r"}}, 0, None),
        Event(start_s + 0.2, "received", "response.output_audio.delta", delta, 24_000, -20.0),
        Event(start_s + 0.3, "sent", "input_audio_buffer.append", {}, 768 * (len(chunks) - half), -30.0),
        *[Event(start_s + 0.4, "received", each.type, each.data, 0, None) for each in told[2:]],
    ]
    found = vad.whatif(EventLog(events), audio=vad.Trace(TRACE))
    assert found.changes.change.tolist() == ["same", "same"]
    assert found.turns.started_s.tolist() == [start_s, start_s + 0.3]
    assert found.turns.decided_s.tolist() == [start_s, start_s + 0.3]
    assert found.turns.interrupts.tolist() == found.recorded.interrupts.tolist() == [False, True]
    eager = vad.whatif(EventLog(events), ServerVad(silence_duration_ms=96), audio=vad.Trace(TRACE))
    assert eager.known_until_s == start_s


def test_each_connection_counts_from_zero():
    both = np.concatenate([TRACE, TRACE])
    found = vad.whatif(a_log(TRACE, SETTINGS, sessions=2), audio=vad.Trace(both))
    assert found.changes.change.tolist() == ["same"] * 4
    assert found.recorded.audio_start_ms.is_monotonic_increasing


def test_without_audio_or_settings_it_says_what_is_missing():
    with pytest.raises(ConfigError, match="audio is not in the recording"):
        vad.whatif(a_log(TRACE, SETTINGS))
    with pytest.raises(ConfigError, match="server_vad"):
        vad.whatif(EventLog([]), audio=vad.Trace(TRACE))


@pytest.mark.parametrize(
    "other", [np.zeros(100, np.float32), np.concatenate([TRACE, TRACE]), np.zeros(0, np.float32)]
)
def test_audio_that_is_plainly_not_of_this_session_is_refused(other):
    with pytest.raises(ConfigError, match=r"5\.3 s were sent.*Give all that was sent"):
        vad.whatif(a_log(TRACE, SETTINGS), audio=vad.Trace(other))
    assert len(vad.whatif(a_log(TRACE, SETTINGS), audio=vad.Trace(TRACE[:-10])).turns) == 2


def test_a_path_that_is_no_recording_is_told_as_such(tmp_path):
    for path in (tmp_path / "none.rtlog", str(tmp_path / "none.rtlog")):
        with pytest.raises(BundleError):
            vad.whatif(path)


@pytest.mark.speech
def test_a_recorded_session_with_the_local_server_is_understood_to_the_millisecond(speech, tmp_path):
    silence = np.zeros(30_000, np.float32)
    question = np.concatenate([speech("What is the capital of France?"), silence])
    path = tmp_path / "demo.rtlog"

    async def converse():
        config = SessionConfig(turn_detection=ServerVad(silence_duration_ms=300))
        session = Session(Endpoint.local(reply="echo"), config)
        await session.record(path, purpose="a test", who=["a tester"])
        await session.connect()
        await session.ask(question)
        await session.ask(question)
        await session.close()

    asyncio.run(converse())
    recording = load(path)
    found = vad.whatif(path)
    assert len(found.recorded) >= 2
    assert vad.whatif(str(path)).turns.equals(found.turns)
    assert set(found.changes.change) == {"same"}
    patient = vad.whatif(recording, ServerVad(silence_duration_ms=300, threshold=1.0))
    assert set(patient.changes.change) == {"vanished"}
