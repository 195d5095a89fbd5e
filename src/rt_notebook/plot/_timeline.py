"""The timeline: you, the turn detection and the assistant on one time axis."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.patches import Patch

from rt_notebook.log.segments import Segments, fold_segments
from rt_notebook.plot._axes import ASSISTANT, USER, Loggable, events_of, fit_text, new_axes, say, settle
from rt_notebook.plot._turn_spans import hatched

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from rt_notebook.log.records import AudioPiece

__all__ = ["timeline"]

# Lanes from bottom to top: where their sound lies, and above it their words.
ASSISTANT_Y, VAD_Y, USER_Y = 0.0, 1.12, 1.6
SOUND_HEIGHT, WORDS_HEIGHT = 0.66, 0.3
FLOOR_DBFS = -60.0
"""The level that is drawn as nothing."""

SOLID, LIGHT = 0.95, 0.4
"""Opacity of what was said or heard, and of what was only sent or received."""

TEXT_PT = 8.0
WORDS_GAP_PX = 10.0
SPOKEN = ("speech", "played", "received")
LEGEND = (
    "speech",
    "typed",
    "prefix padding",
    "silence wait",
    "speech_started",
    "speech_stopped",
    "committed",
    "interrupted",
    "played",
    "received, not heard",
)
"""The legend's order, down its columns of two: what belongs together stands together."""


def timeline(
    log: Loggable, *, ax: Axes | None = None, start_s: float | None = None, end_s: float | None = None
) -> Axes:
    """Draw who spoke when, and what turn detection made of it.

    Three lanes share the time axis. *You*: the level that was sent, the speech that the endpoint saw, and,
    hatched, the prefix padding ahead of it and the silence that ended it. *VAD*: when its decisions arrived.
    *Assistant*: the level of the answer, solid where the speaker sounded and light where it was received but
    not heard; a bar marks where it was cut. Without a speaker's reports an answer is drawn light, from its
    arrival on.

    Parameters
    ----------
    log
        An `EventLog`, or a session.
    ax
        Axes to draw into; None makes a figure of 900 x 300 pixels.
    start_s, end_s
        What to show, in seconds on the session clock; None shows all. A minute or less reads best.

    Returns
    -------
    Axes
        The Axes, time in seconds on the session clock.
    """
    segments = fold_segments(events_of(log))
    ax = new_axes(ax, 300)
    if not segments.spans and not segments.marks and not segments.user_level:
        return say(ax, "Nothing was said yet: the timeline is drawn from the first audio on.")
    margin_s = max(0.01 * (segments.end_s - segments.start_s), 0.05)
    left_s = segments.start_s - margin_s if start_s is None else start_s
    right_s = segments.end_s + margin_s if end_s is None else end_s
    ax.set_xlim(left_s, right_s)
    ax.set_ylim(ASSISTANT_Y - 0.12, USER_Y + SOUND_HEIGHT + WORDS_HEIGHT + 0.08)
    _draw_user(ax, segments)
    _draw_vad(ax, segments)
    _draw_assistant(ax, segments)
    _dress(ax, segments)
    _write_words(ax, segments)
    return ax


def _draw_user(ax: Axes, segments: Segments) -> None:
    speech = [(span.start_s, span.end_s) for span in segments.spans if span.kind == "speech"]
    _draw_spans(ax, segments, "speech", USER_Y, color=USER, alpha=0.25)
    _draw_spans(ax, segments, "padding", USER_Y, label="prefix padding", **hatched("////", USER))
    _draw_spans(ax, segments, "silence", USER_Y, label="silence wait", **hatched("....", USER))
    _draw_level(ax, segments.user_level, USER_Y, speech, USER)
    typed_s = [mark.t_s for mark in segments.marks if mark.kind == "typed"]
    _draw_marks(ax, typed_s, USER_Y + SOUND_HEIGHT / 2, "D", USER, "typed")


def _draw_vad(ax: Axes, segments: Segments) -> None:
    moments = {
        kind: {mark.item_id: mark.t_s for mark in segments.marks if mark.kind == kind}
        for kind in ("speech_started", "speech_stopped", "committed")
    }
    for item_id, start_s in moments["speech_started"].items():
        stop_s = moments["speech_stopped"].get(item_id, segments.end_s)
        ax.plot([start_s, stop_s], [VAD_Y, VAD_Y], color=USER, linewidth=1.5, solid_capstyle="butt", zorder=2)
    _draw_marks(ax, list(moments["speech_started"].values()), VAD_Y, ">", USER, "speech_started")
    _draw_marks(ax, list(moments["speech_stopped"].values()), VAD_Y, "s", USER, "speech_stopped")
    # A commit follows its stop within milliseconds: it is drawn above, not over it.
    _draw_marks(ax, list(moments["committed"].values()), VAD_Y + 0.2, "v", USER, "committed", filled=False)


def _draw_assistant(ax: Axes, segments: Segments) -> None:
    played = [(span.start_s, span.end_s) for span in segments.spans if span.kind == "played"]
    _draw_spans(ax, segments, "received", ASSISTANT_Y, color=ASSISTANT, alpha=0.2)
    _draw_spans(ax, segments, "played", ASSISTANT_Y, color=ASSISTANT, alpha=0.2)
    _draw_level(ax, segments.assistant_level, ASSISTANT_Y, played, ASSISTANT)
    cuts_s = [mark.t_s for mark in segments.marks if mark.kind == "interrupted"]
    for index, cut_s in enumerate(cuts_s):
        span = [ASSISTANT_Y - 0.06, ASSISTANT_Y + SOUND_HEIGHT + 0.06]
        label = "interrupted" if index == 0 else "_"
        color = ax.xaxis.label.get_color()
        ax.plot([cut_s, cut_s], span, color=color, linewidth=2.2, label=label, zorder=4)


def _draw_spans(ax: Axes, segments: Segments, kind: str, y: float, **style: Any) -> None:
    spans = [(span.start_s, span.end_s - span.start_s) for span in segments.spans if span.kind == kind]
    if spans:
        ax.broken_barh(spans, (y, SOUND_HEIGHT), **({"linewidth": 0.0} | style))


def _draw_level(
    ax: Axes, pieces: Sequence[AudioPiece], y: float, solid: Sequence[tuple[float, float]], color: str
) -> None:
    """Draw levels as a band around the lane's middle, solid inside the spans `solid` and light elsewhere."""
    if not pieces:
        return
    starts_s, ends_s, levels_dbfs = np.array(_without_gaps(pieces)).T
    half = np.clip(1.0 - levels_dbfs / FLOOR_DBFS, 0.0, 1.0) * SOUND_HEIGHT / 2
    middles_s = (starts_s + ends_s) / 2
    inside = np.zeros(len(half), dtype=bool)
    for start_s, end_s in solid:
        inside |= (middles_s >= start_s) & (middles_s < end_s)
    times_s = np.column_stack([starts_s, ends_s]).ravel()
    for mask, alpha in ((inside, SOLID), (~inside, LIGHT)):
        if mask.any():
            height = np.repeat(np.where(mask, half, 0.0), 2)
            middle = y + SOUND_HEIGHT / 2
            ax.fill_between(times_s, middle - height, middle + height, color=color, alpha=alpha, linewidth=0)


def _without_gaps(pieces: Sequence[AudioPiece]) -> list[tuple[float, float, float]]:
    """Return the pieces as (start, end, level), with silence where nothing was sent or sounded."""
    filled: list[tuple[float, float, float]] = []
    for piece in pieces:
        if filled and piece.start_s > filled[-1][1]:
            filled.append((filled[-1][1], piece.start_s, FLOOR_DBFS))
        filled.append((piece.start_s, piece.end_s, piece.level_dbfs))
    return filled


def _draw_marks(
    ax: Axes, times_s: Sequence[float], y: float, marker: str, color: str, label: str, *, filled: bool = True
) -> None:
    if times_s:
        face = color if filled else "none"
        ys = [y] * len(times_s)
        ax.scatter(times_s, ys, s=28, marker=marker, facecolors=face, edgecolors=color, label=label, zorder=3)


def _dress(ax: Axes, segments: Segments) -> None:
    middle = SOUND_HEIGHT / 2
    ax.set_yticks([USER_Y + middle, VAD_Y, ASSISTANT_Y + middle], ["You", "VAD", "Assistant"])
    ax.tick_params(axis="y", length=0)
    ax.set_xlabel("session time (s)")
    ax.spines[["left", "right", "top"]].set_visible(False)
    handles, labels = ax.get_legend_handles_labels()
    for name, (color, alpha) in _swatches(segments).items():
        handles.append(Patch(facecolor=color, alpha=alpha))
        labels.append(name)
    order = sorted(range(len(labels)), key=lambda index: LEGEND.index(labels[index]))
    ax.legend(
        [handles[index] for index in order],
        [labels[index] for index in order],
        loc="lower left",
        bbox_to_anchor=(0.0, 1.0),
        ncols=math.ceil(len(labels) / 2),
        fontsize=TEXT_PT,
        frameon=False,
        borderaxespad=0.0,
        columnspacing=1.6,
        handlelength=1.6,
        labelspacing=0.3,
    )


def _swatches(segments: Segments) -> dict[str, tuple[str, float]]:
    """Return colour and opacity of the bands for the legend: the bands are several artists each."""
    heard_s = {kind: sum(s.end_s - s.start_s for s in segments.spans if s.kind == kind) for kind in SPOKEN}
    swatches = {"speech": (USER, SOLID)} if heard_s["speech"] else {}
    if heard_s["played"]:
        swatches["played"] = (ASSISTANT, SOLID)
    if heard_s["received"] > heard_s["played"] + 0.1:
        swatches["received, not heard"] = (ASSISTANT, LIGHT)
    return swatches


def _write_words(ax: Axes, segments: Segments) -> None:
    """Write what was said above each lane, as far as it fits before the next words."""
    settle(ax)
    starts = {
        span.item_id: span.start_s for span in reversed(segments.spans) if span.kind in {"speech", "received"}
    }
    starts |= {mark.item_id: mark.t_s for mark in segments.marks if mark.kind == "typed"}
    left_s, right_s = ax.get_xlim()
    lanes: dict[float, list[tuple[float, str]]] = {USER_Y: [], ASSISTANT_Y: []}
    for turn in segments.turns:
        for y, item_id, text in (
            (USER_Y, turn.user_item_id, turn.user),
            (ASSISTANT_Y, turn.assistant_item_id, turn.assistant),
        ):
            if text and item_id in starts and left_s <= starts[item_id] < right_s:
                lanes[y].append((starts[item_id], text))
    for y, words in lanes.items():
        words.sort()
        starts_px = [ax.transData.transform((start_s, 0))[0] for start_s, _ in words]
        # The last words may run to the very edge; others keep their distance from the next.
        ends_px = [*(px - WORDS_GAP_PX for px in starts_px[1:]), ax.bbox.x1]
        for (start_s, text), start_px, end_px in zip(words, starts_px, ends_px, strict=False):
            snippet = fit_text(text, end_px - start_px, TEXT_PT, ax.figure.dpi)
            height = y + SOUND_HEIGHT + 0.05
            artist = ax.text(start_s, height, snippet, fontsize=TEXT_PT, va="bottom", clip_on=True)
            artist.set_in_layout(False)
