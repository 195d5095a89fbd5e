"""Settings are read off the turns that the state machine made with them, whatever they were."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rt_notebook import ServerVad, vad
from rt_notebook.core.turn_detection import exit_of
from rt_notebook.vad.probing.read_off import Onsets, Range, Told, read_onsets, read_silences, silent_frames


@st.composite
def sessions(draw):
    """A trace of bursts at all levels with pauses of all lengths, and settings."""
    random = np.random.default_rng(draw(st.integers(0, 10**6)))
    asked = ServerVad(
        threshold=draw(st.integers(20, 90)) / 100,
        silence_duration_ms=draw(st.integers(32, 640)),
        prefix_padding_ms=draw(st.integers(0, 600)),
    )
    parts = []
    for _ in range(draw(st.integers(2, 12))):
        parts += [random.uniform(0, 0.05, random.integers(1, 60)), random.uniform(0.1, 1, 12)]
        parts.append(random.uniform(asked.threshold, 1, 2))
    parts.append(np.zeros(80))
    return np.concatenate(parts).astype(np.float32), asked


@given(sessions(), st.sampled_from(["high", "not_low"]), st.sampled_from([None, 0.05, 1.0]))
def test_the_true_settings_are_inside_the_bounds(session, reset, leave):
    trace, asked = session
    turns = vad.simulate(trace, asked, exit_threshold=leave, reset=reset)
    told = [Told(int(turn.audio_start_ms), int(turn.audio_end_ms)) for turn in turns.itertuples()]
    heard = trace.astype(np.float64)
    onsets = read_onsets(heard, 32, told, 0, heard.size)
    assert onsets.agreement == 1.0
    assert onsets.threshold.low <= asked.threshold <= onsets.threshold.high
    assert onsets.padding_ms.low <= asked.prefix_padding_ms <= onsets.padding_ms.high


@given(sessions(), st.sampled_from(["high", "not_low"]))
def test_silences_run_as_in_the_state_machine(session, reset):
    trace, asked = session
    frames = -(-asked.silence_duration_ms // 32)
    silent = silent_frames(trace.astype(np.float64), asked.threshold, exit_of(asked.threshold), reset)
    for turn in vad.simulate(trace, asked, reset=reset).itertuples():
        inside = silent[turn.onset_ms // 32 : turn.audio_end_ms // 32]
        assert inside[-1] >= frames
        assert inside[:-1].max() < frames


@given(sessions())
def test_the_frames_of_silence_are_found_under_the_usual_rules(session):
    trace, asked = session
    turns = vad.simulate(trace, asked)
    told = [Told(int(turn.audio_start_ms), int(turn.audio_end_ms)) for turn in turns.itertuples()]
    heard = trace.astype(np.float64)
    known = Onsets(Range(*[asked.threshold] * 3), Range(*[float(asked.prefix_padding_ms)] * 3), agreement=1.0)
    found = read_silences(heard, 32, told, known)
    assert found.agreement == 1.0
    assert found.frames.low <= -(-asked.silence_duration_ms // 32) <= found.frames.high
