"""The tuner as a still picture: what a saved notebook shows."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from rt_notebook import plot

if TYPE_CHECKING:
    from rt_notebook.core.config import ServerVad
    from rt_notebook.widgets.tuner.tuning import Heard

__all__ = ["picture"]


def picture(heard: Heard, vad: ServerVad, exit_threshold: float | None) -> bytes:
    """Draw it as PNG, 900 x 320 pixels. Not through pyplot: nothing else is to be shown by it."""
    figure = Figure(figsize=(9.0, 3.2), dpi=100, layout="constrained")
    plot.vad(
        heard.sound.trace,
        vad,
        exit_threshold=exit_threshold,
        audio=heard.sound.pcm or None,
        labels=heard.labels if len(heard.labels) else None,
        ax=figure.subplots(),
    )
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png")
    return drawn.getvalue()
