"""Time travel: the turns as they were decided, and as they would have been, on one time axis."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rt_notebook.plot._axes import ASSISTANT, USER, fit_text, new_axes, say, settle
from rt_notebook.plot._turn_spans import draw_turns

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from rt_notebook.vad import WhatIf

__all__ = ["whatif"]

_RECORDED_Y, _TURNS_Y, _HEIGHT = 1.0, 0.0, 0.5
_TEXT_PT = 8.0


def whatif(
    found: WhatIf, *, start_s: float | None = None, end_s: float | None = None, ax: Axes | None = None
) -> Axes:
    """Draw what was recorded above, and what other settings would have decided below.

    Between the two stands what became of the turns; a dashed line marks the first difference, from where on
    the replies would have been others.

    Parameters
    ----------
    found
        What `rt_notebook.vad.whatif` returned.
    start_s, end_s
        What to show, in seconds of the user's audio; None shows all.
    ax
        Axes to draw into; None makes a figure of 900 x 240 pixels.

    Returns
    -------
    Axes
        The Axes, time in seconds of the user's audio.
    """
    ax = new_axes(ax, 240)
    if not len(found.changes):
        return say(ax, "There are no turns, neither recorded nor at these settings.")
    lanes = ((found.recorded, _RECORDED_Y, ASSISTANT), (found.turns, _TURNS_Y, USER))
    last_ms = max(
        (float(frame[["audio_start_ms", "audio_end_ms"]].max().max()) for frame, _, _ in lanes if len(frame)),
        default=0.0,
    )
    last_s = last_ms / 1000 + 0.5
    for turns, y, color in lanes:
        draw_turns(
            ax,
            turns,
            "speech_start_ms",
            (y, _HEIGHT),
            last_s,
            color=color,
            alpha=0.75,
            labelled=y == _TURNS_Y,
        )
        cut_s = turns.loc[turns["interrupts"], "audio_start_ms"].to_numpy(np.float64) / 1000
        ax.plot(cut_s, np.full(cut_s.size, y + _HEIGHT + 0.06), "v", color=color, markersize=5)
    ax.set_xlim(0.0 if start_s is None else start_s, last_s if end_s is None else end_s)
    ax.set_ylim(-0.1, _RECORDED_Y + _HEIGHT + 0.15)
    ax.set_yticks([_TURNS_Y + _HEIGHT / 2, _RECORDED_Y + _HEIGHT / 2], ["would be", "recorded"])
    ax.tick_params(axis="y", length=0)
    ax.set_xlabel("time (s)")
    ax.spines[["left", "right", "top"]].set_visible(False)
    other = found.changes[found.changes["change"] != "same"]
    if len(other):
        first_s = float(other["audio_start_ms"].min()) / 1000
        ax.axvline(first_s, color=ax.xaxis.label.get_color(), linestyle="--", linewidth=1.0)
    ax.legend(
        loc="lower left",
        bbox_to_anchor=(0.0, 1.0),
        ncols=3,
        fontsize=_TEXT_PT,
        frameon=False,
        borderaxespad=0.0,
    )
    _write_changes(ax, found)
    return ax


def _write_changes(ax: Axes, found: WhatIf) -> None:
    """Write what became of each turn between the lanes, as far as it fits before the next."""
    settle(ax)
    starts_s = found.changes["audio_start_ms"].to_numpy(np.float64) / 1000
    starts_px = [ax.transData.transform((start_s, 0))[0] for start_s in starts_s]
    left_px, right_px = ax.bbox.x0, ax.bbox.x1
    ends_px = [*(px - 6 for px in starts_px[1:]), right_px]
    middle = (_TURNS_Y + _HEIGHT + _RECORDED_Y) / 2
    for change, start_s, start_px, end_px in zip(
        found.changes["change"], starts_s, starts_px, ends_px, strict=True
    ):
        words = fit_text(change, min(end_px, right_px) - start_px - 5, _TEXT_PT, ax.figure.dpi)
        if words and start_px >= left_px:
            ax.annotate(
                words,
                (start_s, middle),
                xytext=(3, 0),
                textcoords="offset points",
                fontsize=_TEXT_PT,
                va="center",
                annotation_clip=True,
            )
