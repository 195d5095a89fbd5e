"""The tuner in a browser: sliders, plane, marks, sound, and a live session that acknowledges."""

from __future__ import annotations

import numpy as np
import pytest

from rt_notebook import Endpoint, ServerVad, Session, VadTuner, vad
from rt_notebook.core.audio import to_pcm

SECOND = 24_000
# Two turns with a pause of 0.8 s in the first, and half-loud speech at the end.
TRACE = np.array(
    [0] * 30 + [0.95] * 40 + [0.05] * 25 + [0.95] * 40 + [0] * 80 + [0.6] * 40 + [0] * 80, np.float32
)
LABELS = [(0.96, 4.32), (6.88, 8.16)]
PICTURE = ".rt-tuner-canvas"
GUTTER_PX = 62
NEXT_PICTURE = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


@pytest.fixture
def tuner():
    made = VadTuner(vad.Trace(TRACE), labels=LABELS)
    yield made
    made.close()


@pytest.fixture
def page(show, tuner):
    shown = show(tuner, viewport={"width": 900, "height": 1100})
    has_turns(shown, 3)
    shown.wait_for_selector("summary:has-text('Marks'):has-text('(2)')")
    shown.evaluate(NEXT_PICTURE)
    return shown


def slider(page, name):
    return page.locator(f"[data-name={name}] input[type=range]")


def drag(page, name, to, steps=15):
    """Drag the thumb of a slider to a share of its width, as a hand does."""
    box = slider(page, name).bounding_box()
    y, left, width = box["y"] + box["height"] / 2, box["x"] + 9, box["width"] - 18
    state = slider(page, name).evaluate("e => (e.value - e.min) / (e.max - e.min)")
    page.mouse.move(left + state * width, y)
    page.mouse.down()
    for step in range(1, steps + 1):
        page.mouse.move(left + (state + (to - state) * step / steps) * width, y)
    page.mouse.up()


def x_of(page, time_s, view=(0, 10.72)):
    width = page.locator(PICTURE).bounding_box()["width"]
    return GUTTER_PX + (time_s - view[0]) / (view[1] - view[0]) * (width - GUTTER_PX)


def has_turns(page, count):
    page.wait_for_function(f"document.querySelector('.rt-widget').dataset.turns === '{count}'")


def test_turns_follow_the_slider_that_is_dragged(page, tuner, wait_until):
    has_turns(page, 3)
    seen = []
    tuner.observe(lambda change: seen.append(change["new"]), "silence_duration_ms")
    drag(page, "silence_duration_ms", 0.6)
    has_turns(page, 2)
    last = int(slider(page, "silence_duration_ms").input_value())
    assert 1100 < last < 1300
    wait_until(lambda: tuner.silence_duration_ms == last, "the last place of the slider arrives")
    wait_until(lambda: tuner.turns.equals(vad.simulate(TRACE, tuner.vad)), "its turns are decided")
    assert seen == sorted(seen)
    shown = page.locator("[data-name=silence_duration_ms] input[type=number]").input_value()
    assert int(shown) == last
    drag(page, "threshold", 0.7)
    has_turns(page, 1)


def test_a_keyboard_does_all_of_it(page, tuner, wait_until):
    slider(page, "threshold").focus()
    for _ in range(15):
        page.keyboard.press("ArrowRight")
    wait_until(lambda: tuner.threshold == pytest.approx(0.65), "fifteen steps of 0.01")
    has_turns(page, 2)
    page.uncheck("[data-name=exit_threshold] input[type=checkbox]")
    wait_until(lambda: tuner.exit_threshold == pytest.approx(0.5), "where it was by itself")
    slider(page, "exit_threshold").focus()
    page.keyboard.press("Home")
    has_turns(page, 1)
    assert tuner.exit_threshold == 0
    page.click("button[aria-label='Next turn']")
    assert "turn 1 of 1" in page.inner_text(".rt-tuner-turn")


def test_a_setting_from_a_cell_moves_the_slider(page, tuner):
    tuner.value = {"threshold": 0.25, "silence_duration_ms": 900}
    has_turns(page, 2)
    assert slider(page, "threshold").input_value() == "0.25"
    assert slider(page, "silence_duration_ms").input_value() == "900"
    assert slider(page, "exit_threshold").input_value() == "0.1"


def test_the_plane_shows_a_metric_and_takes_a_click(page, tuner, wait_until):
    page.wait_for_selector(".rt-tuner-plane-canvas:visible")
    page.select_option(".rt-tuner-metric select", "false_cutoff_rate")
    wait_until(lambda: tuner.metric == "false_cutoff_rate", "the metric arrives")
    page.wait_for_selector(".rt-tuner-plane:has-text('50 % at these settings')")
    box = page.locator(".rt-tuner-plane-canvas").bounding_box()
    # Far to the right and in the middle: two seconds of silence at about 0.5.
    page.mouse.click(box["x"] + box["width"] - 3, box["y"] + box["height"] * 0.46)
    wait_until(lambda: tuner.silence_duration_ms == 2000, "the column that was clicked")
    assert 0.4 < tuner.threshold < 0.6
    page.wait_for_selector(".rt-tuner-plane:has-text('0 % at these settings')")
    wait_until(lambda: tuner.score["false_cutoff_rate"] == 0, "the score follows")


def test_marks_are_drawn_by_hand_typed_and_taken_away(page, tuner, wait_until):
    page.click("summary:has-text('Marks')")
    page.click("button:has-text('Clear')")
    wait_until(lambda: len(tuner.labels) == 0, "no marks")
    wait_until(lambda: tuner.metric == "turns_per_min", "a metric that needs none")
    page.click("button:has-text('Mark by dragging')")
    page.locator(PICTURE).scroll_into_view_if_needed()
    box = page.locator(PICTURE).bounding_box()
    page.mouse.move(box["x"] + x_of(page, 1.0), box["y"] + 120)
    page.mouse.down()
    page.mouse.move(box["x"] + x_of(page, 3.0), box["y"] + 125, steps=4)
    page.mouse.up()
    wait_until(lambda: len(tuner.labels) == 1, "one mark")
    assert tuner.labels[0] == pytest.approx([1.0, 3.0], abs=0.05)
    page.fill("input[aria-label='from (s)']", "6.9")
    page.fill("input[aria-label='to (s)']", "8.1")
    page.click("button:has-text('Add mark')")
    wait_until(lambda: len(tuner.labels) == 2, "two marks")
    assert tuner.labels[1].tolist() == [6.9, 8.1]
    page.wait_for_selector(".rt-tuner-scores:has-text('Cut-off turns')")
    page.click("button[aria-label^='Remove the mark 6.90']")
    wait_until(lambda: len(tuner.labels) == 1, "one again")


def test_a_cut_turn_is_told_and_heard_before_and_now(show, wait_until):
    loud = np.repeat(TRACE > 0.5, 768).astype(np.float32) * 0.3
    tone = loud * np.sin(np.arange(loud.size) / 12).astype(np.float32)
    tuner = VadTuner(tone, labels=LABELS, detector="energy")
    tuner.silence_duration_ms = 1500
    page = show(tuner, viewport={"width": 900, "height": 1100})
    has_turns(page, 2)
    page.evaluate(NEXT_PICTURE)
    page.click(PICTURE, position={"x": x_of(page, 1.5, (0, tone.size / SECOND)), "y": 130})
    assert "turn 1 of 2" in page.inner_text(".rt-tuner-turn")
    assert "cut off" not in page.inner_text(".rt-tuner-turn")
    played = "document.querySelector('.rt-widget').dataset.playedNonzeroSamples"
    page.click("button:has-text('▶ before')")
    page.wait_for_function(f"Number({played}) > 20000")
    page.click("button:has-text('▶ now')")
    page.wait_for_function(f"Number({played}) > 70000")
    tuner.silence_duration_ms = 300
    page.wait_for_selector(".rt-tuner-turn:has-text('cut off')")
    wait_until(lambda: not tuner.speaking, "the sound ends")
    tuner.close()


def test_the_picture_is_moved_along_and_looked_at_closer(page):
    drawn = "Number(document.querySelector('.rt-tuner-canvas').dataset.drawn)"
    ink = """() => {
      const canvas = document.querySelector('.rt-tuner-canvas');
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      return data.reduce((sum, value, at) => (at % 4 === 3 ? sum + value : sum), 0);
    }"""
    before = page.evaluate(ink)
    assert before > 0
    page.focus(PICTURE)
    for key in ("+", "ArrowRight", "ArrowLeft"):
        count = page.evaluate(drawn)
        page.keyboard.press(key)
        page.wait_for_function(f"{drawn} > {count}")
    assert page.evaluate(ink) != before
    count = page.evaluate(drawn)
    page.keyboard.press("Home")
    page.wait_for_function(f"{drawn} > {count}")
    assert page.evaluate(ink) == before


def copied(page):
    return page.evaluate("async () => JSON.parse((await navigator.clipboard.readText()) || '{}')")


def test_the_settings_are_copied_as_json_of_each_dialect(page, tuner, wait_until):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    tuner.value = {"threshold": 0.61}
    page.wait_for_selector("[data-name=threshold] input[type=number]")
    page.wait_for_function("document.querySelector('.rt-tuner-json').textContent.includes('0.61')")
    page.click("summary:has-text('Settings as JSON')")
    for name, dialect in (("GA", "ga"), ("preview", "preview")):
        page.click(f"button:has-text('Copy as JSON ({name})')")
        page.wait_for_selector("text=Copied.")
        wanted = tuner.update_event(dialect)
        wait_until(lambda wanted=wanted: copied(page) == wanted, f"the {name} form is in the clipboard")


def test_a_lost_message_is_asked_for_again(show, bridge, browser):
    tuner = VadTuner(vad.Trace(TRACE))
    page = show(tuner, viewport={"width": 900, "height": 1100})
    has_turns(page, 3)
    bridge.drop_next_to_page(3)  # the new sound among them
    tuner.listen(vad.Trace(TRACE[:200]))
    number = tuner._tuning.heard.number
    page.wait_for_function(f"document.querySelector('.rt-widget').dataset.sound === '{number}'")
    has_turns(page, 2)
    tuner.close()


@pytest.mark.speech
def test_what_the_microphone_hears_becomes_the_sound(page, tuner, wait_until):
    first = tuner._tuning.heard.number
    page.click("summary:has-text('Try them on')")
    page.click("button:has-text('Record the microphone')")
    page.wait_for_function("Number(document.querySelector('.rt-widget').dataset.micAcknowledged) > 50")
    page.click("button:has-text('Stop and use it')")
    wait_until(lambda: tuner._tuning.heard.number > first, "the recording is taken in")
    sound = tuner._tuning.heard.sound
    assert sound.name == "your microphone"
    assert len(sound.pcm) > 2 * 50 * 960
    assert max(np.frombuffer(sound.pcm, "<i2")) > 500
    page.wait_for_selector(".rt-tuner-length:has-text('your microphone')")


@pytest.mark.speech
def test_a_live_session_is_recorded_taken_in_and_told(show, speech, wait_until):
    with Session(Endpoint.local(reply="echo")) as session:
        tuner = VadTuner(session=session)
        page = show(tuner, viewport={"width": 900, "height": 1100})
        page.wait_for_selector(".rt-status:has-text('not recorded')")
        page.click("summary:has-text('Try them on')")
        page.click("button:has-text('Record this session')")
        page.wait_for_selector("button:has-text('Take in this session'):enabled")
        session.ask_blocking(to_pcm(speech("What is the capital of France?")))
        page.click("button:has-text('Take in this session')")
        page.wait_for_function("Number(document.querySelector('.rt-widget').dataset.turns) > 0")
        assert tuner._tuning.heard.before_name == "Server"
        drag(page, "silence_duration_ms", 0.1)
        last = int(slider(page, "silence_duration_ms").input_value())
        assert last < 300
        wait_until(lambda: tuner.silence_duration_ms == last, "the slider arrives")
        page.click("button:has-text('Apply to session')")
        page.wait_for_selector(".rt-tuner-applied:has-text('acknowledged')")
        vad_now = session.config.turn_detection
        assert isinstance(vad_now, ServerVad)
        assert tuner.applied == {
            "threshold": vad_now.threshold,
            "prefix_padding_ms": vad_now.prefix_padding_ms,
            "silence_duration_ms": last,
        }
        tuner.close()
