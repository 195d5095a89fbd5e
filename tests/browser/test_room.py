"""The room test in a real browser, with a recording as its microphone."""

from __future__ import annotations

import numpy as np
import pytest
from recordings import write_wav

from rt_notebook import Endpoint, Session, voice
from rt_notebook.widgets.room.room import RoomTest

pytestmark = pytest.mark.speech

LONG_MS = 60_000
PROMPTS = ("Yes.", "Good morning.")


@pytest.fixture(scope="module")
def reading_browser(launch, tmp_path_factory):
    """A browser whose microphone says something short every two seconds."""
    path = tmp_path_factory.mktemp("mic") / "reading.wav"
    spoken = voice("Good morning.")
    write_wav(path, np.concatenate([np.zeros(24_000), spoken, np.zeros(24_000)]), 24_000)
    return launch(path)


def test_quiet_then_sentences_then_a_verdict(bridge, show, reading_browser, wait_until, monkeypatch):
    monkeypatch.setattr("rt_notebook.widgets.room.room.FEWEST_TURNS", 2)
    room = RoomTest(prompts=PROMPTS, quiet_s=1.0)
    page = show(room, browser=reading_browser)
    assert page.is_hidden(".rt-next")
    page.click("button:has-text('Start the test')")
    page.wait_for_selector("[data-step=quiet]")
    for prompt in PROMPTS:
        page.wait_for_selector(f".rt-room-prompt:text-is('{prompt}')", timeout=LONG_MS)
        assert page.inner_text(".rt-room-words").startswith("Read this aloud.")
        before = room._mic.samples
        wait_until(lambda start=before: room._mic.samples > start + 60_000, "something was said")
        page.click(".rt-next")
    page.wait_for_selector("[data-step=done]", timeout=LONG_MS)
    page.wait_for_selector("[data-mic=off]")
    assert "Too few turns: 2 are labelled" in page.inner_text(".rt-room-reasons")
    assert page.is_hidden(".rt-room-chosen")
    assert [turn for turn in room.reading.prompts_s if turn[1] - turn[0] < 2.5] == []
    room.close()


def test_the_settings_reach_the_session(bridge, show, wait_until):
    with Session(Endpoint.local(reply="rules")) as session:
        session.connect_blocking()
        room = RoomTest(session)
        page = show(room)
        page.click("button:has-text('Try with the built-in voice')")
        page.wait_for_selector("[data-step=done]", timeout=LONG_MS)
        shown = page.inner_text(".rt-room-chosen")
        assert f"silence {room.value['silence_duration_ms']} ms" in shown
        assert page.inner_text(".rt-room-reasons").startswith("Threshold")
        page.click("button:has-text('Apply to session')")
        page.wait_for_selector("button:has-text('Applied'):disabled")
        told = session.info["audio"]["input"]["turn_detection"]
        assert {name: told[name] for name in room.value} == room.value
        room.close()
