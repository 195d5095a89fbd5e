"""Recommend a setting: the best that a budget allows, in a region where its neighbours are as good.

Everything is computed from whole numbers, in a fixed order and without chance: the same recordings give the
same answer, to the bit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING

import numpy as np

from rt_notebook.core.config import ServerVad
from rt_notebook.errors import ConfigError
from rt_notebook.vad.plane.metrics import LABELLED, PADDED_METRICS, metrics_of
from rt_notebook.vad.plane.plane import Counted, add_up

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt
    import pandas as pd

    from rt_notebook.vad.plane.plane import Plane
    from rt_notebook.vad.plane.sweep import Sweep

    Floats = npt.NDArray[np.float64]
    Place = tuple[int, int]

__all__ = ["BUDGET", "FEWEST_TURNS", "Recommendation", "limits_of", "recommend"]

FEWEST_TURNS = 20
"""With fewer labelled turns one of them decides."""

BUDGET = {
    "false_cutoff_rate": 0.3,
    "miss_rate": 0.2,
    "swallowed_rate": 0.2,
    "false_starts_per_min": 6.0,
}
"""Nothing is recommended beyond these, unless another budget is given for them."""

CLIPPED_RATE = 0.05
FRONT = (
    "false_cutoff_rate",
    "swallowed_rate",
    "miss_rate",
    "false_starts_per_min",
    "endpoint_latency_p50_ms",
    "endpoint_latency_p90_ms",
)
"""What is weighed: a setting is on the front if no other is better in one of these and worse in none."""

_FOLDS = 5
_NEAR_THRESHOLD = 0.06
_NEAR_MS = 100
_AS_GOOD = 0.02


@dataclass(frozen=True, slots=True, eq=False)
class Recommendation:
    """What to set, and why.

    Attributes
    ----------
    vad
        The settings; None: none is acceptable, or there is too little to tell.
    reasons
        Why, as sentences.
    metrics, baseline_metrics
        On these recordings: of the recommended settings (empty without any) and of `baseline`.
    held_out, held_out_baseline
        The same on recordings that were not used to choose, by turns; empty where there are too few.
    baseline
        What it is compared with: the API's defaults, if they were swept.
    front
        The settings that no other beats in everything, one row each.
    """

    vad: ServerVad | None
    reasons: tuple[str, ...]
    metrics: dict[str, float]
    baseline_metrics: dict[str, float]
    held_out: dict[str, float]
    held_out_baseline: dict[str, float]
    baseline: ServerVad | None
    front: pd.DataFrame

    def __str__(self) -> str:
        return "\n".join(self.reasons)

    __repr__ = __str__


def recommend(
    sweep: Sweep, budget: Mapping[str, float] | None = None, *, baseline: ServerVad | None = None
) -> Recommendation:
    """Recommend a setting out of a labelled sweep.

    Parameters
    ----------
    sweep
        With labels, guessed ones at least.
    budget
        The most that each of some metrics may be, such as ``{"false_cutoff_rate": 0.05}``. For those that are
        not named: 0.3 for ``false_cutoff_rate``, 0.2 for ``miss_rate`` and ``swallowed_rate``, 6 for
        ``false_starts_per_min``. Within it ``cost`` is least (see `rt_notebook.vad.plane.metrics`).
    baseline
        Compare with these settings; None: the API's defaults. Where the recommendation does no better on
        recordings that were held out, it is the baseline.

    Raises
    ------
    ConfigError
        The sweep has no labels, or the budget names a metric that there is not, or no number.
    """
    if not sweep.labelled:
        raise ConfigError(
            "Settings cannot be recommended without labels.", 'Give sweep labels=..., or labels="guess".'
        )
    limits = limits_of(budget)
    base = _baseline_place(sweep, baseline)
    wanted = baseline or ServerVad()
    reasons = [] if not sweep.guessed else ["The labels are guesses: the widest gaps were taken for ends."]
    chosen, robust = None, None
    if sweep.total.truths < FEWEST_TURNS:
        reasons.append(
            f"Too few turns: {sweep.total.truths} are labelled, {FEWEST_TURNS} are the least to judge by."
        )
    else:
        chosen, robust = _choose(sweep.settings, sweep.total, limits)
        if chosen is None:
            reasons.append(_none_acceptable(sweep.total, limits))
    held_out, held_out_base = _held_out(sweep, limits, base) if chosen else ({}, {})
    base_metrics = _metrics_at(sweep.total, base) if base else {}
    # Whoever asks for a budget that the baseline does not keep knows that it may cost more.
    comparable = bool(chosen and base and held_out) and _within(base_metrics, limits)
    if comparable and not _cheaper(held_out, held_out_base):
        chosen, held_out = base, held_out_base
        reasons.append("On recordings that were held out nothing did better than what is compared with.")
    found = _metrics_at(sweep.total, chosen) if chosen else {}
    vad = None
    if chosen and robust is not None:
        # What is recommended is not compared with itself.
        other, held_out_other = ({}, {}) if chosen == base else (base_metrics, held_out_base)
        padding_ms, clipped = _padding(sweep, chosen)
        settings = sweep.settings
        vad = wanted.replace(
            threshold=settings.threshold[chosen[0]],
            silence_duration_ms=settings.silence_duration_ms[chosen[1]],
            prefix_padding_ms=padding_ms,
        )
        reasons = [*_why(vad, found, wanted, other, flat=bool(robust[chosen])), *reasons]
        reasons.append(_why_padding(padding_ms, clipped))
        if held_out:
            reasons.append(_why_held_out(held_out, held_out_other))
        else:
            reasons.append("One recording is too few to hold any out: these figures are hopeful.")
    return Recommendation(
        vad,
        tuple(reasons),
        found,
        base_metrics,
        held_out,
        held_out_base,
        wanted if base else None,
        _front(sweep),
    )


def limits_of(budget: Mapping[str, float] | None) -> dict[str, float]:
    """Return the budget together with what holds where it names nothing.

    Raises
    ------
    ConfigError
        It names a metric that there is not, or no number.
    """
    limits = BUDGET | dict(budget or {})
    known = [name for name in LABELLED if name not in PADDED_METRICS]
    unknown = sorted(set(limits) - set(known))
    if unknown:
        raise ConfigError(f"The budget names {', '.join(unknown)}.", f"Use: {', '.join(known)}.")
    for name, most in limits.items():
        number: object = most
        if not isinstance(number, Real) or math.isnan(number):
            raise ConfigError(f"The budget's {name} is {most!r}.", "Give a number: the most that it may be.")
    return limits


def _choose(
    settings: Plane, counted: Counted, limits: Mapping[str, float]
) -> tuple[Place | None, npt.NDArray[np.bool_]]:
    """Return the place of the setting, and of which settings all around keep the limits too."""
    cost = np.nan_to_num(metrics_of(counted, "cost"), nan=np.inf)
    worst = _worst_nearby(settings, cost)
    within, robust = np.isfinite(cost), np.isfinite(worst)
    for name, most in limits.items():
        values = np.nan_to_num(metrics_of(counted, name), nan=np.inf)
        within &= values <= most
        robust &= _worst_nearby(settings, values) <= most
    if robust.any():
        return _middle(worst, robust), robust
    return _middle(cost, within) if within.any() else None, robust


def _middle(cost: Floats, allowed: npt.NDArray[np.bool_]) -> Place:
    """Return the middle one of those that cost about as little as the least."""
    least = float(np.min(cost[allowed]))
    # Turns that are ended just before their labels' ends have waited for less than nothing.
    near = np.argwhere(allowed & (cost <= least + abs(least) * _AS_GOOD))
    # Whole numbers, so that equal distances are equal everywhere; the first of them is taken.
    away = ((near * len(near) - near.sum(axis=0)) ** 2).sum(axis=1)
    k, s = near[int(np.argmin(away))]
    return int(k), int(s)


def _worst_nearby(settings: Plane, values: Floats) -> Floats:
    """Return for each setting the worst of all that are hardly different."""
    for axis, (places, reach) in enumerate(
        ((settings.threshold, _NEAR_THRESHOLD), (settings.silence_duration_ms, _NEAR_MS))
    ):
        at = np.array(places, np.float64)
        first = np.searchsorted(at, at - reach - 1e-9)
        end = np.searchsorted(at, at + reach + 1e-9)
        values = np.stack(
            [values.take(range(i, j), axis).max(axis) for i, j in zip(first, end, strict=True)], axis
        )
    return values


def _held_out(
    sweep: Sweep, limits: Mapping[str, float], base: Place | None
) -> tuple[dict[str, float], dict[str, float]]:
    """Choose without each part of the recordings in turn, and judge by that part."""
    folds = min(_FOLDS, len(sweep.parts))
    if folds < 2:
        return {}, {}
    ours, theirs = [], []
    for fold in range(folds):
        rest = add_up([part for i, part in enumerate(sweep.parts) if i % folds != fold])
        held = add_up([part for i, part in enumerate(sweep.parts) if i % folds == fold])
        chosen, _ = _choose(sweep.settings, rest, limits)
        place = chosen or base
        if place is not None:
            ours.append(_single(held, place))
        if base is not None:
            theirs.append(_single(held, base))
    return tuple(_metrics_at(add_up(parts), (0, 0)) if parts else {} for parts in (ours, theirs))  # type: ignore[return-value]


def _cheaper(one: Mapping[str, float], other: Mapping[str, float]) -> bool:
    """Whether one costs less; what never ends a turn rightly has no cost, and is worse than any."""
    costs = np.nan_to_num([one["cost"], other["cost"]], nan=np.inf)
    return bool(costs[0] < costs[1])


def _single(counted: Counted, place: Place) -> Counted:
    k, s = place
    here = slice(k, k + 1), slice(s, s + 1)
    return Counted(
        counted.counts[:, *here],
        counted.padded[:, *here],
        counted.latencies[here],
        counted.truths,
        counted.duration_ms,
        counted.recordings,
    )


def _metrics_at(counted: Counted, place: Place) -> dict[str, float]:
    one = _single(counted, place)
    names = [name for name in LABELLED if name not in PADDED_METRICS]
    return {name: float(metrics_of(one, name)[0, 0]) for name in names}


def _within(metrics: Mapping[str, float], limits: Mapping[str, float]) -> bool:
    return all(metrics[name] <= most for name, most in limits.items())


def _baseline_place(sweep: Sweep, baseline: ServerVad | None) -> Place | None:
    settings, wanted = sweep.settings, baseline or ServerVad()
    try:
        return (
            settings.threshold.index(wanted.threshold),
            settings.silence_duration_ms.index(wanted.silence_duration_ms),
        )
    except ValueError:
        return None


def _padding(sweep: Sweep, place: Place) -> tuple[int, float]:
    """Return the padding one step above the least that clips few onsets, and how many it clips.

    Padding costs next to nothing, and the next word may begin more softly than those that were recorded.
    """
    paddings = sweep.settings.prefix_padding_ms
    rates = metrics_of(sweep.total, "clipped_rate")[place]
    enough = np.flatnonzero(rates <= CLIPPED_RATE)
    at = min(int(enough[0]) + 1 if enough.size else len(paddings), len(paddings) - 1)
    return paddings[at], float(rates[at])


def _front(sweep: Sweep) -> pd.DataFrame:
    """Return the settings that no other beats: as good everywhere, and better somewhere."""
    import pandas as pd

    values = np.stack(
        [np.nan_to_num(metrics_of(sweep.total, name), nan=np.inf).reshape(-1) for name in FRONT], axis=1
    )
    places = np.flatnonzero(np.isfinite(values).all(axis=1))
    # Those that are good in sum come first and rule out most others.
    order = places[np.lexsort((*values[places].T, values[places].sum(axis=1)))]
    kept: list[int] = []
    left = order
    while left.size:
        best, left = int(left[0]), left[1:]
        kept.append(best)
        left = left[~(values[left] >= values[best]).all(axis=1)]
    settings = sweep.settings
    silences = len(settings.silence_duration_ms)
    kept.sort()
    columns = {
        "threshold": [settings.threshold[at // silences] for at in kept],
        "silence_duration_ms": [settings.silence_duration_ms[at % silences] for at in kept],
    }
    columns |= {name: values[kept, number] for number, name in enumerate(FRONT)}
    return pd.DataFrame(columns)


def _why(
    vad: ServerVad, found: Mapping[str, float], other: ServerVad, base: Mapping[str, float], *, flat: bool
) -> list[str]:
    against = " ({})".format if base else lambda _: ""

    def pair(name: str, form: str) -> str:
        return form.format(found[name]) + (against(form.format(base[name])) if base else "")

    told = {
        "cut": pair("false_cutoff_rate", "{:.0%}"),
        "miss": pair("miss_rate", "{:.0%}"),
        "swallow": pair("swallowed_rate", "{:.0%}"),
        "false": pair("false_starts_per_min", "{:.1f}"),
        "wait": pair("endpoint_latency_p50_ms", "{:.0f} ms"),
    }
    setting = f"Threshold {vad.threshold:g} with {vad.silence_duration_ms} ms of silence"
    turns = f"{told['cut']} are cut off, {told['miss']} missed, {told['swallow']} swallowed"
    rest = f"{told['false']} starts a minute for nothing; decided {told['wait']} after the end at the median"
    sentences = [f"{setting}: of the turns, {turns}; {rest}."]
    if base:
        compared = f"threshold {other.threshold:g} with {other.silence_duration_ms} ms"
        sentences.append(f"In brackets what it is compared with, {compared}.")
    if flat:
        sentences.append("The settings around it are within the budget too, so a small change does no harm.")
    else:
        sentences.append("Some settings around it are beyond the budget: it is the best of a narrow place.")
    return sentences


def _why_padding(padding_ms: int, clipped: float) -> str:
    many = f"{padding_ms} ms of padding {clipped:.0%} of the turns lose their beginning"
    return f"With {many}." if clipped <= CLIPPED_RATE else f"Even with {many}."


def _why_held_out(held_out: Mapping[str, float], base: Mapping[str, float]) -> str:
    sentence = f"On recordings that were held out the cost is {held_out['cost']:.2f}"
    return f"{sentence}, against {base['cost']:.2f}." if base else f"{sentence}."


def _none_acceptable(counted: Counted, limits: Mapping[str, float]) -> str:
    """Say which limits no setting keeps, each alone or only together."""
    alone = []
    for name, most in limits.items():
        values = metrics_of(counted, name)
        known = values[~np.isnan(values)]
        if not known.size:
            alone.append(f"{name} has a value nowhere")
        elif not bool(np.any(known <= most)):
            alone.append(f"{name} is {known.min():.3g} at best, {most:g} at most is asked for")
    why = "; ".join(alone) or "each limit can be kept, but not all of them together"
    return f"No setting is acceptable: {why}."
