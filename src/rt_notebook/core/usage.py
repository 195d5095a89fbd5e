"""Tokens of an answer, by what is paid for separately, and what they cost by somebody's price table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rt_notebook.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rt_notebook.core.events import Event

__all__ = ["KINDS", "checked_prices", "cost", "tokens"]

KINDS = (
    "input_text",
    "input_audio",
    "input_image",
    "cached_text",
    "cached_audio",
    "cached_image",
    "output_text",
    "output_audio",
)
"""What a price may be given for. Cached tokens are those of the input that the endpoint had read before."""

_TOO_MANY = 1 << 40
"""No answer has as many tokens: such a count is none."""

PER = 1_000_000
"""Prices are for a million tokens, as the vendors' tables have them."""


def tokens(event: Event) -> dict[str, int]:
    """Return the tokens of a ``response.done`` by kind, each counted once; empty for any other event."""
    if event.type != "response.done":
        return {}
    usage = _object(_object(event.data.get("response")).get("usage"))
    given = _object(usage.get("input_token_details"))
    made = _object(usage.get("output_token_details"))
    kept = _object(given.get("cached_tokens_details"))
    found: dict[str, int] = {}
    for kind in ("text", "audio", "image"):
        cached = _count(kept.get(f"{kind}_tokens"))
        found[f"cached_{kind}"] = cached
        found[f"input_{kind}"] = max(0, _count(given.get(f"{kind}_tokens")) - cached)
    for kind in ("text", "audio"):
        found[f"output_{kind}"] = _count(made.get(f"{kind}_tokens"))
    return {kind: count for kind, count in found.items() if count}


def cost(counts: Mapping[str, int], prices: Mapping[str, float]) -> float:
    """Return what tokens cost, in the currency of the prices; a kind without a price costs nothing."""
    return sum(count * prices.get(kind, 0.0) for kind, count in counts.items()) / PER


def checked_prices(prices: Mapping[str, float]) -> dict[str, float]:
    """Return a price table: the price of a million tokens by `KINDS`.

    Raises
    ------
    ConfigError
        A kind is unknown, or a price is no number from 0.
    """
    for kind, price in prices.items():
        if kind not in KINDS:
            raise ConfigError(f"There are no tokens of the kind {kind!r}.", f"Use {', '.join(KINDS)}.")
        if isinstance(price, bool) or not isinstance(price, int | float) or not 0 <= price < float("inf"):
            raise ConfigError(f"{kind}={price!r} is no price.", "Give the price of a million tokens.")
    return dict(prices)


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        return 0
    return value if 0 < value < _TOO_MANY else 0
