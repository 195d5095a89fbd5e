"""Turns as spans on a time axis: what is speech, what is padding, what is waiting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rt_notebook.plot._axes import USER

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["draw_turns", "hatched"]


def hatched(hatch: str, color: str) -> dict[str, Any]:
    """Return the style of a span that is only hatched."""
    return {"facecolor": "none", "edgecolor": color, "hatch": hatch, "linewidth": 0.0}


def draw_turns(
    ax: Axes,
    turns: pd.DataFrame,
    onset: str,
    y: tuple[float, float],
    end_s: float,
    *,
    color: str = USER,
    alpha: float = 0.3,
    labelled: bool = True,
) -> None:
    """Draw turns into a lane.

    Parameters
    ----------
    turns
        Times in ms, as `rt_notebook.vad.simulate` or `rt_notebook.vad.whatif` have them.
    onset
        The column of the onset.
    y
        Bottom and height of the lane.
    end_s
        Until where a turn without an end is drawn.
    labelled
        Name the spans in the legend.
    """
    times = turns[["audio_start_ms", onset, "speech_end_ms", "audio_end_ms"]].astype("Float64")
    start_s, onset_s, speech_end_s, stop_s = times.fillna(end_s * 1000).to_numpy(np.float64).T / 1000
    kinds: list[tuple[str, Any, Any, dict[str, Any]]] = [
        ("prefix padding", start_s, onset_s, hatched("////", color)),
        ("speech", onset_s, speech_end_s, {"facecolor": color, "alpha": alpha, "linewidth": 0.0}),
        ("silence wait", speech_end_s, stop_s, hatched("....", color)),
    ]
    for name, begin_s, finish_s, style in kinds:
        spans = [(a, b - a) for a, b in zip(begin_s, finish_s, strict=True) if b > a]
        if spans:
            ax.broken_barh(spans, y, label=name if labelled else "_", **style)
