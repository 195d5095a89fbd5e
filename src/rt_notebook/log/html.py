"""A still picture of a log: what a saved notebook shows without a kernel."""

from __future__ import annotations

from collections import Counter
from html import escape
from typing import TYPE_CHECKING

from rt_notebook.log.latency import Latency, latency_of
from rt_notebook.log.transcript import heard_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rt_notebook.core.events import Event
    from rt_notebook.log.turns import Turn, Turns

__all__ = ["log_html"]

SHOWN_TURNS = 50
"""A long conversation shows its last turns: a saved notebook stays small."""

_TABLE = "border-collapse:collapse;color:inherit;font:inherit"
_CELL = "padding:.25em .75em;text-align:left;vertical-align:top;border-top:1px solid rgba(128,128,128,.35)"
_MUTED = "opacity:.7"


def log_html(events: Sequence[Event], folds: Turns) -> str:
    """Return the conversation as an HTML table with a line of counts.

    It has no script and no colour of its own: it reads on light and dark pages. All text is escaped.
    """
    turns, latencies = folds.fold(), latency_of(folds)
    shown = turns[-SHOWN_TURNS:]
    head = "".join(_cell(title, tag="th") for title in ("Turn", "You", "Assistant", "Status", "Latency"))
    rows = "".join(_row(*pair) for pair in list(zip(turns, latencies, strict=True))[-SHOWN_TURNS:])
    left_out = (
        f"<div style='{_MUTED}'>The last {len(shown)} of {len(turns)} turns.</div>" if turns != shown else ""
    )
    table = f"<table style='{_TABLE}'><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    return f"<div class='rt-notebook-log'>{_counts(events, turns)}{left_out}{table if shown else ''}</div>"


def _counts(events: Sequence[Event], turns: Sequence[Turn]) -> str:
    directions = Counter(event.direction for event in events)
    errors = sum(event.type in {"error", "local.error"} for event in events)
    end_s = max((event.t_s for event in events), default=0.0)
    parts = [_plural(len(events), "event")]
    parts += [f"{directions[direction]} {direction}" for direction in ("sent", "received", "local")]
    parts += [_plural(len(turns), "turn"), f"{end_s:.1f} s"]
    parts += [_plural(errors, "error")] if errors else []
    return f"<div><b>EventLog</b> <span style='{_MUTED}'>{' · '.join(parts)}</span></div>"


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" + ("" if count == 1 else "s")


def _row(turn: Turn, latency: Latency) -> str:
    total_ms = latency.total_ms
    status = turn.status + (f" ({turn.status_reason})" if turn.status_reason else "")
    if turn.interrupted and turn.status != "cancelled":
        status += ", interrupted"
    cells = [
        _cell(str(turn.turn)),
        _cell(turn.user or ("" if turn.user_item_id is None else "…")),
        f"<td style='{_CELL}'>{_assistant(turn)}</td>",
        _cell(status),
        _cell("" if total_ms != total_ms else f"{total_ms:.0f}\N{NO-BREAK SPACE}ms"),  # noqa: PLR0124  (NaN)
    ]
    return f"<tr>{''.join(cells)}</tr>"


def _assistant(turn: Turn) -> str:
    """Return the words, with those struck out that were generated but never heard."""
    text = turn.assistant or ""
    heard = heard_of(turn)
    if heard is None or heard == text:
        return escape(text)
    rest = text[len(heard) :].lstrip()
    return f"{escape(heard)} <s style='{_MUTED}' title='not heard'>{escape(rest)}</s>"


def _cell(text: str, tag: str = "td") -> str:
    return f"<{tag} style='{_CELL}'>{escape(text)}</{tag}>"
