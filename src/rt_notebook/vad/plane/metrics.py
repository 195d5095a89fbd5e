"""What the counts mean: rates, times and one cost, for every setting of a plane at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rt_notebook.vad.plane.score import BIN_MS, COUNTS, FIRST_BIN_MS, PADDED

if TYPE_CHECKING:
    import numpy.typing as npt

    from rt_notebook.vad.plane.plane import Counted

    Floats = npt.NDArray[np.float64]

__all__ = ["LABELLED", "PADDED_METRICS", "UNLABELLED", "metrics_of"]

UNLABELLED = ("turns_per_min", "speech_s_per_min", "sent_s_per_min")
"""Metrics that need no labels."""

LABELLED = (
    "false_cutoff_rate",
    "split_rate",
    "swallowed_rate",
    "miss_rate",
    "false_starts_per_min",
    "endpoint_latency_mean_ms",
    "endpoint_latency_p50_ms",
    "endpoint_latency_p90_ms",
    "clipped_rate",
    "clipped_mean_ms",
    "noise_s_per_min",
    "cost",
)
"""Metrics against labels. Rates are per labelled turn, minutes those of the recording.

``false_cutoff_rate``: turns that were ended while their speaker went on. ``split_rate``: turns detected too
many. ``swallowed_rate``: ends that no decision marked before the next turn. ``miss_rate``: turns of which
nothing was detected. ``false_starts_per_min``: turns detected where nobody spoke.
``endpoint_latency_*_ms``: from the true end to the decision, of turns that were ended rightly.
``clipped_rate``: turns that lost more than 50 ms of their beginning. ``noise_s_per_min``: audio sent in which
nobody spoke.

``cost`` is the mean latency in seconds, twice the rates of false cut-offs, misses and swallowed turns, and
the false starts a minute.
"""

PADDED_METRICS = ("sent_s_per_min", "clipped_rate", "clipped_mean_ms", "noise_s_per_min")
"""Metrics that the prefix padding changes; it changes no decision."""


def metrics_of(counted: Counted, name: str) -> Floats:
    """Return a metric for every setting, shape (thresholds, silences), or with paddings as the last axis.

    NaN where there is nothing to divide by.
    """
    minutes = counted.duration_ms / 60_000
    turns = float(counted.truths)

    def number(key: str) -> Floats:
        values = counted.padded[PADDED.index(key)] if key in PADDED else counted.counts[COUNTS.index(key)]
        found: Floats = values.astype(np.float64)
        return found

    match name:
        case "turns_per_min":
            return _ratio(number("turns"), minutes)
        case "speech_s_per_min" | "sent_s_per_min" | "noise_s_per_min":
            return _ratio(number(name.partition("_")[0] + "_ms") / 1000, minutes)
        case "false_cutoff_rate":
            return _ratio(number("false_cutoffs"), turns)
        case "split_rate":
            return _ratio(number("splits"), turns)
        case "swallowed_rate":
            return _ratio(number("swallowed"), turns)
        case "miss_rate":
            return _ratio(number("misses"), turns)
        case "false_starts_per_min":
            return _ratio(number("false_starts"), minutes)
        case "endpoint_latency_mean_ms":
            return _ratio(number("latency_ms"), number("ends"))
        case "endpoint_latency_p50_ms":
            return _quantile(counted.latencies, 0.5)
        case "endpoint_latency_p90_ms":
            return _quantile(counted.latencies, 0.9)
        case "clipped_rate":
            return _ratio(number("clipped"), turns)
        case "clipped_mean_ms":
            return _ratio(number("clipped_ms"), turns)
        case "cost":
            wrong = number("false_cutoffs") + number("misses") + number("swallowed")
            latency_s = _ratio(number("latency_ms") / 1000, number("ends"))
            return latency_s + 2 * _ratio(wrong, turns) + _ratio(number("false_starts"), minutes)
    raise KeyError(name)


def _ratio(part: Floats, whole: Floats | float) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Floats = np.where(np.asarray(whole) > 0, part / whole, np.nan)
    return found


def _quantile(latencies: npt.NDArray[np.int32], share: float) -> Floats:
    """Read a quantile off the bins, evenly within one."""
    reached = np.cumsum(latencies, axis=-1, dtype=np.int64)
    total = reached[..., -1:]
    wanted = total * share
    at = np.argmax((reached >= wanted) & (latencies > 0), axis=-1)[..., None]
    inside = np.take_along_axis(latencies, at, -1)
    before = np.take_along_axis(reached, at, -1) - inside
    with np.errstate(divide="ignore", invalid="ignore"):
        value = FIRST_BIN_MS + BIN_MS * (at + (wanted - before) / inside)
    found: Floats = np.where(total > 0, value, np.nan)[..., 0]
    return found
