"""Where Chromium is, and how it is started without a screen and without a real microphone."""

import os
import shutil

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--use-fake-device-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
]
NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = os.environ.get("RT_NOTEBOOK_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
"""The one that RT_NOTEBOOK_CHROMIUM names, else the system's, as `scripts/chromium.sh` has it."""
