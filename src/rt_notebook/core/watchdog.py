"""Notice a connection that is open and dead: first silence, then a question without an answer. No clock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from rt_notebook.core.reconnect import ReconnectPolicy

__all__ = ["Watchdog"]

TICK_S = 0.25
"""How late the beginning of a turn may be noticed."""


class Watchdog:
    """Decides when to ask an endpoint whether it is there, and when to take it for dead.

    During a turn, `ReconnectPolicy.silence_s` and `ping_s` after the last sign of life are enough.
    """

    def __init__(self, policy: ReconnectPolicy, now_s: float) -> None:
        self._policy = policy
        self._heard_s = now_s
        self._asked_s: float | None = None

    def heard(self, now_s: float) -> None:
        """Note a sign of life: any frame, or the answer to a ping."""
        self._heard_s = now_s
        self._asked_s = None

    def check(self, now_s: float, *, busy: bool) -> Literal["wait", "ping", "dead"]:
        """Decide; after "ping", the ping counts as sent."""
        if self._asked_s is not None:
            return "dead" if now_s >= self._asked_s + self._policy.ping_s else "wait"
        if now_s < self._heard_s + self._limit_s(busy=busy):
            return "wait"
        self._asked_s = now_s
        return "ping"

    def next_check_s(self, now_s: float, *, busy: bool) -> float:
        """When to check again: a turn may begin in between, unless one is under way."""
        if self._asked_s is not None:
            return self._asked_s + self._policy.ping_s
        due_s = self._heard_s + self._limit_s(busy=busy)
        return due_s if busy else min(due_s, now_s + TICK_S)

    def _limit_s(self, *, busy: bool) -> float:
        return self._policy.silence_s if busy else self._policy.idle_silence_s
