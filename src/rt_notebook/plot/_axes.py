"""What the plots share: their input, their Axes, their colours, and text that fits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from rt_notebook.core.events import Event

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["ASSISTANT", "USER", "HasLog", "Loggable", "events_of", "fit_text", "new_axes", "say", "settle"]

USER = "#2b7bba"
ASSISTANT = "#e08214"
"""Blue and orange of one weight: told apart by every kind of colour vision, on light and dark grounds."""


class HasLog(Protocol):
    """A session, or whatever else keeps a log."""

    @property
    def log(self) -> Sequence[Event]:
        """The events."""


Loggable = Sequence[Event] | HasLog
"""A log, or a session that has one."""


def events_of(log: Loggable) -> list[Event]:
    """Return the events of a log, or of the log of a session."""
    return list(log if isinstance(log, Sequence) else log.log)


def new_axes(ax: Axes | None, height_px: float) -> Axes:
    """Return `ax`, or the Axes of a new figure of 900 pixels by `height_px`.

    The figure is made through pyplot: that is how a notebook comes to show it, once, at the end of the cell.
    """
    if ax is not None:
        return ax
    from matplotlib import pyplot as plt

    _, new = plt.subplots(figsize=(9.0, height_px / 100), dpi=100, layout="constrained")
    return new


def settle(ax: Axes) -> None:
    """Do the figure's layout now, so that widths in pixels are true."""
    ax.figure.canvas.figure.draw_without_rendering()


def say(ax: Axes, words: str) -> Axes:
    """Put words where there is nothing to draw."""
    ax.set_axis_off()
    ax.text(0.5, 0.5, words, transform=ax.transAxes, ha="center", va="center")
    return ax


def fit_text(text: str, width_px: float, size_pt: float, dpi: float) -> str:
    """Return as much of `text` as fits into `width_px`, an ellipsis where it is cut; ``""`` if too little."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    text = " ".join(text.split())
    if not text or width_px <= 0:
        return ""
    font = FontProperties(size=size_pt)
    full_px = text_to_path.get_text_width_height_descent(text, font, ismath=False)[0] * dpi / 72
    if full_px <= width_px:
        return text
    keep = int(len(text) * width_px / full_px) - 2
    return f"{text[:keep].rstrip()}…" if keep >= 4 else ""
