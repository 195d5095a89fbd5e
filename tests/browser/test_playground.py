"""The playground in a real browser on the local server: real detection, recognition, model and voice."""

from __future__ import annotations

import numpy as np
import pytest
from recordings import write_wav

from rt_notebook.io.audio.voice import voice
from rt_notebook.widgets.playground.playground import Playground

pytestmark = pytest.mark.speech

START = "button:has-text('Start listening')"
STOP = "button:has-text('Stop listening')"
LONG_S = 120.0


@pytest.fixture(scope="module")
def spoken_browser(launch, tmp_path_factory):
    """A browser whose microphone says a question, then is silent for a long time."""
    path = tmp_path_factory.mktemp("mic") / "question.wav"
    speech = voice("What is the weather like today?")
    write_wav(path, np.concatenate([np.zeros(24_000), speech, np.zeros(24_000 * 40)]), 24_000)
    return launch(path)


@pytest.fixture
def playground(bridge):
    made = Playground()
    yield made
    made.close()


def types(playground) -> list[str]:
    return [event.type for event in playground.log]


def test_words_said_at_the_microphone_are_answered_aloud(playground, show, spoken_browser, wait_until):
    page = show(playground, browser=spoken_browser)
    page.click(START)
    page.wait_for_selector(".rt-turn.rt-user[data-state=final]", timeout=LONG_S * 1000)
    assert "weather" in page.inner_text(".rt-turn.rt-user").lower()
    assert "<< Session Started >>" in page.inner_text(".rt-transcript")
    wait_until(
        lambda: any(e.data.get("state") == "ended" for e in playground.log), "the reply was heard", LONG_S
    )
    page.click(STOP)
    assert page.inner_text(".rt-turn.rt-assistant .rt-words").strip()
    page.wait_for_function("Number(document.querySelector('.rt-widget').dataset.playedNonzeroSamples) > 4000")
    report = next(e for e in playground.log if e.type == "local.playback" and e.data["state"] == "ended")
    received = sum(e.audio_samples for e in playground.log if e.type == "response.output_audio.delta")
    assert report.data["played_samples"] <= received
    assert "transcribe" in page.inner_text(".rt-components")


def test_an_interruption_cuts_the_reply_at_what_was_heard(playground, show, wait_until):
    page = show(playground)
    page.fill(".rt-type input", "Tell me a long story about the sea.")
    page.keyboard.press("Enter")
    wait_until(lambda: playground.speaking, "it speaks", LONG_S)
    page.wait_for_function("Number(document.querySelector('.rt-widget').dataset.playedNonzeroSamples) > 9000")
    page.keyboard.press("Escape")
    page.wait_for_selector(".rt-turn.rt-assistant[data-state=cut]")
    wait_until(lambda: "conversation.item.truncated" in types(playground), "the endpoint cut the item")
    cut = next(e for e in playground.log if e.type == "conversation.item.truncate")
    flushed = next(e for e in playground.log if e.data.get("state") == "flushed")
    assert cut.data["audio_end_ms"] == flushed.data["played_samples"] // 24 > 0
    assert page.get_attribute(".rt-widget", "data-speaking") == "false"
    assert "(cut at" in page.inner_text(".rt-turn.rt-assistant .rt-note")


def test_the_built_in_voice_needs_no_microphone(playground, show, wait_until):
    page = show(playground)
    page.click("button:has-text('Try with the built-in voice')")
    wait_until(
        lambda: any(e.data.get("state") == "ended" for e in playground.log), "a reply was heard", LONG_S
    )
    assert "ocean" in page.inner_text(".rt-turn.rt-user").lower()
    assert "local.mic_opened" not in types(playground)


def test_a_dial_acts_on_the_running_session_and_shows_what_was_applied(playground, show, wait_until):
    page = show(playground)
    page.fill(".rt-type input", "Hello")
    page.keyboard.press("Enter")
    wait_until(lambda: playground.session.state == "open", "the session is open", LONG_S)
    page.fill("[data-name=silence_duration_ms] input[type=number]", "800")
    page.keyboard.press("Tab")
    page.wait_for_selector("[data-name=silence_duration_ms] .rt-applied:has-text('800 ms')")
    assert playground.session.config.turn_detection.silence_duration_ms == 800
    playground.threshold = 0.7
    page.wait_for_selector("[data-name=threshold] .rt-applied:has-text('0.7')")


def test_a_session_ends_and_the_next_start_makes_a_new_one(playground, show, wait_until):
    page = show(playground)
    page.fill(".rt-type input", "Hello")
    page.keyboard.press("Enter")
    page.wait_for_selector(".rt-turn.rt-user", timeout=LONG_S * 1000)
    first = playground.session
    page.click("button:has-text('End session')")
    page.wait_for_selector(".rt-status:has-text('has ended')")
    assert len(first.log) > 0
    page.fill(".rt-type input", "Again")
    page.keyboard.press("Enter")
    page.wait_for_selector(".rt-turn.rt-user:has-text('Again')", timeout=LONG_S * 1000)
    assert playground.session is not first


def test_a_late_page_is_brought_up_to_date(playground, show, wait_until):
    first = show(playground)
    first.fill(".rt-type input", "Remember me")
    first.keyboard.press("Enter")
    first.wait_for_selector(".rt-turn.rt-user", timeout=LONG_S * 1000)
    second = show(playground)
    second.wait_for_selector(".rt-turn.rt-user:has-text('Remember me')")
    assert second.locator(".rt-turn.rt-user").count() == 1


def test_an_endpoint_that_is_not_there_is_one_sentence(bridge, show, wait_until):
    from rt_notebook.io.endpoints.endpoint import Endpoint

    playground = Playground(Endpoint.url("ws://127.0.0.1:9/v1/realtime"))
    try:
        page = show(playground)
        page.fill(".rt-type input", "Hello")
        page.keyboard.press("Enter")
        # It is tried a few times, and said so; then it is given up.
        wait_until(lambda: playground.session and playground.session.state == "closed", "the attempts end")
        page.wait_for_selector(".rt-status[data-kind=problem]", timeout=20_000)
        assert "cannot be reached" in page.inner_text(".rt-status")
    finally:
        playground.close()


def test_talking_over_the_reply_silences_it(playground, show, wait_until):
    page = show(playground)
    page.fill(".rt-type input", "Tell me a long story about the sea.")
    page.keyboard.press("Enter")
    wait_until(lambda: playground.speaking, "it speaks", LONG_S)
    playground.session.speak(voice("Stop talking about the sea, please."))
    page.wait_for_selector(".rt-turn.rt-assistant[data-state=cut]", timeout=LONG_S * 1000)
    seen = types(playground)
    assert seen.index("input_audio_buffer.speech_started") < seen.index("conversation.item.truncate")
    flushed = next(e for e in playground.log if e.data.get("state") == "flushed")
    cut = next(e for e in playground.log if e.type == "conversation.item.truncate")
    assert cut.data["audio_end_ms"] == flushed.data["played_samples"] // 24


PAYLOADS = [
    "<img src=x onerror=\"document.title='hit'\">",
    "<script>document.title='hit'</script>",
    "<svg onload=\"document.title='hit'\">",
    "<button data-commandlinker-command='notebook:run-all-cells'>press</button>",
    "[link](javascript:document.title='hit')",
    "</span></div></section><iframe srcdoc='x'></iframe>",
    "\u202eabc\u0000 \x1b[31m",
    "x" * 200_000,
]


@pytest.mark.parametrize("payload", PAYLOADS, ids=range(len(PAYLOADS)))
def test_what_a_model_says_stays_words(playground, show, payload):
    page = show(playground)
    page.wait_for_selector(".rt-mic:enabled")
    page.click("summary:has-text('Events')")
    count = "document.querySelectorAll('.rt-transcript-frame *').length"
    row = {
        "item_id": "i",
        "role": "assistant",
        "text": "plain",
        "state": "final",
        "time_s": 0,
        "heard_ms": None,
    }
    playground._send_rows("transcript", [row])
    page.wait_for_selector(".rt-turn:has-text('plain')")
    before = page.evaluate(count)
    event = {
        "id": 0,
        "t_s": 0,
        "direction": "received",
        "type": payload,
        "text": payload,
        "audio_ms": 0,
        "count": 1,
    }
    playground._send_rows("events", [event])
    playground._send_rows("transcript", [row | {"text": payload}])
    playground.problem = payload
    page.wait_for_selector(".rt-status[data-kind=problem]")
    assert page.evaluate(count) == before
    assert page.evaluate("document.querySelector('.rt-words').textContent") == payload
    assert page.locator(".rt-event").count() == 1
    assert page.locator(".rt-widget :is(img, script, svg, iframe, a)").count() == 0
    assert page.title() == "bridge"


def test_all_of_it_works_from_the_keyboard(playground, show):
    page = show(playground)
    page.wait_for_selector(".rt-mic:enabled")
    reached = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.textContent || document.activeElement.type"))
    for control in ("Start listening", "Try with the built-in voice", "Send", "text", "range", "number"):
        assert control in reached
    page.focus(".rt-widget summary")
    page.keyboard.press("Space")
    assert page.evaluate("document.querySelector('.rt-widget details').open") is False
