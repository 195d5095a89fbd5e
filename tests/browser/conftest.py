"""A real Chromium with a recording as its microphone."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from chromium import CHROMIUM, FLAGS
from recordings import speech_like, write_wav


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def microphone_wav(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("mic") / "mic.wav"
    write_wav(path, speech_like(20.0, 48_000), 48_000)
    return path


@pytest.fixture(scope="module")
def playwright():
    """Playwright, for one module: while it runs, this thread's event loop is taken from tests that await."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="module")
def launch(playwright):
    """Start a browser with `wav` as its microphone; ``allow=False`` leaves the question to the page."""
    opened = []

    def start(wav: Path | None = None, *, allow: bool = True, extra: tuple[str, ...] = ()):
        flags = [*FLAGS, *extra]
        if wav is not None:
            flags.append(f"--use-file-for-fake-audio-capture={wav}")
        if allow:
            flags.append("--use-fake-ui-for-media-stream")
        browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=flags)
        opened.append(browser)
        return browser

    yield start
    for browser in opened:
        browser.close()


@pytest.fixture(scope="module")
def browser(launch, microphone_wav):
    return launch(microphone_wav)


@pytest.fixture
def bridge():
    from bridge import Bridge

    made = Bridge()
    yield made
    made.close()


@pytest.fixture
def show(bridge, browser):
    """Open a page that shows a widget; fails the test on any error in the browser's console."""
    contexts, problems = [], []

    def open_page(widget, *, browser=browser, dark=False, loaded=True, **options):
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda m: problems.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda e: problems.append(str(e)))
        page.goto(bridge.url(widget) + ("&dark=1" if dark else ""))
        page.wait_for_selector("body[data-ready=true]")
        if loaded:
            page.wait_for_selector(".rt-widget")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert [p for p in problems if "favicon" not in p] == []


def wait_until(condition, what: str, give_up_s: float = 20.0) -> None:
    """Wait for something that another thread or the browser does. The limit only ends a hopeless wait."""
    end = time.monotonic() + give_up_s
    while not condition():
        if time.monotonic() > end:
            pytest.fail(f"never happened: {what}")
        time.sleep(0.02)


@pytest.fixture(name="wait_until", scope="session")
def _wait_until():
    return wait_until
