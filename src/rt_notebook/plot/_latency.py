"""The latency of each turn, split into its parts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

from rt_notebook.log.latency import PARTS, Latency, fold_latency
from rt_notebook.plot._axes import ASSISTANT, USER, Loggable, events_of, fit_text, new_axes, say, settle
from rt_notebook.plot._distribution import distribution

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

__all__ = ["latency"]

# Blues until the endpoint begins to answer, oranges from there on; hatching tells neighbours apart too.
STYLES: dict[str, tuple[str, str, str, str]] = {
    "capture_ms": ("capture", "#08519c", "", "white"),
    "mic_carrier_ms": ("to the kernel", "#9ecae1", "\\\\", "black"),
    "socket_ms": ("socket", "#4292c6", "||", "white"),
    "vad_wait_ms": ("silence and VAD", "#c6dcef", "....", "black"),
    "commit_ms": ("commit", "#54478c", "", "white"),
    "response_ms": ("response created", USER, "", "white"),
    "first_text_ms": ("first text", "#fdd0a2", "xx", "black"),
    "first_audio_ms": ("first audio", ASSISTANT, "", "black"),
    "speaker_carrier_ms": ("to the page", "#fbd9b0", "////", "black"),
    "jitter_buffer_ms": ("jitter buffer", "#b35806", "", "white"),
    "output_ms": ("output", "#fee0b6", "--", "black"),
}
TEXT_PT = 8.0
ROW_PX = 34.0
BAR_HEIGHT = 0.56
LEGEND_COLUMNS = 6
HIGHEST_PX = 1000.0
MANY_TURNS = 40
CROWDED_PX = 14.0
"""Rows lower than this have no room for words."""


def latency(log: Loggable, *, by: Literal["turn", "part"] | None = None, ax: Axes | None = None) -> Axes:
    """Draw where the time before each answer went: a waterfall for each turn, or how each part varies.

    By turn, a bar begins where the user stopped speaking (or sent what was typed) and ends at the first sound
    of the answer, or at its arrival if no speaker reported. The parts are those of `EventLog.latency`. The
    slowest turn's total is bold; when there are too many bars to label, it is the only one that stands there.

    By part, a row shows the part's distribution over all turns: every turn a dot, half of them within the
    bar, the median a line and the 95th percentile a mark. The last row is the total.

    Parameters
    ----------
    log
        An `EventLog`, or a session.
    by
        ``"turn"`` or ``"part"``; None (default) chooses by turn for up to 40 turns, by part for more.
    ax
        Axes to draw into; None makes a figure, 900 pixels wide and 300 or more high.

    Returns
    -------
    Axes
        The Axes, with milliseconds to the right and the first turn or part on top.
    """
    folded = fold_latency(events_of(log))
    rows = [row for row in folded if any(not math.isnan(getattr(row, part)) for part in PARTS)]
    by_part = by == "part" or (by is None and len(rows) > MANY_TURNS)
    count = len(PARTS) if by_part else len(rows)
    ax = new_axes(ax, min(HIGHEST_PX, max(300.0, 110.0 + ROW_PX * count)))
    if not rows:
        return say(ax, "No turn has an answer yet: there is no latency to show.")
    if by_part:
        return distribution(ax, rows, {part: style[:3] for part, style in STYLES.items()})
    crowded = ax.get_window_extent().height < CROWDED_PX * len(rows)
    ends_ms = [0.0] * len(rows)
    pieces: list[tuple[int, str, float, float]] = []
    for part in PARTS:
        widths_ms = [getattr(row, part) for row in rows]
        if all(math.isnan(width) for width in widths_ms):
            continue
        shown_ms = [0.0 if math.isnan(width) else max(0.0, width) for width in widths_ms]
        _draw_part(ax, part, shown_ms, ends_ms, crowded=crowded)
        pieces += [(index, part, ends_ms[index], width) for index, width in enumerate(shown_ms) if width > 0]
        ends_ms = [end + width for end, width in zip(ends_ms, shown_ms, strict=True)]
    ax.set_xlim(0.0, (max(ends_ms) or 1.0) * 1.12)
    _write_totals(ax, rows, ends_ms, crowded=crowded)
    _dress(ax, rows, crowded=crowded)
    if not crowded:
        _write_parts(ax, pieces)
    return ax


def _draw_part(
    ax: Axes, part: str, widths_ms: Sequence[float], left_ms: Sequence[float], *, crowded: bool
) -> None:
    label, color, hatch, _ = STYLES[part]
    ax.barh(
        range(len(widths_ms)),
        widths_ms,
        left=left_ms,
        height=1.0 if crowded else BAR_HEIGHT,
        color=color,
        edgecolor="#3a3a3a",
        linewidth=0.0 if crowded else 0.4,
        hatch=hatch,
        label=label,
    )


def _write_parts(ax: Axes, pieces: Sequence[tuple[int, str, float, float]]) -> None:
    """Write the milliseconds into each piece that has room for them."""
    settle(ax)
    for index, part, left_ms, width_ms in pieces:
        _, color, hatch, ink = STYLES[part]
        left_px, right_px = ax.transData.transform([(left_ms, 0), (left_ms + width_ms, 0)])[:, 0]
        words = f"{width_ms:.0f}"
        if fit_text(words, right_px - left_px - 6, TEXT_PT, ax.figure.dpi) == words:
            box = {"facecolor": color, "edgecolor": "none", "pad": 1.0} if hatch else None
            middle_ms = left_ms + width_ms / 2
            ax.text(middle_ms, index, words, ha="center", va="center", fontsize=TEXT_PT, color=ink, bbox=box)


def _write_totals(ax: Axes, rows: Sequence[Latency], ends_ms: Sequence[float], *, crowded: bool) -> None:
    """Write the totals at the ends of the bars."""
    totals_ms = [-1.0 if math.isnan(row.total_ms) else row.total_ms for row in rows]
    slowest = totals_ms.index(max(totals_ms))
    for index, (row, end_ms) in enumerate(zip(rows, ends_ms, strict=True)):
        if crowded and index != slowest:
            continue
        unanswered = math.isnan(row.total_ms)
        words = "no answer" if unanswered else f"{row.total_ms:.0f} ms"
        weight = "bold" if index == slowest and len(rows) > 1 and not unanswered else "normal"
        ax.annotate(
            words,
            (end_ms, index),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            fontsize=TEXT_PT + 1,
            fontweight=weight,
        )


def _dress(ax: Axes, rows: Sequence[Latency], *, crowded: bool) -> None:
    step = math.ceil(len(rows) / 15) if crowded else 1
    ax.set_yticks(range(0, len(rows), step), [f"turn {row.turn} ({row.kind})" for row in rows[::step]])
    ax.tick_params(axis="y", length=0)
    # One or two bars are no thicker than three.
    middle, room = (len(rows) - 1) / 2, max(len(rows), 3) / 2
    ax.set_ylim(middle + room, middle - room)
    ax.set_xlabel("time since the end of speech, or since sending (ms)")
    ax.spines[["left", "right", "top"]].set_visible(False)
    ax.legend(
        loc="lower left",
        bbox_to_anchor=(0.0, 1.0),
        ncols=LEGEND_COLUMNS,
        fontsize=TEXT_PT,
        frameon=False,
        borderaxespad=0.2,
        columnspacing=1.4,
        handlelength=1.6,
    )
