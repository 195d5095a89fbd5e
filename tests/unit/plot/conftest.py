"""Makes the scripted sessions importable, and draws into memory."""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib as mpl
import pytest
from matplotlib import pyplot as plt

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))


@pytest.fixture(autouse=True)
def drawing_leaves_no_trace(monkeypatch):
    """No plot may show itself or change the settings of matplotlib."""

    def show(*args, **kwargs):
        pytest.fail("a plot called plt.show()")

    mpl.use("agg")
    monkeypatch.setattr(plt, "show", show)
    before = dict(mpl.rcParams)
    yield
    plt.close("all")
    assert dict(mpl.rcParams) == before
