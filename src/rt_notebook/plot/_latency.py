"""The latency of each turn, split into its parts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rt_notebook.log.latency import PARTS, Latency, fold_latency
from rt_notebook.log.turns import fold_turns
from rt_notebook.plot._axes import ASSISTANT, USER, Loggable, events_of, new_axes, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

__all__ = ["latency"]

# Blues until the endpoint begins to answer, oranges from there on; hatching tells neighbours apart without colour.
STYLES: dict[str, tuple[str, str, str, str]] = {
    "vad_wait_ms": ("silence and VAD", "#c6dcef", "....", "black"),
    "commit_ms": ("commit", "#123f66", "", "white"),
    "response_ms": ("response created", USER, "", "white"),
    "first_text_ms": ("first text", "#fdd0a2", "xx", "black"),
    "first_audio_ms": ("first audio", ASSISTANT, "", "black"),
    "playback_ms": ("playback", "#fbd9b0", "////", "black"),
}
TEXT_PT = 8.0
ROW_PX = 34.0


def latency(log: Loggable, *, ax: Axes | None = None) -> Axes:
    """Draw where the time before each answer went: one bar a turn, one piece a part.

    A bar begins where the user stopped speaking (or sent what was typed) and ends at the first sound of the
    answer, or at its arrival if no speaker reported. The parts are those of `EventLog.latency`. The slowest turn's
    total is bold.

    Parameters
    ----------
    log
        An `EventLog`, or a session.
    ax
        Axes to draw into; None makes a figure, 900 pixels wide and 300 or more high.

    Returns
    -------
    Axes
        The Axes, with milliseconds to the right and the first turn on top.
    """
    turns = fold_turns(events_of(log))
    rows = [row for row in map(fold_latency, turns) if any(not math.isnan(getattr(row, p)) for p in PARTS)]
    ax = new_axes(ax, min(2000.0, max(300.0, 110.0 + ROW_PX * len(rows))))
    if not rows:
        return say(ax, "No turn has an answer yet: there is no latency to show.")
    left_ms = [0.0] * len(rows)
    for part in PARTS:
        widths_ms = [0.0 if math.isnan(getattr(row, part)) else max(0.0, getattr(row, part)) for row in rows]
        if any(not math.isnan(getattr(row, part)) for row in rows):
            _draw_part(ax, part, widths_ms, left_ms)
            left_ms = [left + width for left, width in zip(left_ms, widths_ms, strict=True)]
    longest_ms = max(left_ms) or 1.0
    ax.set_xlim(0.0, longest_ms * 1.12)
    _write_totals(ax, rows, left_ms)
    _dress(ax, rows)
    return ax


def _draw_part(ax: Axes, part: str, widths_ms: Sequence[float], left_ms: Sequence[float]) -> None:
    label, color, hatch, ink = STYLES[part]
    bars = ax.barh(
        range(len(widths_ms)),
        widths_ms,
        left=left_ms,
        height=0.62,
        color=color,
        edgecolor="#12324d",
        linewidth=0.4,
        hatch=hatch,
        label=label,
    )
    texts = ax.bar_label(
        bars, [f"{w:.0f}" for w in widths_ms], label_type="center", fontsize=TEXT_PT, color=ink
    )
    for text in texts:
        text.set_gid(part)
        if hatch:
            text.set_bbox({"facecolor": color, "edgecolor": "none", "pad": 1.0})
    ax.figure.stale = True


def _write_totals(ax: Axes, rows: Sequence[Latency], ends_ms: Sequence[float]) -> None:
    """Write the totals at the ends of the bars, and take away the labels that are wider than their piece."""
    totals_ms = [-1.0 if math.isnan(row.total_ms) else row.total_ms for row in rows]
    slowest = totals_ms.index(max(totals_ms))
    for index, (row, end_ms) in enumerate(zip(rows, ends_ms, strict=True)):
        unanswered = math.isnan(row.total_ms)
        words = "no answer" if unanswered else f"{row.total_ms:.0f} ms"
        weight = "bold" if index == slowest and len(rows) > 1 and not unanswered else "normal"
        offset = {"xytext": (5, 0), "textcoords": "offset points"}
        ax.annotate(words, (end_ms, index), va="center", fontsize=TEXT_PT + 1, fontweight=weight, **offset)


def _dress(ax: Axes, rows: Sequence[Latency]) -> None:
    ax.set_yticks(range(len(rows)), [f"turn {row.turn} ({row.kind})" for row in rows])
    ax.tick_params(axis="y", length=0)
    ax.invert_yaxis()
    ax.set_xlabel("time since the end of speech, or since sending (ms)")
    ax.spines[["left", "right", "top"]].set_visible(False)
    ax.legend(
        loc="lower left",
        bbox_to_anchor=(0.0, 1.0),
        ncols=len(PARTS),
        fontsize=TEXT_PT,
        frameon=False,
        borderaxespad=0.2,
        columnspacing=1.4,
        handlelength=1.6,
    )
