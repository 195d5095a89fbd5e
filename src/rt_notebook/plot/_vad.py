"""One recording at one setting: its speech probability, and the turns that follow from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rt_notebook.core.audio import SAMPLE_RATE_HZ
from rt_notebook.core.config import ServerVad
from rt_notebook.core.turn_detection import exit_of
from rt_notebook.io.audio.sources import to_wire_audio
from rt_notebook.plot._axes import ASSISTANT, USER, new_axes, say
from rt_notebook.plot._turn_spans import draw_turns
from rt_notebook.vad import as_labels, simulate
from rt_notebook.vad.traces.trace import as_trace

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd
    from matplotlib.axes import Axes

    from rt_notebook.io.audio.sources import AudioSource
    from rt_notebook.vad import Trace

__all__ = ["vad"]

_COLUMNS = 1200
_WAVE_Y, _WAVE_HEIGHT = 1.45, 0.35
_LABELS_Y, _BELOW_Y, _LANE = 1.86, -0.24, 0.14


def vad(
    trace: Trace | npt.ArrayLike,
    vad: ServerVad | None = None,
    *,
    exit_threshold: float | None = None,
    audio: AudioSource | None = None,
    labels: npt.ArrayLike | None = None,
    recorded: pd.DataFrame | None = None,
    start_s: float | None = None,
    end_s: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the speech probability of a recording, and the turns that a setting makes of it.

    Parameters
    ----------
    trace
        A trace, or probabilities in frames of 32 ms.
    vad
        The settings; None: the API's defaults.
    exit_threshold
        As for `rt_notebook.vad.simulate`.
    audio
        The recording at 24 kHz, to draw its waveform above.
    labels
        When somebody speaks, in seconds, shape (m, 2): drawn as bars at the top.
    recorded
        Turns that a server has decided, drawn below; such as ``whatif(...).recorded``.
    start_s, end_s
        What to show, in seconds; None shows all.
    ax
        Axes to draw into; None makes a figure of 900 x 320 pixels.

    Returns
    -------
    Axes
        The Axes, time in seconds of audio.
    """
    heard, settings = as_trace(trace), vad or ServerVad()
    ax = new_axes(ax, 320)
    if not len(heard):
        return say(ax, "There is nothing to listen to yet.")
    left_s = 0.0 if start_s is None else start_s
    right_s = heard.duration_s if end_s is None else end_s
    turns = simulate(heard, settings, exit_threshold=exit_threshold)
    top = 1.05
    draw_turns(ax, turns, "onset_ms", (0.0, 1.0), heard.duration_s)
    ends_s = turns["audio_end_ms"].dropna().to_numpy(np.float64) / 1000
    ax.vlines(ends_s, 0.0, 1.0, color=USER, linewidth=1.2, label="decision" if ends_s.size else "_", zorder=3)
    _draw_probability(ax, heard, left_s, right_s)
    leave = exit_of(settings.threshold, exit_threshold)
    for name, level, style in (("threshold", settings.threshold, "-"), ("exit threshold", leave, "--")):
        ax.axhline(level, color=ASSISTANT, linestyle=style, linewidth=1.2, label=name, zorder=4)
    if audio is not None:
        _draw_wave(ax, to_wire_audio(audio), left_s, right_s)
        top = _WAVE_Y + _WAVE_HEIGHT
    if labels is not None and np.size(labels):
        spans = [(a, b - a) for a, b in as_labels(labels).tolist()]
        y = _LABELS_Y if audio is not None else 1.1
        ax.broken_barh(spans, (y, 0.08), facecolor=ax.xaxis.label.get_color(), alpha=0.7, label="labelled")
        top = y + 0.1
    bottom = -0.03
    if recorded is not None:
        onset = "onset_ms" if "onset_ms" in recorded else "speech_start_ms"
        draw_turns(ax, recorded, onset, (_BELOW_Y, _LANE), heard.duration_s, color=ASSISTANT, labelled=False)
        bottom = _BELOW_Y - 0.06
    ax.set_xlim(left_s, max(right_s, left_s + 0.001))
    ax.set_ylim(bottom, top)
    _dress(ax, audio is not None, recorded is not None)
    return ax


def _draw_probability(ax: Axes, trace: Trace, left_s: float, right_s: float) -> None:
    """Draw the trace; where frames are narrower than columns, their lowest and highest."""
    first = max(int(left_s / trace.hop_s), 0)
    values = trace.probabilities[first : int(np.ceil(right_s / trace.hop_s)) + 1]
    color = ax.xaxis.label.get_color()
    if len(values) <= _COLUMNS:
        times_s = (first + np.arange(len(values) + 1)) * trace.hop_s
        ax.stairs(values, times_s, color=color, linewidth=0.9, baseline=None, zorder=3)
        return
    times_s, low, high = _bounds(values, trace.hop_s, first * trace.hop_s)
    ax.fill_between(times_s, low, high, color=color, alpha=0.75, linewidth=0.4, zorder=3)


def _draw_wave(ax: Axes, pcm: bytes, left_s: float, right_s: float) -> None:
    first = max(int(left_s * SAMPLE_RATE_HZ), 0)
    samples = np.frombuffer(pcm, "<i2")[first : int(right_s * SAMPLE_RATE_HZ) + 1]
    if samples.size:
        loudest = max(int(np.abs(samples.astype(np.int32)).max()), 1)
        times_s, low, high = _bounds(samples, 1 / SAMPLE_RATE_HZ, first / SAMPLE_RATE_HZ)
        scale = _WAVE_HEIGHT / loudest
        ax.fill_between(
            times_s, _WAVE_Y + low * scale, _WAVE_Y + high * scale, color=USER, alpha=0.9, linewidth=0
        )


def _bounds(
    values: npt.NDArray[Any], step_s: float, first_s: float
) -> tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]:
    """Return times, lowest and highest of as many stretches as can be told apart."""
    starts = np.unique(np.linspace(0, values.size, _COLUMNS, endpoint=False).astype(np.int64))
    return first_s + starts * step_s, np.minimum.reduceat(values, starts), np.maximum.reduceat(values, starts)


def _dress(ax: Axes, wave: bool, recorded: bool) -> None:  # noqa: FBT001 - private
    ticks = [(0.0, "0"), (0.5, "0.5"), (1.0, "1")]
    ticks += [(_WAVE_Y, "audio")] if wave else []
    ticks += [(_BELOW_Y + _LANE / 2, "server")] if recorded else []
    ax.set_yticks([y for y, _ in ticks], [name for _, name in ticks])
    ax.set_xlabel("time (s)")
    ax.set_ylabel("speech probability", loc="bottom")
    ax.spines[["left", "right", "top"]].set_visible(False)
    ax.tick_params(axis="y", length=0)
    handles, names = ax.get_legend_handles_labels()
    shown = dict(zip(names, handles, strict=True))
    order = (
        "labelled",
        "prefix padding",
        "speech",
        "silence wait",
        "decision",
        "threshold",
        "exit threshold",
    )
    names = [name for name in order if name in shown]
    ax.legend(
        [shown[name] for name in names],
        names,
        loc="lower left",
        bbox_to_anchor=(0.0, 1.0),
        ncols=len(names),
        fontsize=8.0,
        frameon=False,
        borderaxespad=0.0,
        columnspacing=1.4,
        handlelength=1.5,
    )
