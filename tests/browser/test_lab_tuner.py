"""The tuner in a real JupyterLab: a slider, the turns, a live session that says that the value arrived."""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.speech

VERSION = "7.4.0"
LONG_MS = 120_000
SHOW = """
from rt_notebook import Endpoint, Session, VadTuner
session = await Session(Endpoint.local(reply="echo")).connect()
tuner = VadTuner(session=session)
tuner.listen("me.wav")
tuner
"""
HEARD = """
import soundfile
from rt_notebook import vad, voice
(room,) = vad.rooms(voice, 1, takes=1, turns=4, noises=("pink",), snr_db=20)
soundfile.write("me.wav", room.takes[0].audio, 24_000)
"""
CLOSE = "await session.close()"
ACKNOWLEDGED = (
    "[e.data['session']['audio']['input']['turn_detection']['silence_duration_ms'] "
    "for e in session.log if e.type == 'session.updated'][-1]"
)
SETTINGS = "session.settings().set_index('setting')['acknowledged'].map(str).to_dict()"


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    pytest.importorskip("jupyterlab", reason="needs JupyterLab: pip install 'rt-notebook[lab]'")
    from lab import LabServer

    server = LabServer(tmp_path_factory.mktemp("lab"))
    yield server
    server.close()


@pytest.fixture
def notebook(lab, browser):
    from lab import Notebook, install_kernel

    lab.write("tune.ipynb", install_kernel(VERSION), [HEARD, SHOW, CLOSE])
    context = browser.new_context(viewport={"width": 1280, "height": 1100})
    page, problems = context.new_page(), []
    page.on("pageerror", lambda e: problems.append(str(e)))
    page.on("console", lambda m: problems.append(m.text) if m.type == "error" else None)
    opened = Notebook(page, lab, "tune.ipynb")
    yield opened
    context.close()
    assert [p for p in problems if "rt-" in p or "widget" in p.lower() or "rt_notebook" in p] == []


def test_a_slider_is_dragged_and_the_server_says_that_the_value_arrived(notebook, lab):
    page = notebook.page
    notebook.run(0)
    notebook.run(1)
    page.wait_for_selector(".rt-tuner-canvas:visible", timeout=LONG_MS)
    page.wait_for_function("Number(document.querySelector('.rt-widget').dataset.turns) > 0")
    before = int(page.get_attribute(".rt-widget", "data-turns"))
    assert notebook.value("len(tuner.turns)") == before

    slider = page.locator("[data-name=silence_duration_ms] input[type=range]")
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 9 + 0.25 * (box["width"] - 18), y)
    page.mouse.down()
    page.mouse.move(box["x"] + 9 + 0.04 * (box["width"] - 18), y, steps=12)
    page.mouse.up()
    page.wait_for_function(f"Number(document.querySelector('.rt-widget').dataset.turns) > {before}")
    wanted = int(slider.input_value())
    assert 40 <= wanted <= 120
    page.wait_for_function(
        f"document.querySelector('.rt-tuner-json').textContent.includes('silence_duration_ms\": {wanted}')"
    )
    assert notebook.value("tuner.silence_duration_ms") == wanted
    assert notebook.value("session.config.turn_detection.silence_duration_ms") == 500

    page.click("button:has-text('Apply to session')")
    page.wait_for_selector(f".rt-tuner-applied:has-text('acknowledged'):has-text('silence {wanted} ms')")
    assert notebook.value(ACKNOWLEDGED) == wanted
    assert notebook.value(SETTINGS)["audio.input.turn_detection.silence_duration_ms"] == str(wanted)
    assert notebook.value("tuner.applied")["silence_duration_ms"] == wanted

    notebook.save()
    saved = json.loads((lab.notebooks / "tune.ipynb").read_text())
    assert "image/png" in saved["cells"][1]["outputs"][-1]["data"]
    (states,) = (held["state"] for held in saved["metadata"]["widgets"].values())
    assert len(json.dumps(states)) < 20_000
    notebook.run(2)
    page.wait_for_selector(".rt-apply:disabled")
    notebook.check()
