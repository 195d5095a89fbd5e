"""How each part of the latency varies over many turns."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from rt_notebook.log.latency import PARTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

    from rt_notebook.log.latency import Latency

__all__ = ["distribution"]

TOTAL = ("total", "#d9d9d9", "")
BAR_HEIGHT = 0.5
ROOM = 1.35
"""So much wider than the data, for the words behind it."""


def distribution(ax: Axes, rows: Sequence[Latency], styles: Mapping[str, tuple[str, str, str]]) -> Axes:
    """Draw one row a part, with the median and the 95th percentile, and the total below.

    Parameters
    ----------
    styles
        Name, colour and hatching by part.
    """
    drawn: list[str] = []
    furthest_ms = 0.0
    for part in (*PARTS, "total_ms"):
        values = [getattr(row, part) for row in rows]
        values_ms = np.array([value for value in values if not math.isnan(value)])
        if values_ms.size == 0:
            continue
        name, color, hatch = styles.get(part, TOTAL)
        _row(ax, len(drawn), values_ms, color, hatch)
        drawn.append(name)
        furthest_ms = max(furthest_ms, float(values_ms.max()))
    ax.set_yticks(range(len(drawn)), drawn)
    ax.set_ylim(len(drawn) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.set_xlim(0.0, (furthest_ms or 1.0) * ROOM)
    ax.set_xlabel(f"milliseconds, over {len(rows)} turns")
    ax.spines[["left", "right", "top"]].set_visible(False)
    return ax


def _row(ax: Axes, at: int, values_ms: np.ndarray, color: str, hatch: str) -> None:
    quarter, median, three_quarters, p95 = np.percentile(values_ms, [25, 50, 75, 95])
    width = three_quarters - quarter
    ax.barh(at, width, left=quarter, height=BAR_HEIGHT, color=color, hatch=hatch, edgecolor="#3a3a3a",
            linewidth=0.4, zorder=2)  # fmt: skip
    # Laid out evenly over the row's height, in the order of the turns: the same log gives the same picture.
    heights = at + BAR_HEIGHT * (np.arange(values_ms.size) % 9 - 4) / 10
    ax.plot(values_ms, heights, ".", markersize=2.5, color="#3a3a3a", alpha=0.45, zorder=3)
    ax.vlines(median, at - BAR_HEIGHT / 2, at + BAR_HEIGHT / 2, color="black", linewidth=2.0, zorder=4)
    ax.plot([p95], [at], "|", markersize=12, markeredgewidth=1.5, color="black", zorder=4)
    words = f"median {median:.0f}, p95 {p95:.0f} ms"
    furthest_ms = float(values_ms.max())
    ax.annotate(words, (furthest_ms, at), xytext=(6, 0), textcoords="offset points", va="center", fontsize=8)
