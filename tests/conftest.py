"""What all tests share: reproducible random cases, the shared speech folder, a voice to speak with."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    import numpy.typing as npt

pytest_plugins = ("conformance",)

REPOSITORY = Path(__file__).parents[1]
COMPONENTS = ("hibari", "moonshine_voice", "onnxruntime", "xllamacpp")

# The cases are the same in every run, and a slow machine fails no test. HYPOTHESIS_PROFILE=search looks
# for new ones.
settings.register_profile(
    "ci", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.register_profile("search", parent=settings.get_profile("ci"), derandomize=False, max_examples=2000)
settings.register_profile("nightly", parent=settings.get_profile("ci"), derandomize=False)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


@pytest.fixture(scope="session")
def repository() -> Path:
    """The folder of the checkout."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Recorded speech and recorded sessions: RT_NOTEBOOK_SHARED_DATA, else a folder beside the checkout."""
    named = os.environ.get("RT_NOTEBOOK_SHARED_DATA")
    folder = Path(named) if named else REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(
            f"the shared recordings are not at {folder}; name their folder in RT_NOTEBOOK_SHARED_DATA"
        )
    return folder


def _missing(what: str, remedy: str) -> None:
    """Skip what this machine lacks; fail where everything was to be installed, as `make test` promises."""
    sentence = f"{what}: {remedy}"
    if os.environ.get("RT_NOTEBOOK_TEST_EVERYTHING"):
        pytest.fail(sentence, pytrace=False)
    pytest.skip(sentence)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Look for what a test needs before its fixtures are made: the browser, the speech components."""
    if item.get_closest_marker("browser"):
        from chromium import CHROMIUM

        if CHROMIUM is None or find_spec("playwright") is None:
            _missing("Chromium or playwright is not installed", "run make test, which installs both")
    if item.get_closest_marker("speech") or "speech" in getattr(item, "fixturenames", ()):
        lacking = [name for name in COMPONENTS if find_spec(name) is None]
        if lacking:
            _missing(f"{', '.join(lacking)} not installed", "pip install 'rt-notebook[local]'")


@pytest.fixture(scope="session")
def speech() -> Callable[[str], npt.NDArray[np.float32]]:
    """Make speech from a text with the built-in voice: floats in [-1, 1] at 24 kHz, shape (n,)."""
    from rt_notebook.io.audio.voice import voice

    return voice
