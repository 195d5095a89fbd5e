"""Every setting three times: as asked for, as acknowledged, and as the last turns show it.

An endpoint may acknowledge a setting and not use it. What can be seen of turn detection is compared with
where the voice lies in the audio that was sent; the log keeps the level of each chunk (40 ms), so the edges
of a voice are known to about that much.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rt_notebook.log.fields import as_dict, as_number
from rt_notebook.log.observed_turns import Observed, observe

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd

    from rt_notebook.core.events import Event

__all__ = ["Setting", "fold_settings", "settings_table"]

Json = dict[str, Any]

TOLERANCE_MS = 150.0
"""What a voice's edge may be off: detectors are late at soft endings, and levels come in chunks."""

TOLERANCE_PART = 0.3

_NO_SETTINGS = frozenset({"id", "object", "type", "expires_at", "rt_notebook", "client_secret"})
_DETECTION = "audio.input.turn_detection"


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting.

    Attributes
    ----------
    setting
        Its path in the GA session object, as errors name it.
    requested, acknowledged, observed
        None where it was not asked for, not answered, or cannot be seen.
    flag
        One sentence when the endpoint does something else than was asked; empty otherwise.
    """

    setting: str
    requested: object
    acknowledged: object
    observed: object
    flag: str


def fold_settings(events: Iterable[Event]) -> list[Setting]:
    """Fold events into the settings of the latest connection, in the order of the session object."""
    requested: Json = {}
    acknowledged: Json = {}
    began, since, pending = 0, 0, False
    events = list(events)
    for index, event in enumerate(events):
        session = as_dict(event.data.get("session"))
        if event.type == "session.update":
            requested, pending = _merged(requested, session), True
        elif event.type in {"session.created", "session.updated"} and session:
            if event.type == "session.created":
                began = since = index
            elif _detection(session) != _detection(acknowledged):
                since = index
            acknowledged, pending = session, pending and event.type == "session.created"
    asked, answered = dict(_leaves(requested)), dict(_leaves(acknowledged))
    observed = observe(events[began:], since - began)
    return [
        _setting(path, asked, answered, observed, pending=pending)
        for path in dict.fromkeys([*answered, *asked])
    ]


def _setting(path: str, asked: Json, answered: Json, observed: Observed, *, pending: bool) -> Setting:
    seen, told = _seen(path, answered, observed)
    flag = ""
    if path in asked and pending:
        flag = "The endpoint has not answered yet."
    elif path in asked and path not in answered:
        flag = f"{asked[path]!r} was asked for, and the endpoint does not mention it."
    elif path in asked and not _same(asked[path], answered[path]):
        flag = f"{asked[path]!r} was asked for, and the endpoint answered {answered[path]!r}."
    elif told:
        flag = f"{answered.get(path)!r} was acknowledged, and {told}"
    return Setting(path, asked.get(path), answered.get(path), seen, flag)


def _seen(path: str, answered: Json, observed: Observed) -> tuple[object, str]:
    """Return what was seen of a setting, and what contradicts its acknowledgement."""
    value = answered.get(path)
    match path.removeprefix(_DETECTION):
        case "" | ".type":
            return _seen_type(value, observed)
        case ".silence_duration_ms":
            return _seen_ms(value, observed.silence_ms, "turns ended {} ms after the voice did.")
        case ".prefix_padding_ms":
            return _seen_ms(value, observed.padding_ms, "turns began {} ms before the voice did.")
        case ".create_response":
            return _seen_switch(
                value,
                observed.answered,
                "a turn that ended was answered unasked.",
                "a turn that ended was not answered.",
            )
        case ".interrupt_response":
            return _seen_switch(
                value,
                observed.interrupted,
                "an answer was cancelled when the user began to speak.",
                "an answer went on when the user began to speak.",
            )
    return None, ""


def _seen_type(value: object, observed: Observed) -> tuple[object, str]:
    if observed.found:
        return "finds turns", "" if value is not None else "turns are found all the same."
    if observed.deaf_s and value is not None:
        return "finds no turns", f"no turn was found in {observed.deaf_s:.0f} s of sound."
    return None, ""


def _seen_ms(value: object, seen_ms: float | None, told: str) -> tuple[object, str]:
    if seen_ms is None:
        return None, ""
    seen = round(seen_ms / 10) * 10
    told_ms = as_number(value)
    if told_ms is None:
        return seen, ""
    off = abs(seen_ms - told_ms) > max(TOLERANCE_MS, TOLERANCE_PART * told_ms)
    return seen, told.format(seen) if off else ""


def _seen_switch(value: object, seen: object, told_true: str, told_false: str) -> tuple[object, str]:
    if seen is None or not isinstance(value, bool):
        return seen, ""
    return seen, "" if seen == value else (told_true if seen else told_false)


def _detection(session: Json) -> object:
    return as_dict(as_dict(session.get("audio")).get("input")).get("turn_detection")


def _merged(session: Json, update: Json) -> Json:
    """Return what is asked for after an update: audio by its parts, all else as a whole."""
    merged = session | update
    audio = {
        side: dict(part) for side, part in as_dict(session.get("audio")).items() if isinstance(part, dict)
    }
    for side, part in as_dict(update.get("audio")).items():
        audio[side] = audio.get(side, {}) | as_dict(part)
    return merged | ({"audio": audio} if audio else {})


def _leaves(value: Json, path: str = "") -> list[tuple[str, object]]:
    found: list[tuple[str, object]] = []
    for key, inner in value.items():
        if not path and key in _NO_SETTINGS:
            continue
        here = f"{path}.{key}" if path else key
        found += _leaves(inner, here) if isinstance(inner, dict) and inner else [(here, inner)]
    return found


def _same(asked: object, answered: object) -> bool:
    number = as_number(answered)
    if isinstance(asked, float) and number is not None:
        return abs(asked - number) < 1e-6
    return asked == answered


def settings_table(settings: Sequence[Setting]) -> pd.DataFrame:
    """Return one row a setting.

    ============  ======  ================================================================================
    column        dtype   meaning
    ============  ======  ================================================================================
    setting       string  its path in the session object, as errors name it
    requested     object  what was asked for; None if nothing was
    acknowledged  object  what the endpoint answered; None if it does not mention it
    observed      object  what the last turns show: ms for durations, True or False for switches
    flag          string  one sentence where the endpoint does something else; empty otherwise
    ============  ======  ================================================================================
    """
    import pandas as pd

    columns = {name: [getattr(one, name) for one in settings] for name in Setting.__slots__}
    strings = {"setting", "flag"}
    return pd.DataFrame(
        {
            name: pd.array(values, dtype="string") if name in strings else pd.Series(values, dtype="object")
            for name, values in columns.items()
        }
    )
