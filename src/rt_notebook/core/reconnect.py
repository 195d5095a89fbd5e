"""When a connection has ended: try again and after how long, or give up. No clock, no socket.

Chance and time are arguments, so that two runs with the same seed and the same times decide alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from rt_notebook.errors import ConfigError

if TYPE_CHECKING:
    import random

__all__ = ["By", "Decision", "Ending", "GiveUp", "ReconnectPolicy", "Reconnects", "Retry", "ending_of_close"]

By = Literal["local", "server", "expiry", "loss", "refused"]
"""Who or what ended a connection: this side, the endpoint's goodbye, its time limit, a fault of the line, or
a handshake that was refused."""

NEVER_AGAIN = frozenset(
    {
        "invalid_api_key",
        "insufficient_quota",
        "account_deactivated",
        "billing_hard_limit_reached",
        "model_not_found",
        "invalid_model",
        "DeploymentNotFound",
        "OpperationNotSupported",
    }
)
"""Codes that no second attempt can mend. The misspelling is Azure's."""

_BROKEN = {None, 1005, 1006, 1015}
_EXPIRED = "maximum duration"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconnectPolicy:
    """How a session holds on to its endpoint.

    Parameters
    ----------
    first_delay_s, longest_delay_s
        Wait before the first attempt, doubled before each further one up to the longest.
    jitter
        Which part of a wait chance may take away, 0 to 1: clients that fell together do not rise together.
    short_life_s, short_lives
        A connection that ends sooner, without one complete answer, had a short life; so many in a row, and
        no more is tried.
    first_attempts
        How often a session that was never open yet is tried. 0 and 1 are the same.
    give_up_after_s
        How long an endpoint that cannot be reached is tried in all.
    open_timeout_s
        Time for one handshake.
    silence_s, idle_silence_s, ping_s
        Silence of the endpoint, during a turn and otherwise, after which it is asked whether it is there,
        and the time for it to answer.
    rollover_before_s
        How long before the end of a session a new one is begun, between turns.
    seed
        Of the chance; None draws anew in each session.

    Raises
    ------
    ConfigError
        A number is negative, or the jitter is above 1.
    """

    first_delay_s: float = 0.25
    longest_delay_s: float = 15.0
    jitter: float = 0.5
    short_life_s: float = 5.0
    short_lives: int = 3
    first_attempts: int = 3
    give_up_after_s: float = 600.0
    open_timeout_s: float = 15.0
    silence_s: float = 3.0
    idle_silence_s: float = 9.0
    ping_s: float = 1.0
    rollover_before_s: float = 60.0
    seed: int | None = None

    def __post_init__(self) -> None:
        for name in self.__slots__:
            value = getattr(self, name)
            if name != "seed" and not 0 <= value < float("inf"):
                raise ConfigError(f"{name}={value!r} is not usable.", "Give a number from 0.")
        if self.jitter > 1:
            raise ConfigError(f"jitter={self.jitter!r} is out of range.", "Give a number from 0 to 1.")


@dataclass(frozen=True, slots=True)
class Ending:
    """How a connection, or an attempt at one, ended.

    Attributes
    ----------
    code
        The close code, or the status of a refused handshake; None if there was none.
    fatal
        Whether no further attempt can help.
    retry_after_s
        How long the endpoint asks to be left alone.
    fruitless
        Whether what the connection achieved does not count: it ended because answers kept failing.
    """

    by: By
    reason: str
    code: int | None = None
    fatal: bool = False
    retry_after_s: float | None = None
    fruitless: bool = False


def ending_of_close(
    code: int | None, reason: str, *, error_code: str | None = None, past_expiry: bool = False
) -> Ending:
    """Tell from a close whether the endpoint said goodbye, its time was over, or the line broke.

    Parameters
    ----------
    code, reason
        Of the close frame; code None or 1006 is none.
    error_code
        Of the last ``error`` event on the connection.
    past_expiry
        Whether the session's ``expires_at`` has come.
    """
    fatal = error_code in NEVER_AGAIN or any(word in reason for word in NEVER_AGAIN)
    if error_code == "session_expired" or _EXPIRED in reason or past_expiry:
        return Ending("expiry", reason or "the session's time was over", code)
    if code in _BROKEN:
        return Ending("loss", reason or "the connection broke without a goodbye", code, fatal)
    return Ending("server", reason or error_code or "the endpoint said goodbye", code, fatal)


@dataclass(frozen=True, slots=True)
class Retry:
    """Try again after `delay_s`."""

    delay_s: float


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Stop trying; `why` is one sentence."""

    why: str


Decision = Retry | GiveUp


class Reconnects:
    """The memory that decisions need: lives and attempts so far."""

    def __init__(self, policy: ReconnectPolicy, chance: random.Random) -> None:
        self._policy = policy
        self._chance = chance
        self._ever_open = False
        self._open_since_s: float | None = None
        self._fruitful = False
        self._short_lives = 0
        self._failures = 0
        self._trying_since_s: float | None = None

    def accepted(self, now_s: float) -> None:
        """Note that a socket was opened: a life begins."""
        self._open_since_s = now_s
        self._fruitful = False

    def restored(self) -> None:
        """Note that the session took its configuration: trying is over."""
        self._ever_open = True
        self._failures = 0
        self._trying_since_s = None

    def fruitful(self) -> None:
        """Note a complete answer."""
        self._fruitful = True

    def ended(self, ending: Ending, now_s: float) -> Decision:
        """Decide what follows the end of a connection or of an attempt."""
        policy = self._policy
        self._count(ending, now_s)
        if self._trying_since_s is None:
            self._trying_since_s = now_s
        if ending.fatal:
            return GiveUp("Trying again would not help.")
        if self._short_lives and self._short_lives >= policy.short_lives:
            return GiveUp(f"{self._short_lives} connections in a row ended at once.")
        waited_for_s = ending.retry_after_s or 0.0
        if not self._ever_open:
            if self._failures >= policy.first_attempts:
                return GiveUp(f"It was tried {self._failures} times.")
            if waited_for_s > policy.longest_delay_s:
                return GiveUp(f"It asks to be left alone for {waited_for_s:.0f} s.")
        trying_s = now_s - self._trying_since_s
        if trying_s + waited_for_s > policy.give_up_after_s:
            return GiveUp(f"It was tried for {trying_s:.0f} s.")
        doubled = min(policy.longest_delay_s, policy.first_delay_s * 2.0 ** min(self._failures - 1, 30))
        delay_s = doubled * (1 - policy.jitter * self._chance.random())
        return Retry(max(delay_s, waited_for_s))

    def _count(self, ending: Ending, now_s: float) -> None:
        self._failures += 1
        since_s, self._open_since_s = self._open_since_s, None
        if since_s is None:
            return
        short = ending.fruitless or (not self._fruitful and now_s - since_s < self._policy.short_life_s)
        self._short_lives = self._short_lives + 1 if short else 0
        if not short:
            self._failures = 1
