"""Lessons in failure: the table of faults, and which of them strike on which connection."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from rt_notebook.errors import ConfigError
from rt_notebook.server.host import fault_kinds as kinds
from rt_notebook.server.host.routes import Refusal
from rt_notebook.server.host.wire_actions import Pass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from rt_notebook.server.host.fault_kinds import Fault, When
    from rt_notebook.server.host.wire_actions import FaultAction

__all__ = ["FAULTS", "FaultLine", "FaultPlan", "faults_help"]

Json = dict[str, Any]
Settings = dict[str, float]

_ALWAYS: Settings = {"after": 1, "times": 0, "probability": 1.0, "connections": 0}
# The fifth event of a response: some of it has been said, and more would follow.
_MIDDLE = {"after": 5, "times": 1}

_RANGES = {
    "after": (1, 1_000_000),
    "times": (0, 1_000_000),
    "probability": (0.0, 1.0),
    "connections": (0, 1_000_000),
    "code": (1000, 4999),
    "status": (400, 504),
    "retry_after": (0, 3600),
    "delay_ms": (0, 600_000),
    "mib": (0, 32),
}


@dataclass(frozen=True, slots=True)
class Kind:
    """A fault by name.

    Attributes
    ----------
    summary
        What it does, for who chooses.
    make
        Makes it for one connection; None for the one that never lets a connection come about.
    own
        Its defaults where they are not those of all faults, and its own settings.
    """

    summary: str
    make: Callable[[When], Fault] | None
    own: Mapping[str, float] = field(default_factory=dict)

    @property
    def settings(self) -> Settings:
        """All settings with their defaults."""
        return {**_ALWAYS, **self.own}


FAULTS: dict[str, Kind] = {
    "drop": Kind("the connection breaks in the middle of a response", kinds.drop, _MIDDLE),
    "stall": Kind(
        "nothing more is sent, not even an answer to a ping, and the socket stays open", kinds.stall, _MIDDLE
    ),
    "close": Kind(
        "a goodbye in the middle of a response (code=1001: the server is going away)",
        kinds.close,
        _MIDDLE | {"code": 1000},
    ),
    "accept-close": Kind("the connection is accepted and closed at once", kinds.accept_close, {"code": 1000}),
    "refuse": Kind(
        "the handshake is refused (status=401, 404 or 429, the last with Retry-After)",
        None,
        {"status": 429, "retry_after": 2},
    ),
    "invalid-json": Kind("a frame that is no JSON", kinds.invalid_json, _MIDDLE),
    "binary-frame": Kind("a binary frame", kinds.binary_frame, _MIDDLE),
    "unknown-event": Kind("events and fields that nobody knows", kinds.unknown_event),
    "duplicate": Kind("events of a response come twice", kinds.duplicate),
    "reorder": Kind("events of a response come out of order", kinds.reorder, {"probability": 0.5}),
    "huge-frame": Kind("a frame of more than 16 MiB", kinds.huge_frame, _MIDDLE | {"mib": 17}),
    "slow": Kind("each piece of a reply comes late", kinds.slow, {"delay_ms": 500}),
    "rate-limit": Kind("responses fail because of a rate limit", kinds.rate_limit),
    "server-error": Kind("responses fail until the client connects anew", kinds.server_error),
    "ignore-settings": Kind("a new turn detection is acknowledged and not used", kinds.ignore_settings),
}


class FaultPlan:
    """Which faults strike on the connections of a server.

    Parameters
    ----------
    wanted
        Faults as ``NAME`` or ``NAME:key=value,...``. Events pass through several in their order.
    seed
        The same seed draws the same lots for the first connection, the second, and so on.

    Raises
    ------
    ConfigError
        There is no such fault, or no such setting of it.
    """

    def __init__(self, wanted: Iterable[str] = (), seed: int = 0) -> None:
        self._chosen = [_parsed(text) for text in wanted]
        self._seed = seed
        self._connections = 0

    def next_connection(self) -> FaultLine:
        """Return what will happen to the next connection."""
        self._connections += 1
        number = self._connections
        striking = [
            (place, FAULTS[name], settings)
            for place, (name, settings) in enumerate(self._chosen)
            if number <= (settings["connections"] or number)
        ]
        refusal, faults = None, []
        for place, kind, settings in striking:
            when = kinds.When(settings, random.Random(f"{self._seed} {number} {place}"))  # noqa: S311
            if kind.make is not None:
                faults.append(kind.make(when))
            elif refusal is None and when.strikes():
                refusal = _refusal(settings)
        return FaultLine(faults, refusal)


class FaultLine:
    """What happens to one connection.

    Attributes
    ----------
    refusal
        How its handshake is refused, if it is.
    active
        Whether any fault may strike.
    """

    def __init__(self, faults: list[Fault], refusal: Refusal | None = None) -> None:
        self._faults = faults
        self.refusal = refusal
        self.active = bool(faults)

    def to_client(self, event: Json) -> list[FaultAction]:
        """Return what is done instead of sending an event."""
        actions: list[FaultAction] = [Pass(event)]
        for fault in self._faults:
            actions = [
                after
                for action in actions
                for after in (fault.to_client(action.event) if isinstance(action, Pass) else [action])
            ]
        return actions

    def from_client(self, event: Json) -> Json:
        """Return what the server understands instead of an event of the client."""
        for fault in self._faults:
            event = fault.from_client(event)
        return event


def faults_help() -> str:
    """Return the table for people."""
    lines = ["Faults, as NAME or NAME:key=value,key=value:", ""]
    for name, kind in FAULTS.items():
        settings = ",".join(f"{key}={value:g}" for key, value in kind.settings.items() if key in kind.own)
        lines.append(f"  {name:<16} {kind.summary}" + (f"  [{settings}]" if settings else ""))
    lines += [
        "",
        "Settings of all of them, with their defaults unless [] says otherwise:",
        "  after=1          the first event that it strikes at (of a response, or whatever it concerns)",
        "  times=0          how often it strikes on a connection; 0 is always",
        "  probability=1    how likely it strikes at each",
        "  connections=0    only the first so many connections are struck; 0 is all",
        "",
        "The same --fault-seed draws the same lots.",
    ]
    return "\n".join(lines)


def _parsed(text: str) -> tuple[str, Settings]:
    name, _, rest = text.partition(":")
    kind = FAULTS.get(name)
    if kind is None:
        raise ConfigError(f"There is no fault {name!r}.", f"Choose one of {', '.join(FAULTS)}.")
    settings = kind.settings
    for pair in filter(None, rest.split(",")):
        key, _, value = pair.partition("=")
        if key not in settings:
            raise ConfigError(f"The fault {name!r} has no {key!r}.", f"It has {', '.join(settings)}.")
        settings[key] = _number(name, key, value)
    if settings.get("status", 400) not in set(HTTPStatus):
        raise ConfigError(f"HTTP has no status {settings['status']:g}.", "Give 401, 404 or 429.")
    return name, settings


def _number(name: str, key: str, value: str) -> float:
    low, high = _RANGES[key]
    try:
        number = float(value)
    except ValueError:
        number = float("nan")
    whole = key in {"probability", "mib"} or number.is_integer()
    if not low <= number <= high or not whole:
        raise ConfigError(
            f"{key}={value} of the fault {name!r} is out of range.", f"Give a number from {low} to {high}."
        )
    return number


def _refusal(settings: Settings) -> Refusal:
    status = HTTPStatus(int(settings["status"]))
    code = {401: "invalid_api_key", 404: "DeploymentNotFound", 429: "rate_limit_exceeded"}.get(status)
    headers = {"Retry-After": f"{settings['retry_after']:g}"} if status in {429, 503} else {}
    return Refusal(status, "Refused on purpose, as a lesson.", code, headers=headers)
