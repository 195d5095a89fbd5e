"""Offline and live, in any chunks and by all rules, the turns are those of a loop written for clarity."""

from __future__ import annotations

import base64
from itertools import chain, repeat

from engine_driver import FRAME, Driver
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_vad import frames_for, naive_turns
from vad_cases import CASES, EXITS, RESETS, TRACES

from rt_notebook.core.config import ServerVad
from rt_notebook.core.turn_detection import TurnDetector, simulate
from rt_notebook.vad.traces.simulate import simulated_turns

SETTINGS = st.builds(
    ServerVad,
    threshold=st.sampled_from([0.0, 0.1, 0.5, 0.51, 1.0]) | st.floats(0, 1),
    silence_duration_ms=st.integers(0, 700),
    prefix_padding_ms=st.integers(0, 700),
)
RULES = st.fixed_dictionaries(
    {}, optional={"exit_threshold": EXITS, "reset": RESETS, "min_speech_ms": st.integers(0, 200)}
)
# From single bytes over the widget's 40 ms to more than a second in one piece.
CHUNKS = st.lists(st.sampled_from([1, 2, 7, 255, 480, 1536, 1920, 8001, 60_000]), max_size=20)


def wanted_turns(probabilities, vad, *, min_speech_ms=0, **rules):
    """Onset, start, end of the speech and end of each turn in ms, by the loop."""
    floor_ms, found = 0, []
    silent, speech = frames_for(vad.silence_duration_ms), frames_for(min_speech_ms)
    for turn in naive_turns(probabilities, vad.threshold, silent, speech_frames=speech, **rules):
        start_ms = max(floor_ms, turn.onset * 32 - vad.prefix_padding_ms)
        ends = [None if frame is None else frame * 32 for frame in (turn.speech_end, turn.end)]
        found.append((turn.onset * 32, start_ms, *ends))
        floor_ms = ends[-1]
    return found


@settings(max_examples=CASES)
@given(TRACES, SETTINGS, RULES)
def test_a_recording_is_decided_as_by_the_loop(probabilities, vad, rules):
    found = simulated_turns(probabilities, vad, **rules)
    assert [
        (turn.onset_ms, turn.audio_start_ms, turn.speech_end_ms, turn.audio_end_ms) for turn in found
    ] == wanted_turns(probabilities, vad, **rules)
    first_ms = max(32, -(-rules.get("min_speech_ms", 0) // 32) * 32)
    assert all(turn.started_ms == turn.onset_ms + first_ms for turn in found)


@settings(max_examples=CASES)
@given(TRACES, SETTINGS, CHUNKS)
def test_the_server_decides_live_as_the_loop_whatever_the_chunks(probabilities, vad, chunks):
    server = Driver()
    detection = {"type": "server_vad", "create_response": False} | {
        name: getattr(vad, name) for name in ("threshold", "silence_duration_ms", "prefix_padding_ms")
    }
    server.send(
        "session.update", session={"type": "realtime", "audio": {"input": {"turn_detection": detection}}}
    )
    server.probabilities = list(probabilities)
    audio, sent = FRAME * len(probabilities), 0
    # The first pieces by lot; the rest in big ones, since many small ones find nothing new.
    for size in chain(chunks, repeat(60_000)):
        if sent >= len(audio):
            break
        chunk = base64.b64encode(audio[sent : sent + size]).decode()
        server.send("input_audio_buffer.append", audio=chunk)
        sent += size
    told = [
        (event["type"].rpartition("_")[2], event.get("audio_start_ms", event.get("audio_end_ms")))
        for event in server.events
        if event["type"].startswith("input_audio_buffer.speech_")
    ]
    wanted = []
    for _, start_ms, _, end_ms in wanted_turns(probabilities, vad):
        wanted += [("started", start_ms)] if end_ms is None else [("started", start_ms), ("stopped", end_ms)]
    assert told == wanted


@given(TRACES, SETTINGS, RULES, st.integers(0, 2000))
def test_padding_changes_no_decision(probabilities, vad, rules, padding_ms):
    other = vad.replace(prefix_padding_ms=padding_ms)
    decided = [
        [(t.kind, t.onset_ms, t.speech_end_ms, t.decision_ms) for t in simulate(probabilities, each, **rules)]
        for each in (vad, other)
    ]
    assert decided[0] == decided[1]


@given(TRACES, SETTINGS, RULES)
def test_turns_neither_overlap_nor_begin_before_the_audio(probabilities, vad, rules):
    end_ms = 0
    for found in simulate(probabilities, vad, **rules):
        assert end_ms <= found.audio_start_ms <= found.onset_ms < found.decision_ms
        if found.kind == "stopped":
            end_ms = found.audio_end_ms
            assert found.onset_ms < found.speech_end_ms < end_ms == found.decision_ms


@given(TRACES, SETTINGS, SETTINGS, st.integers(0, 80))
def test_changed_settings_act_from_the_next_frame(probabilities, before, after, at):
    detector = TurnDetector(before)
    decided = []
    for number, probability in enumerate(probabilities):
        detector.vad = after if number >= at else before
        decided.append(detector.push(probability))
    assert [t for t in decided[:at] if t] == simulate(probabilities[:at], before)
    # Once no turn is open, nothing but the floor is left of the settings before.
    calm = next((n for n in range(at, len(decided)) if decided[n] and decided[n].kind == "stopped"), None)
    if calm is not None:
        rest = simulate(probabilities[calm + 1 :], after.replace(prefix_padding_ms=0))
        later = [t for t in decided[calm + 1 :] if t]
        assert [(t.kind, t.decision_ms - (calm + 1) * 32) for t in later] == [
            (t.kind, t.decision_ms) for t in rest
        ]
