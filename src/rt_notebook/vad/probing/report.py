"""What a probe found: each setting as asked for, as acknowledged, and as applied."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import pandas as pd

    from rt_notebook.core.config import ServerVad
    from rt_notebook.vad.probing.measure import Measured, Switches
    from rt_notebook.vad.probing.read_off import Range

__all__ = ["Probe", "ProbedSetting", "Verdict", "judged"]

Verdict = Literal["applied", "ignored", "changed", "differs", "not measured"]
"""``"applied"``: what was asked for lies between the bounds. ``"ignored"``: it does not, and another request
changes nothing. ``"changed"``: the endpoint applies another value, and says so. ``"differs"``: it applies
another one and does not say so, or it could not be compared with a second request because none was wanted."""

_NUMBERS = ("silence_duration_ms", "threshold", "prefix_padding_ms")
_OURS = 0.75
# How far beside a request its effect may move, and lie, where the endpoint's detector is another than ours.
_BESIDE = {"silence_duration_ms": (64, 224), "prefix_padding_ms": (48, 96), "threshold": (0.15, 0.25)}


@dataclass(frozen=True, slots=True)
class ProbedSetting:
    """One setting. What was not asked for, not answered or not seen is None.

    Attributes
    ----------
    estimate
        The likeliest value that is applied: the middle of the last frame of a silence, if the endpoint rounds
        up; of a threshold, the probability that *our* detector gives to what is just taken for speech.
    low, high
        Between what it lies. A silence may be rounded up, down or to the nearest frame of 32 ms.
    """

    setting: str
    requested: float | bool | None
    acknowledged: float | bool | None
    estimate: float | bool | None
    low: float | None
    high: float | None
    verdict: Verdict

    def __str__(self) -> str:
        asked, name = self.requested, self.setting
        if self.verdict == "not measured":
            return f"{name}: not measured."
        seen = _number(self.estimate)
        if self.low is not None and self.high is not None:
            bounds = f"{_number(self.low)} to {_number(self.high)}"
            seen = f"nothing up to {_number(self.low)}" if math.isinf(self.high) else f"{seen} ({bounds})"
        match self.verdict:
            case "applied":
                return f"{name}: {_number(asked)} was asked for and is applied; seen: {seen}."
            case "ignored":
                return f"{name}: ignored. {_number(asked)} was asked for; seen under any request: {seen}."
            case "changed":
                told = _number(self.acknowledged)
                return f"{name}: {_number(asked)} was asked for, {told} acknowledged; seen: {seen}."
        return f"{name}: {_number(asked)} was asked for; seen: {seen}."


@dataclass(frozen=True, slots=True)
class Probe:
    """Which settings an endpoint really applies.

    Attributes
    ----------
    endpoint
        What was asked.
    settings
        One each: `ProbedSetting`.
    agreement
        The share of the turns' beginnings that our own detector explains to the millisecond. Where it is low,
        the endpoint hears otherwise: its threshold is told by our probabilities all the same, and roughly.
        NaN where no turn was measured.
    deaf
        It heard nothing of what is clearly speech.
    audio_s, pace
        How much audio was sent, and how: ``"fast"`` or ``"real"``.
    cut_short
        `max_audio_s` was too little for all of it: what was not settled by then is not measured.
    """

    endpoint: str
    settings: tuple[ProbedSetting, ...]
    agreement: float
    deaf: bool
    audio_s: float
    pace: str
    cut_short: bool

    @property
    def ignored(self) -> tuple[str, ...]:
        """The names of the settings that are ignored."""
        return tuple(one.setting for one in self.settings if one.verdict == "ignored")

    @property
    def suspect(self) -> tuple[str, ...]:
        """The names of the settings that are not applied as they were asked for, whatever the reason."""
        return tuple(one.setting for one in self.settings if one.verdict not in {"applied", "not measured"})

    def row(self, setting: str) -> ProbedSetting:
        """Return one setting by its name."""
        return next(one for one in self.settings if one.setting == setting)

    def to_pandas(self) -> pd.DataFrame:
        """Return one row a setting, with the columns of `ProbedSetting`."""
        import pandas as pd

        names = ProbedSetting.__slots__
        columns = {name: [getattr(one, name) for one in self.settings] for name in names}
        words = {"setting", "verdict"}
        return pd.DataFrame(
            {
                name: pd.Series(values, dtype=pd.StringDtype("python") if name in words else "object")
                for name, values in columns.items()
            }
        )

    @property
    def summary(self) -> str:
        """One sentence."""
        if self.deaf:
            return f"{self.endpoint} heard nothing of what is clearly speech."
        if self.ignored:
            return f"{self.endpoint} ignores {', '.join(self.ignored)}."
        if self.suspect:
            return f"{self.endpoint} applies another {', '.join(self.suspect)} than was asked for."
        if all(one.verdict == "not measured" for one in self.settings):
            return f"Nothing was measured of {self.endpoint}."
        return f"{self.endpoint} applies what was asked for, as far as it was measured."

    @property
    def footnote(self) -> str:
        """How much was sent, and how far the answers are understood."""
        how = "in real time" if self.pace == "real" else "as fast as it was taken"
        sent = f"{self.audio_s:.0f} s of audio were sent, {how}."
        if self.cut_short:
            sent += " max_audio_s cut it short: allow more, and the rest is measured, too."
        if math.isnan(self.agreement):
            return sent
        understood = f"Our detector explains {self.agreement:.0%} of the beginnings to the millisecond."
        if self.agreement < _OURS:
            understood += " The endpoint's is another: a threshold is told by our probabilities, roughly."
        return f"{sent} {understood}"

    def __str__(self) -> str:
        return "\n".join([self.summary, *(f"- {one}" for one in self.settings), self.footnote])

    def _repr_html_(self) -> str:
        names = ProbedSetting.__slots__
        head = "".join(f"<th style='text-align:left;padding-right:1em'>{name}</th>" for name in names)
        rows = "".join(
            "<tr>"
            + "".join(
                f"<td style='text-align:left;padding-right:1em'>{escape(_number(getattr(one, name)))}</td>"
                for name in names
            )
            + "</tr>"
            for one in self.settings
        )
        return (
            f"<div class='rt-notebook-probe'><b>{escape(self.summary)}</b>"
            f"<table style='color:inherit;font:inherit'><tr>{head}</tr>{rows}</table>"
            f"<p>{escape(self.footnote)}</p></div>"
        )


def judged(
    endpoint: str,
    vad: ServerVad,
    first: Measured,
    second: Measured | None,
    switches: Switches,
    idle: Range | None,
    *,
    told: dict[str, Any],
    audio_s: float,
    pace: str,
    cut_short: bool,
) -> Probe:
    """Compare what was seen with what was asked for; `told` is what the endpoint last acknowledged."""
    found = _comparable([_numeric(name, vad, first, second) for name in _NUMBERS], vad, first)
    if cut_short and second is None:
        found = [_acquitted(one) for one in found]
    found.append(_answering(vad, first, switches, told))
    interrupts = switches.interrupts
    found.append(
        ProbedSetting(
            "interrupt_response",
            vad.interrupt_response,
            first.acknowledged.get("interrupt_response"),
            interrupts,
            None,
            None,
            _switched(vad.interrupt_response, interrupts),
        )
    )
    asked_ms, name = vad.idle_timeout_ms, "idle_timeout_ms"
    verdict: Verdict = "not measured"
    if idle is not None and asked_ms is not None:
        # Nobody is prompted unasked, so one request is enough.
        verdict = "applied" if idle.low <= asked_ms <= idle.high else "differs"
        verdict = "ignored" if math.isinf(idle.high) else verdict
    estimate, low, high = (None, None, None) if idle is None else (idle.estimate, idle.low, idle.high)
    found.append(ProbedSetting(name, asked_ms, told.get(name), estimate, low, high, verdict))
    return Probe(endpoint, tuple(found), first.agreement, first.deaf, audio_s, pace, cut_short)


def _numeric(name: str, vad: ServerVad, first: Measured, second: Measured | None) -> ProbedSetting:
    asked, told = getattr(vad, name), first.acknowledged.get(name)
    seen = first.settings.get(name)
    if seen is None:
        return ProbedSetting(name, asked, told, None, None, None, "not measured")
    low, high = seen.low, seen.high
    inside = low <= asked <= high
    verdict: Verdict = "applied" if inside else "differs"
    if told is not None and told != asked:
        verdict = "changed" if low <= told <= high else "differs"
    elif second is not None and (again := second.settings.get(name)) is not None:
        asked_again = getattr(second.requested, name)
        heard = second.acknowledged.get(name, asked_again) == asked_again
        moved = again.low > high or again.high < low
        if heard and not moved and not (inside and again.low <= asked_again <= again.high):
            verdict = "ignored"
        elif not inside and _follows(name, asked, seen, asked_again, again):
            # It does as it is told; its detector hears edges or levels by so much otherwise than ours.
            verdict, low, high = "applied", min(low, asked), max(high, asked)
    return ProbedSetting(name, asked, told, seen.estimate, low, high, verdict)


def _follows(name: str, asked: float, seen: Range, asked_again: float, again: Range) -> bool:
    """Whether what is seen moves with what is asked for, a little beside it."""
    off, most = _BESIDE[name]
    moved, wanted = again.estimate - seen.estimate, asked_again - asked
    return abs(moved - wanted) <= off and abs(seen.estimate - asked) <= most


def _comparable(found: list[ProbedSetting], vad: ServerVad, first: Measured) -> list[ProbedSetting]:
    """Take back what was said of the threshold if the endpoint's detector is plainly another than ours."""
    beside = any(
        one.verdict == "applied" and not (seen.low <= getattr(vad, one.setting) <= seen.high)
        for one in found
        if (seen := first.settings.get(one.setting)) is not None
    )
    if not beside and first.agreement >= _OURS:
        return found
    return [_acquitted(one) if one.setting == "threshold" else one for one in found]


def _acquitted(one: ProbedSetting) -> ProbedSetting:
    """Take back an accusation: whether another detector or another setting is seen, nobody can tell."""
    accused = one.verdict in {"ignored", "differs"}
    return dataclasses.replace(one, verdict="not measured") if accused else one


def _answering(vad: ServerVad, first: Measured, switches: Switches, told: dict[str, Any]) -> ProbedSetting:
    name, asked = "create_response", vad.create_response
    off, on = switches.answers_when_off, switches.answers_when_on
    # The measurements themselves asked for no answers.
    acknowledged = told.get(name) if on is not None else (None if asked else first.acknowledged.get(name))
    seen = on if asked else off
    verdict = _switched(asked, seen)
    if off:
        seen, verdict = True, "ignored"
    return ProbedSetting(name, asked, acknowledged, seen, None, None, verdict)


def _switched(asked: bool, seen: bool | None) -> Verdict:  # noqa: FBT001 - both are values, not options
    if seen is None:
        return "not measured"
    return "applied" if seen == asked else "ignored"


def _number(value: object) -> str:
    if value is None:
        return ""
    return (
        f"{value:.3g}"
        if isinstance(value, float) and abs(value) < 10
        else (f"{value:.0f}" if isinstance(value, float) else str(value))
    )
