"""What a session may use before it is ended: time, money, and time in which nothing happens. No clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rt_notebook.core.usage import checked_prices, cost, tokens
from rt_notebook.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rt_notebook.core.events import Event

__all__ = ["Meter", "SessionLimits", "Trip"]

ACTIVITY = frozenset(
    {
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.commit",
        "conversation.item.create",
        "response.create",
        "response.created",
        "response.output_audio.delta",
        "response.done",
        "local.playback",
    }
)
"""What shows that somebody is there. Silence from an open microphone does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionLimits:
    """Limits of a session; None is none. A reconnected session goes on counting.

    Parameters
    ----------
    max_minutes
        How long it may last in all.
    max_cost
        What its answers may cost, in the currency of `prices`. Transcription is not counted: endpoints
        bill it apart.
    prices
        The price of a million tokens by kind (`rt_notebook.core.usage.KINDS`), such as
        ``{"input_audio": 32, "cached_audio": 0.4, "output_audio": 64}``. It has to be given with `max_cost`.
    idle_minutes
        How long nothing may be said, typed or played.

    Raises
    ------
    ConfigError
        A limit is not above 0, or `max_cost` has no prices.
    """

    max_minutes: float | None = None
    max_cost: float | None = None
    prices: Mapping[str, float] = field(default_factory=dict)
    idle_minutes: float | None = None

    def __post_init__(self) -> None:
        for name in ("max_minutes", "max_cost", "idle_minutes"):
            value = getattr(self, name)
            if value is not None and not 0 < value < float("inf"):
                raise ConfigError(
                    f"{name}={value!r} is no limit.", "Give a number above 0, or None for none."
                )
        object.__setattr__(self, "prices", checked_prices(self.prices))
        if self.max_cost is not None and not any(self.prices.values()):
            raise ConfigError(
                "max_cost needs prices, and they change too often to be built in.",
                'Give the price of a million tokens: prices={"input_audio": 32, "output_audio": 64}.',
            )


@dataclass(frozen=True, slots=True)
class Trip:
    """A limit that was reached, with the sentence that says so."""

    limit: str
    value: float
    message: str


class Meter:
    """Counts what a session uses.

    Attributes
    ----------
    cost
        So far, in the currency of the prices.
    """

    def __init__(self, limits: SessionLimits) -> None:
        self._limits = limits
        self._began_s: float | None = None
        self._active_s = 0.0
        self._billed: set[str] = set()
        self.cost = 0.0

    def follow(self, event: Event) -> None:
        """Count one event."""
        if event.type == "local.connected" and self._began_s is None:
            self._began_s = self._active_s = event.t_s
        if event.type in ACTIVITY:
            self._active_s = event.t_s
        if event.type == "response.done" and (response_id := event.response_id) is not None:
            if response_id not in self._billed:
                self.cost += cost(tokens(event), self._limits.prices)
            self._billed.add(response_id)

    def check(self, now_s: float) -> Trip | None:
        """Return the limit that has been reached, if one has."""
        limits = self._limits
        if self._began_s is None:
            return None
        minutes = (now_s - self._began_s) / 60
        idle_minutes = (now_s - self._active_s) / 60
        if limits.max_cost is not None and self.cost >= limits.max_cost:
            return Trip("max_cost", self.cost, f"The session has cost {self.cost:.4g}: max_cost is reached.")
        if limits.max_minutes is not None and minutes >= limits.max_minutes:
            return Trip(
                "max_minutes", minutes, f"The session has lasted {minutes:.3g} minutes: that is its limit."
            )
        if limits.idle_minutes is not None and idle_minutes >= limits.idle_minutes:
            return Trip("idle_minutes", idle_minutes, f"Nothing was said for {idle_minutes:.3g} minutes.")
        return None

    def next_check_s(self) -> float | None:
        """Session seconds at which a limit of time may be reached; None if there is none."""
        limits, due_s = self._limits, []
        if self._began_s is not None and limits.max_minutes is not None:
            due_s.append(self._began_s + limits.max_minutes * 60)
        if self._began_s is not None and limits.idle_minutes is not None:
            due_s.append(self._active_s + limits.idle_minutes * 60)
        return min(due_s, default=None)
