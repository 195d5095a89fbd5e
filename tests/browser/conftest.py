"""A real Chromium with a recording as its microphone."""

from __future__ import annotations

import shutil
import sys
import time
import wave
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--use-fake-device-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


def write_wav(path: Path, samples: np.ndarray, rate_hz: int) -> None:
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate_hz)
        out.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())


def speech_like(seconds: float, rate_hz: int, seed: int = 7) -> np.ndarray:
    """Noise whose loudness changes like speech: no two of its windows are alike, so a lag can be found."""
    rng = np.random.default_rng(seed)
    count = int(seconds * rate_hz)
    spectrum = np.fft.rfft(rng.standard_normal(count))
    hz = np.fft.rfftfreq(count, 1 / rate_hz)
    spectrum[(hz < 200) | (hz > 3500)] = 0
    noise = np.fft.irfft(spectrum, count)
    loudness = 0.55 + 0.45 * np.sin(2 * np.pi * 3 * np.arange(count) / rate_hz)
    return 0.5 * noise / np.abs(noise).max() * loudness


@pytest.fixture(scope="session")
def microphone_wav(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("mic") / "mic.wav"
    write_wav(path, speech_like(20.0, 48_000), 48_000)
    return path


@pytest.fixture(scope="session")
def playwright():
    sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install playwright")
    if CHROMIUM is None:
        pytest.skip("needs Chromium: apt install chromium")
    with sync_api.sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
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


@pytest.fixture(scope="session")
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

    def open_page(widget, *, browser=browser, dark=False, **options):
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda m: problems.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda e: problems.append(str(e)))
        page.goto(bridge.url(widget) + ("&dark=1" if dark else ""))
        page.wait_for_selector("body[data-ready=true]")
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
