"""Take the pictures of ``docs/images``: the quickstart before, during and after talking, and the tuner.

JupyterLab runs on a copy of the notebooks, with settings of its own; a headless Chromium opens it and hears a
recording of the built-in voice as its microphone. Look at the pictures before you commit them.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import soundfile
from playwright.sync_api import Locator, Page, sync_playwright

from rt_notebook import voice

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

IMAGES = Path(__file__).parents[1] / "docs" / "images"
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
SIZE = {"width": 1280, "height": 800}
TALL = {"width": 1280, "height": 1400}
TOKEN = "screenshots"  # noqa: S105 - a server on the loopback that lives for a minute
RATE_HZ = 24_000
LONG_MS = 180_000
IDLE = "text=Python 3 (ipykernel) | Idle"


def record_microphone(path: Path) -> None:
    """Write what the microphone hears: a question, room for the answer, and another question."""
    parts = [np.zeros(RATE_HZ), voice("What is the capital of France?"), np.zeros(8 * RATE_HZ)]
    parts += [voice("Tell me a story about a dog."), np.zeros(120 * RATE_HZ)]
    soundfile.write(path, np.concatenate(parts), RATE_HZ, subtype="PCM_16")


@contextlib.contextmanager
def jupyterlab(folder: Path, theme: str) -> Iterator[Callable[[str], str]]:
    """Run JupyterLab on a copy of the notebooks; yield what makes an address of a notebook's name."""
    settings = folder / "settings"
    write_setting(settings, "apputils-extension/themes", {"theme": theme})
    write_setting(settings, "notebook-extension/tracker", {"windowingMode": "none"})
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {
        "JUPYTERLAB_SETTINGS_DIR": str(settings),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
    }
    command = [sys.executable, "-m", "rt_notebook", "lab", "--folder", str(folder / "notebooks")]
    command += ["--no-browser", f"--port={port}", "--ServerApp.port_retries=0", "--ServerApp.log_level=ERROR"]
    server = subprocess.Popen([*command, f"--IdentityProvider.token={TOKEN}"], env=environment)
    try:
        wait_for(f"http://127.0.0.1:{port}/api?token={TOKEN}", server)
        yield f"http://127.0.0.1:{port}/lab/tree/{{}}.ipynb?token={TOKEN}".format
    finally:
        server.terminate()
        server.wait(20)


def write_setting(folder: Path, plugin: str, values: dict[str, str]) -> None:
    """Write one of JupyterLab's user settings."""
    path = folder / "@jupyterlab" / f"{plugin}.jupyterlab-settings"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(values), encoding="utf-8")


def wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    """Wait until the server answers."""
    while True:
        with contextlib.suppress(urllib.error.URLError), urllib.request.urlopen(url):  # noqa: S310
            return
        if server.poll() is not None:
            raise SystemExit("JupyterLab did not start; the reason stands above.")
        time.sleep(0.2)


def take(shown: Page | Locator, name: str) -> None:
    """Save what a page or a part of it shows."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    shown.screenshot(path=IMAGES / f"{name}.png")
    print(IMAGES / f"{name}.png")


def open_notebook(page: Page, address: str) -> None:
    """Open a notebook in a page of its own."""
    page.goto(address)
    page.wait_for_selector(IDLE, timeout=LONG_MS)
    page.locator(".jp-SideBar .lm-TabBar-tab.lm-mod-current").first.click()  # fold the file browser
    page.wait_for_timeout(1000)


def run_all(page: Page) -> None:
    """Begin to run every cell."""
    page.click(".lm-MenuBar-itemLabel:text-is('Run')")
    page.click(".lm-Menu-itemLabel:text-is('Run All Cells')")


def converse(page: Page, theme: str) -> None:
    """Run the quickstart, talk with its playground, and take the pictures on the way."""
    take(page, f"quickstart-before-{theme}")
    run_all(page)
    playground = page.locator(".rt-widget")
    playground.wait_for(timeout=LONG_MS)
    page.locator(".jp-RenderedImage").last.evaluate("element => element.scrollIntoView({block: 'center'})")
    page.wait_for_timeout(500)
    take(page, f"quickstart-plots-{theme}")

    playground.locator("button:has-text('Start listening')").scroll_into_view_if_needed()
    playground.evaluate("element => element.scrollIntoView({block: 'start'})")
    playground.locator("button:has-text('Start listening')").click()
    # The second answer is being spoken: the story of the dog.
    page.wait_for_function("document.querySelectorAll('.rt-turn.rt-user').length >= 2", timeout=LONG_MS)
    page.wait_for_function(
        "document.querySelector('.rt-status').innerText.toLowerCase().includes('speak')", timeout=LONG_MS
    )
    page.wait_for_timeout(1500)
    take(page, f"quickstart-during-{theme}")

    playground.locator("button:has-text('Stop listening')").click()
    page.wait_for_timeout(12_000)
    take(page, f"quickstart-after-{theme}")


def tune(page: Page, theme: str) -> None:
    """Run the notebook on tuning, and take a picture of its last tuner: a voice in a noisy room."""
    run_all(page)
    tuner = page.locator(".rt-widget").nth(1)
    tuner.locator(".rt-tuner-scores div").first.wait_for(timeout=LONG_MS)
    page.wait_for_selector(IDLE, timeout=LONG_MS)
    page.set_viewport_size(TALL)
    tuner.scroll_into_view_if_needed()
    page.wait_for_timeout(2000)
    take(tuner, f"tuner-{theme}")


def main() -> None:
    """Take all pictures, or those of the notebooks that are named."""
    wanted = sys.argv[1:] or list(ACTS)
    chromium = os.environ.get("RT_NOTEBOOK_CHROMIUM") or shutil.which("chromium")
    if chromium is None:
        raise SystemExit("Chromium is not there. Install it, or name it in RT_NOTEBOOK_CHROMIUM.")
    for theme, jupyter_theme in THEMES.items():
        with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
            folder = Path(temporary)
            record_microphone(folder / "microphone.wav")
            browser = playwright.chromium.launch(
                executable_path=chromium,
                args=[
                    "--no-sandbox",
                    "--disable-gpu",
                    "--use-fake-ui-for-media-stream",
                    "--use-fake-device-for-media-stream",
                    f"--use-file-for-fake-audio-capture={folder / 'microphone.wav'}%noloop",
                    "--autoplay-policy=no-user-gesture-required",
                ],
            )
            with jupyterlab(folder, jupyter_theme) as address:
                for name in wanted:
                    page = browser.new_page(viewport=SIZE, permissions=["microphone"])
                    open_notebook(page, address(name))
                    ACTS[name](page, theme)
                    page.close()
            browser.close()


ACTS = {"01_quickstart": converse, "02_tuning_on_your_own_voice": tune}


if __name__ == "__main__":
    main()
