"""Time travel through what happens in a session: settings change, clients commit, recordings begin late."""

from __future__ import annotations

import numpy as np
import pytest
from driven_log import DrivenLog
from hypothesis import given, settings
from hypothesis import strategies as st

from rt_notebook import ServerVad, vad
from rt_notebook.io.bundle.recording import load
from rt_notebook.io.endpoints.endpoint import Endpoint
from rt_notebook.io.session.session import Session
from rt_notebook.vad.recorded.told import known_from_ms, read_connections, recorded_from, replayed

STRICT = {"type": "server_vad", "threshold": 0.8, "silence_duration_ms": 320, "prefix_padding_ms": 64}
LAX = {"type": "server_vad", "threshold": 0.3, "silence_duration_ms": 96, "prefix_padding_ms": 0}


def again(driven, settings=None, **options):
    trace = vad.Trace(np.array(driven.probabilities, np.float32))
    return vad.whatif(driven.log(), settings, audio=trace, **options)


def test_settings_that_change_act_from_their_place_on():
    driven = DrivenLog()
    driven.update(STRICT)
    driven.say(level=0.5)
    driven.say()
    driven.update(LAX)
    driven.say(level=0.5, low=5)
    driven.say(low=5)
    found = again(driven)
    assert found.changes.change.tolist() == ["same"] * 3
    assert found.known_until_s is None
    lax = again(driven, ServerVad(threshold=0.3, silence_duration_ms=96, prefix_padding_ms=0))
    assert lax.changes.change.tolist() == ["new", "moved", "same", "same"]


def test_a_commit_and_a_clear_end_the_turn_where_they_did():
    driven = DrivenLog()
    driven.update(STRICT)
    driven.hear(*[0.0] * 5, *[0.9] * 20)
    driven.send("input_audio_buffer.commit")
    driven.hear(*[0.9] * 10, *[0.0] * 20)
    driven.hear(*[0.9] * 10)
    driven.send("input_audio_buffer.clear")
    driven.hear(*[0.0] * 20)
    driven.send("input_audio_buffer.commit", event_id="twice")
    driven.send("input_audio_buffer.commit")  # refused: nothing is there to be committed
    driven.say()
    found = again(driven)
    assert found.changes.change.tolist() == ["same"] * 4
    assert found.recorded.audio_end_ms.tolist()[0] == 25 * 32
    # What follows a commit at once is a turn of its own, whose padding does not reach back over it.
    assert found.recorded.audio_start_ms.tolist()[1] == 25 * 32


def test_push_to_talk_is_decided_anew_only_where_settings_are_given():
    driven = DrivenLog()
    driven.update(None)
    driven.say()
    driven.send("input_audio_buffer.commit")
    driven.say()
    driven.update(STRICT)
    driven.say()
    assert again(driven).changes.change.tolist() == ["same"]
    spoken = again(driven, ServerVad(silence_duration_ms=320, prefix_padding_ms=64))
    assert spoken.changes.change.tolist() == ["new", "new", "same"]


def test_what_was_before_the_recording_began_is_left_out():
    driven = DrivenLog()
    driven.say()
    driven.hear(*[0.9] * 10)
    driven.note("local.recording", state="started")
    driven.hear(*[0.9] * 10, *[0.0] * 20)
    driven.say()
    whole = again(driven)
    assert whole.changes.change.tolist() == ["same"] * 3
    samples = recorded_from(driven.log())
    assert samples == 50 * 768
    (connection,) = read_connections(driven.log())
    from_ms = known_from_ms(connection, samples)
    assert from_ms == connection.turns[1].end_ms  # it began within that turn
    silent_before = np.array(driven.probabilities, np.float32)
    silent_before[:50] = 0
    turns = replayed(connection, vad.Trace(silent_before), from_ms=from_ms)
    assert [(turn.audio_start_ms, turn.audio_end_ms) for turn in turns] == [
        (turn.start_ms, turn.end_ms) for turn in connection.turns[2:]
    ]


@settings(max_examples=60)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("say"), st.integers(1, 30), st.integers(0, 30), st.integers(0, 10)),
            st.tuples(st.just("update"), st.sampled_from([STRICT, LAX, None])),
            st.tuples(st.sampled_from(["input_audio_buffer.commit", "input_audio_buffer.clear"])),
            st.tuples(st.just("reconnect")),
        ),
        max_size=14,
    )
)
def test_whatever_happened_the_recorded_settings_give_the_recorded_decisions(steps):
    driven = DrivenLog()
    driven.update(LAX)
    for number, (kind, *values) in enumerate(steps):
        if kind == "say":
            driven.say(values[0], values[1], values[2] / 10)
        elif kind == "update":
            driven.update(values[0])
        elif kind == "reconnect":
            driven.reconnect(number + 2)
        else:
            driven.send(kind)
    found = again(driven)
    assert set(found.changes.change) <= {"same"}
    columns = ["audio_start_ms", "audio_end_ms"]
    assert found.turns[columns].equals(found.recorded[columns])


@pytest.mark.speech
async def test_a_real_session_whose_settings_change_is_understood_from_its_middle_on(speech, tmp_path):
    said = np.concatenate([speech("One two three four five."), np.zeros(36_000, np.float32)])
    path = tmp_path / "late.rtlog"
    async with Session(Endpoint.local(reply="echo")) as session:
        await session.update(silence_duration_ms=300, create_response=False)
        await until_said(session, said, 1)
        await session.record(path, purpose="a test")
        await until_said(session, said, 2)
        await session.update(silence_duration_ms=700, threshold=0.8, prefix_padding_ms=0)
        await until_said(session, said, 3)
    recording = load(path)
    found = vad.whatif(recording)
    assert len(found.recorded) == len(found.turns) == 2
    # The endpoint's detector remembers audio that is not held: for a moment it may hear otherwise.
    columns = ["audio_start_ms", "audio_end_ms"]
    off_ms = (found.turns[columns] - found.recorded[columns]).abs()
    assert off_ms.iloc[0].max() <= 64
    assert off_ms.iloc[1].max() == 0
    assert vad.whatif(recording, ServerVad(threshold=1.0)).changes.change.tolist() == ["vanished"] * 2


async def until_said(session, audio, turns):
    stream = aiter(session)
    session.append_audio((audio * 32767).astype(np.int16))
    async for event in stream:
        if event.type == "input_audio_buffer.speech_stopped":
            break
    assert sum(event.type == "input_audio_buffer.speech_stopped" for event in session.log) == turns
