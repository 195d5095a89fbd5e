"""Tokens of each turn, what they cost by the reader's own price table, and what more is to come."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rt_notebook.core.usage import KINDS, checked_prices, cost
from rt_notebook.errors import ConfigError
from rt_notebook.log.frames import frame_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from rt_notebook.log.records import Response
    from rt_notebook.log.turns import Turn, Turns

__all__ = ["Expected", "TurnUsage", "forecast", "frame_of_forecast", "usage_of", "usage_table"]


_SHORTEST_S = 1.0
"""A log shorter than this says nothing of how many turns there are a minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnUsage:
    """What one turn was billed by. Every token is counted in one column of the first eight.

    Attributes
    ----------
    turn
        As in `Turn`.
    input_text_tokens, input_audio_tokens, input_image_tokens
        What the model read and had not read before. Each answer reads the whole conversation again.
    cached_text_tokens, cached_audio_tokens, cached_image_tokens
        What it read and had read before.
    output_text_tokens, output_audio_tokens
        What it made.
    total_tokens
        All of these.
    transcription_tokens, transcription_s
        What writing down the user's words was billed by: one or the other; endpoints bill it apart.
    unheard_ms
        Audio of the answer that arrived and did not leave the speaker; None if no speaker reported.
    unheard_tokens
        The part of `output_audio_tokens` that it makes.
    cost, unheard_cost
        In the currency of the prices, without the transcription; None without prices.
    """

    turn: int
    input_text_tokens: int = 0
    input_audio_tokens: int = 0
    input_image_tokens: int = 0
    cached_text_tokens: int = 0
    cached_audio_tokens: int = 0
    cached_image_tokens: int = 0
    output_text_tokens: int = 0
    output_audio_tokens: int = 0
    total_tokens: int = 0
    transcription_tokens: int = 0
    transcription_s: float = 0.0
    unheard_ms: float | None = None
    unheard_tokens: int | None = None
    cost: float | None = None
    unheard_cost: float | None = None

    def tokens(self) -> dict[str, int]:
        """Return the tokens by `rt_notebook.core.usage.KINDS`."""
        return {kind: getattr(self, f"{kind}_tokens") for kind in KINDS}


def usage_of(turns: Turns, prices: Mapping[str, float] | None = None) -> list[TurnUsage]:
    """Return the usage of each turn of a ledger."""
    if prices is not None:
        prices = checked_prices(prices)
    answers: dict[int | None, list[Response]] = {}
    folded = turns.fold()
    for response in turns.ledger.responses.values():
        answers.setdefault(turns.number(response_id=response.id), []).append(response)
    return [_usage(turns, turn, answers.get(turn.turn, ()), prices) for turn in folded]


def _usage(
    turns: Turns, turn: Turn, responses: Sequence[Response], prices: Mapping[str, float] | None
) -> TurnUsage:
    counts: Counter[str] = Counter()
    for response in responses:
        counts.update(response.tokens)
    user = turns.ledger.items.get(turn.user_item_id or "")
    unheard_ms = unheard = None
    if turn.heard_ms is not None:
        unheard_ms = max(0.0, turn.audio_ms - turn.heard_ms)
        share = unheard_ms / turn.audio_ms if turn.audio_ms else 0.0
        unheard = round(counts["output_audio"] * share)
    paid = unheard_paid = None
    if prices is not None:
        paid = cost(counts, prices)
        unheard_paid = None if unheard is None else cost({"output_audio": unheard}, prices)
    return TurnUsage(
        turn=turn.turn,
        **{f"{kind}_tokens": counts[kind] for kind in KINDS},
        total_tokens=sum(counts.values()),
        transcription_tokens=user.transcription_tokens if user is not None else 0,
        transcription_s=user.transcription_s if user is not None else 0.0,
        unheard_ms=unheard_ms,
        unheard_tokens=unheard,
        cost=paid,
        unheard_cost=unheard_paid,
    )


def usage_table(usage: Sequence[TurnUsage]) -> pd.DataFrame:
    """Return one row a turn. The columns are the fields of `TurnUsage`."""
    return frame_of(TurnUsage, usage)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What is used of one kind of token.

    Attributes
    ----------
    kind
        One of `rt_notebook.core.usage.KINDS`.
    so_far_tokens, expected_tokens
        In the log, and in the time asked for.
    so_far_cost, expected_cost
        The same in the currency of the prices; None without prices.
    """

    kind: str
    so_far_tokens: int
    expected_tokens: int
    so_far_cost: float | None = None
    expected_cost: float | None = None


def forecast(
    usage: Sequence[TurnUsage], length_s: float, minutes: float, prices: Mapping[str, float] | None = None
) -> list[Expected]:
    """Return what a session will use that goes on as it has.

    As many turns a minute as until now; the tokens of each kind follow the straight line through those of
    the turns so far, since every answer reads a longer conversation. With fewer than three turns they stay
    as they are.

    Parameters
    ----------
    usage
        Of the turns so far.
    length_s
        How long they took.
    minutes
        How far to look.
    prices
        Of a million tokens by kind.
    """
    if not 0 <= minutes < float("inf"):
        raise ConfigError(f"minutes={minutes!r} is no time.", "Give a number from 0.")
    billed = [turn.tokens() for turn in usage if turn.total_tokens]
    more = round(len(billed) * minutes * 60 / length_s) if length_s >= _SHORTEST_S else 0
    rows = []
    for kind in KINDS:
        values = [turn[kind] for turn in billed]
        so_far, expected = sum(values), round(_carried_on(values, more))
        costs = (
            {}
            if prices is None
            else {
                "so_far_cost": cost({kind: so_far}, prices),
                "expected_cost": cost({kind: expected}, prices),
            }
        )
        rows.append(Expected(kind=kind, so_far_tokens=so_far, expected_tokens=expected, **costs))
    return rows


def _carried_on(values: Sequence[int], more: int) -> float:
    """Return the sum of the next `more` values on the line through `values`, none of them below 0."""
    count = len(values)
    if count == 0:
        return 0.0
    mean = sum(values) / count
    middle = (count - 1) / 2
    spread = sum((place - middle) ** 2 for place in range(count))
    slope = 0.0
    if count >= 3:
        slope = sum((place - middle) * value for place, value in enumerate(values)) / spread
    return sum(max(0.0, mean + slope * (place - middle)) for place in range(count, count + more))


def frame_of_forecast(rows: Sequence[Expected]) -> pd.DataFrame:
    """Return one row a kind of token. The columns are the fields of `Expected`."""
    return frame_of(Expected, rows)
