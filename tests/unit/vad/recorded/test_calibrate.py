"""What is planted in a server's detector is found in what it told."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rt_notebook import ConfigError, EventLog, ServerVad, vad
from rt_notebook.core.audio import to_pcm
from rt_notebook.core.events import Event
from rt_notebook.io.endpoints.endpoint import Endpoint
from rt_notebook.io.session.session import Session

ASKED = {"type": "server_vad", "threshold": 0.5, "prefix_padding_ms": 300, "silence_duration_ms": 200}
FRAMES = {"up": 7, "down": 6, "nearest": 6, "up and one more": 8}


def soft_speech(seed=0, turns=40):
    """Probabilities that fade, and pauses in which they stay between the thresholds."""
    random = np.random.default_rng(seed)
    parts = [np.zeros(15)]
    for _ in range(turns):
        parts.append(random.uniform(0.5, 1, random.integers(5, 15)))
        for _ in range(random.integers(0, 3)):
            parts.append(random.uniform(0, 0.5, random.integers(1, 6)))
            parts.append(random.uniform(0.3, 0.6, random.integers(1, 3)))
        parts.append(np.sort(random.uniform(0, 0.5, 10))[::-1])
        parts.append(np.zeros(random.integers(12, 30)))
    return vad.Trace(np.concatenate(parts).astype(np.float32))


def told(trace, frames=7, late_ms=(0, 0), first_ms=0, **rules):
    """A log of a server that has these rules; it acknowledges `ASKED`."""
    session = {"id": "sess_1", "audio": {"input": {"turn_detection": ASKED}}}
    events = [Event(0.0, "received", "session.created", {"session": session}, 0, None)]
    real = ServerVad(threshold=0.5, prefix_padding_ms=300, silence_duration_ms=32 * frames)
    for number, turn in enumerate(vad.simulate(trace, real, trailing_silence_ms=2000, **rules).itertuples()):
        for kind, name, at_ms in (
            ("started", "audio_start_ms", turn.audio_start_ms + late_ms[0] + first_ms),
            ("stopped", "audio_end_ms", turn.audio_end_ms + late_ms[1] + first_ms),
        ):
            data = {"item_id": f"item_{number}", name: int(at_ms)}
            events.append(Event(at_ms / 1000, "received", f"input_audio_buffer.speech_{kind}", data, 0, None))
    return EventLog(events)


@pytest.mark.parametrize("reset", ["high", "not_low"])
@pytest.mark.parametrize("leave", [0.5, 0.35, 0.2])
def test_exit_threshold_and_reset_are_found(leave, reset):
    trace = soft_speech()
    found = vad.calibrate((told(trace, exit_threshold=leave, reset=reset), trace))
    assert found.best.share == 1.0
    assert {round(rule.exit_threshold(0.5), 6) for rule in found.ties} == {leave}
    assert {rule.reset for rule in found.ties} == ({reset} if leave < 0.5 else {"high", "not_low"})
    assert found.turns.exact.all()
    again = vad.simulate(
        trace,
        ServerVad(silence_duration_ms=200),
        exit_threshold=found.best.exit_threshold(0.5),
        reset=found.best.reset,
        trailing_silence_ms=2000,
    )
    assert again.audio_end_ms.tolist() == found.turns.audio_end_ms.tolist()


@pytest.mark.parametrize("rounding", ["up", "down", "up and one more"])
def test_the_rounding_is_found_and_its_double_is_named(rounding):
    trace = soft_speech()
    found = vad.calibrate([(told(trace, FRAMES[rounding]), trace)])
    assert found.best.rounding == rounding
    # 200 ms are 6.25 frames: down and to the nearest are the same.
    assert {rule.rounding for rule in found.ties} == (
        {"down", "nearest"} if rounding == "down" else {rounding}
    )
    assert ("rules explain as much" in str(found)) == (len(found.ties) > 1)


def test_constant_offsets_are_found():
    trace = soft_speech()
    found = vad.calibrate((told(trace, late_ms=(40, -24)), trace))
    assert found.best.share >= 0.9
    assert (found.best.start_offset_ms, found.best.end_offset_ms) == (40, -24)
    assert found.best.rounding == "up"
    assert "40 ms late" in str(found) == repr(found)


def test_what_no_rule_explains_is_said_with_its_residuals():
    trace = soft_speech()
    log = list(told(trace))
    random = np.random.default_rng(1)
    for event in log[1:]:
        name = "audio_start_ms" if "audio_start_ms" in event.data else "audio_end_ms"
        event.data[name] += int(random.integers(0, 60))
    found = vad.calibrate((EventLog(log), trace))
    assert found.best.share < 0.5
    assert found.best.off_p90_ms > 0
    assert "off by" in str(found)
    assert (
        len(found.hypotheses)
        == found.hypotheses.drop_duplicates(
            ["exit_drop", "exit_level", "reset", "rounding", "phase_ms"]
        ).shape[0]
    )


@pytest.mark.speech
def test_frames_that_begin_late_are_found_in_the_audio(speech):
    quiet = np.zeros(14_400, np.float32)
    words = [speech(text) for text in ("Yes.", "No, never.", "Well, I think so.")]
    audio = np.concatenate([quiet, *[part for word in words for part in (word, quiet)] * 2])
    late = vad.trace(audio[11 * 24 :])
    found = vad.calibrate((told(late, first_ms=11), to_pcm(audio)))
    assert found.best.phase_ms == 11
    assert found.best.share == 1.0
    assert all(math.isclose(rule.end_offset_ms, 0) for rule in found.ties if rule == found.best)


@pytest.mark.speech
async def test_a_recorded_session_with_the_local_server_shows_its_rule(speech, tmp_path):
    path = tmp_path / "demo.rtlog"
    said = np.concatenate([speech("Yes. No, never. Well, I think so."), np.zeros(30_000, np.float32)])
    config_changes = {"create_response": False, "silence_duration_ms": 250}
    async with Session(Endpoint.local(reply="echo")) as session:
        await session.update(**config_changes)
        await session.record(path, purpose="a test")
        stream = aiter(session)
        session.append_audio((said * 32767).astype(np.int16))
        async for event in stream:
            if event.type == "input_audio_buffer.speech_stopped":
                break
    found = vad.calibrate(path)
    assert found.best.share == 1.0
    assert found.best.exit_drop == 0.15
    assert (found.best.reset, found.best.rounding, found.best.phase_ms) == ("high", "up", 0)


def test_without_turns_it_says_what_is_needed():
    with pytest.raises(ConfigError, match="no turn"):
        vad.calibrate((EventLog([]), soft_speech()))
