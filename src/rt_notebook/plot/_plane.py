"""The plane of settings: one metric for every threshold with every silence duration."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rt_notebook.plot._axes import new_axes

if TYPE_CHECKING:
    import numpy.typing as npt
    from matplotlib.axes import Axes

    from rt_notebook.core.config import ServerVad
    from rt_notebook.vad import Sweep

__all__ = ["plane"]


def plane(
    sweep: Sweep,
    metric: str | None = None,
    *,
    vad: ServerVad | None = None,
    prefix_padding_ms: int | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw a metric over all settings that were swept.

    Parameters
    ----------
    sweep
        What `rt_notebook.vad.sweep` returned.
    metric
        One of ``sweep.metrics``. None: the cost, or the turns a minute where there are no labels.
    vad
        A setting to mark.
    prefix_padding_ms
        As for ``sweep.metric``.
    ax
        Axes to draw into; None makes a figure of 900 x 400 pixels.

    Returns
    -------
    Axes
        The Axes, silence duration in ms to the right, threshold upwards. Settings without a value stay empty.

    Raises
    ------
    ConfigError
        There is no such metric, perhaps for lack of labels.
    """
    name = metric or ("cost" if sweep.labelled else "turns_per_min")
    values = sweep.metric(name, prefix_padding_ms)
    ax = new_axes(ax, 400)
    silences_ms, thresholds = sweep.silence_duration_ms, sweep.threshold
    known = values[np.isfinite(values)]
    # Colours end where nine tenths do: a few hopeless settings would else make all others look alike.
    most = float(np.quantile(known, 0.9)) if known.size else None
    mesh = ax.pcolormesh(
        _edges(silences_ms),
        _edges(thresholds),
        np.ma.masked_invalid(values),
        cmap="cividis",
        linewidth=0,
        vmax=most,
    )
    beyond = "max" if known.size and known.max() > most else "neither"
    ax.figure.colorbar(mesh, ax=ax, label=name, extend=beyond)
    ax.set_xlabel("silence_duration_ms")
    ax.set_ylabel("threshold")
    if vad is not None:
        at = [vad.silence_duration_ms], [vad.threshold]
        for color, width in (("black", 4.0), ("white", 1.8)):
            ax.plot(
                *at, "o", markersize=11, markerfacecolor="none", markeredgecolor=color, markeredgewidth=width
            )
    return ax


def _edges(middles: npt.NDArray[np.generic]) -> npt.NDArray[np.float64]:
    """Return the borders between values, and one beyond each end."""
    values = np.asarray(middles, np.float64)
    if values.size == 1:
        return np.array([values[0] - 0.5, values[0] + 0.5])
    between = (values[1:] + values[:-1]) / 2
    return np.concatenate([[2 * values[0] - between[0]], between, [2 * values[-1] - between[-1]]])
