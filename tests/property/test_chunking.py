"""Any chunking of the input audio, down to a byte, gives the same events and the same audio."""

from __future__ import annotations

import base64

import pytest
from engine_driver import Driver
from hypothesis import given, settings
from hypothesis import strategies as st

FORMATS = {"audio/pcm": 48, "audio/pcmu": 8, "audio/pcma": 8}


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=50)
@given(st.lists(st.sampled_from([0.0, 0.4, 0.9]), max_size=60), st.randoms(use_true_random=False))
def test_any_chunking_gives_the_same_decisions(name, probabilities, chance):
    frame_bytes = 32 * FORMATS[name]
    audio = bytes(i % 251 for i in range(frame_bytes * len(probabilities)))
    detection = {"type": "server_vad", "silence_duration_ms": 64, "create_response": False}
    whole, pieces = Driver(), Driver()
    for driver in (whole, pieces):
        settings_ = {"format": {"type": name}, "turn_detection": detection}
        driver.send("session.update", session={"type": "realtime", "audio": {"input": settings_}})
        driver.probabilities = list(probabilities)
    whole.send("input_audio_buffer.append", audio=base64.b64encode(audio).decode())
    start = 0
    while start < len(audio):
        step = chance.choice([1, 2, 7, 255, 480, 768, 1536, 8001])
        pieces.send("input_audio_buffer.append", audio=base64.b64encode(audio[start : start + step]).decode())
        start += step
    assert [work.pcm for work in whole.transcribing] == [work.pcm for work in pieces.transcribing]
    assert whole.events == pieces.events
