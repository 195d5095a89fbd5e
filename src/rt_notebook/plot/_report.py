"""One session as one HTML file, to be kept or sent on."""

from __future__ import annotations

import io
import math
from html import escape
from typing import TYPE_CHECKING, Any

from rt_notebook.core.scrub import scrubbed
from rt_notebook.log.event_log import EventLog
from rt_notebook.log.files import private_file
from rt_notebook.log.transcript import heard_of
from rt_notebook.plot._axes import events_of
from rt_notebook.plot._latency import latency
from rt_notebook.plot._timeline import timeline

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import pandas as pd
    from matplotlib.axes import Axes

    from rt_notebook.log.turns import Turn
    from rt_notebook.plot._axes import Loggable

__all__ = ["report"]

SHOWN_ROWS = 2000
"""A table that is longer shows its end: a browser has to lay it out."""

_STYLE = """
:root{color-scheme:light dark;--ink:#1c1c1e;--ground:#fff;--line:#d5d5da;--muted:#6a6a72}
@media(prefers-color-scheme:dark){:root{--ink:#e8e8ea;--ground:#161618;--line:#3a3a40;--muted:#9a9aa2}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--ground);
max-width:1000px;margin:2em auto;padding:0 1em}
h1{font-size:1.5em}h2{font-size:1.15em;margin-top:2em}
.scroll{overflow-x:auto}table{border-collapse:collapse;font-size:.9em}
td,th{padding:.25em .75em;text-align:left;vertical-align:top;border-top:1px solid var(--line);
unicode-bidi:isolate}
td.number{text-align:right;font-variant-numeric:tabular-nums}
s,.muted{color:var(--muted)}figure{margin:0;background:#fff;border-radius:6px;padding:8px}
figure svg{max-width:100%;height:auto;display:block}@media print{h2{break-after:avoid}tr{break-inside:avoid}}
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def report(log: Loggable, path: str | Path, *, prices: Mapping[str, float] | None = None) -> Path:
    """Write a session as one HTML file: conversation, pictures, latency, usage, errors, glitches.

    The file needs nothing else: no network, no script, no font. It is light or dark as its reader's system
    is. All text of the session is escaped; keys and tokens are blotted out. Nobody else may read the file
    (mode 0600), since it holds what was said.

    Parameters
    ----------
    log
        An `EventLog`, or a session.
    path
        Where to write; a file that is there is replaced.
    prices
        The price of a million tokens by kind, as for `EventLog.usage`.

    Returns
    -------
    Path
        `path`.

    Raises
    ------
    LogFileError
        No file can be made at `path`.
    """
    whole = EventLog(map(scrubbed, events_of(log)))
    page = _page(whole, prices).encode("utf-8", "replace")
    path = private_file(path)
    path.write_bytes(page)
    return path


def _page(log: EventLog, prices: Mapping[str, float] | None) -> str:
    turns = log.fold_turns()
    sections = [
        ("Summary", _summary(log, turns, prices)),
        ("Conversation", _conversation(turns)),
        ("Timeline", _picture(lambda ax: timeline(log, ax=ax), 300, "timeline")),
        (
            "Latency",
            _picture(lambda ax: latency(log, ax=ax), 110 + 34 * min(26, max(6, len(turns))), "latency"),
        ),
        ("Latency by turn", _table(log.latency())),
        ("Usage by turn", _table(log.usage(prices))),
        ("Errors", _table(log.errors())),
        ("Glitches", _table(log.glitches())),
    ]
    body = "".join(f"<section><h2>{escape(title)}</h2>{content}</section>" for title, content in sections)
    return (
        "<!DOCTYPE html><html lang='en'><head><meta charset='utf-8'>"
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        "<meta name='viewport' content='width=device-width'><meta name='referrer' content='no-referrer'>"
        f"<title>Realtime session</title><style>{_STYLE}</style></head>"
        f"<body><h1>Realtime session</h1>{body}</body></html>"
    )


def _summary(log: EventLog, turns: list[Turn], prices: Mapping[str, float] | None) -> str:
    connected = next((event for event in log if event.type == "local.connected"), None)
    totals = [row for row in log.latency()["total_ms"].tolist() if not math.isnan(row)]
    usage = log.usage(prices)
    facts: list[tuple[str, str]] = []
    if connected is not None:
        facts.append(("Endpoint", f"{connected.data.get('endpoint')} ({connected.data.get('dialect')})"))
    length_s = max(event.t_s for event in log) if len(log) else 0.0
    facts += [("Length", f"{length_s:.1f} s"), ("Events", str(len(log))), ("Turns", str(len(turns)))]
    if totals:
        middle = sorted(totals)[(len(totals) - 1) // 2]
        facts.append(("Latency", f"median {middle:.0f} ms, longest {max(totals):.0f} ms"))
    facts.append(("Tokens", str(int(usage["total_tokens"].sum()))))
    if prices is not None:
        facts.append(
            ("Cost", f"{usage['cost'].sum():.4g}, of it not heard {usage['unheard_cost'].sum():.4g}")
        )
    facts += [("Errors", str(len(log.errors()))), ("Glitches", str(len(log.glitches())))]
    facts.append(("At the end", log.explain().text))
    rows = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in facts)
    return f"<div class='scroll'><table>{rows}</table></div>"


def _conversation(turns: list[Turn]) -> str:
    rows = []
    for turn in turns[-SHOWN_ROWS:]:
        text = turn.assistant or ""
        heard = heard_of(turn)
        said = escape(text)
        if heard is not None and heard != text:
            said = (
                f"{escape(heard)} <s title='generated, not heard'>{escape(text[len(heard) :].lstrip())}</s>"
            )
        status = turn.status + (f" ({turn.status_reason})" if turn.status_reason else "")
        cells = f"<td>{escape(turn.user or '')}</td><td>{said}</td><td>{escape(status)}</td>"
        rows.append(f"<tr><td class='number'>{turn.turn}</td>{cells}</tr>")
    head = "<tr><th>turn</th><th>you</th><th>assistant</th><th>status</th></tr>"
    return _framed(head, rows, len(turns))


def _table(frame: pd.DataFrame) -> str:
    """Return a frame without the columns in which there is nothing."""
    count = len(frame)
    frame = frame.tail(SHOWN_ROWS).dropna(axis=1, how="all")
    head = "".join(f"<th>{escape(str(name))}</th>" for name in frame.columns)
    columns = [frame[name].tolist() for name in frame.columns]
    rows = ["<tr>" + "".join(map(_cell, row)) + "</tr>" for row in zip(*columns, strict=True)]
    return _framed(f"<tr>{head}</tr>", rows, count)


def _framed(head: str, rows: list[str], count: int) -> str:
    if not rows:
        return "<p class='muted'>None.</p>"
    left_out = f"<p class='muted'>The last {len(rows)} of {count}.</p>" if len(rows) < count else ""
    table = f"<table><thead>{head}</thead><tbody>{''.join(rows)}</tbody></table>"
    return f"{left_out}<div class='scroll'>{table}</div>"


def _cell(value: Any) -> str:
    import pandas as pd

    if pd.isna(value):
        return "<td></td>"
    if isinstance(value, float):
        return (
            f"<td class='number'>{value:.10g}</td>"
            if abs(value) < 0.1
            else f"<td class='number'>{value:.1f}</td>"
        )
    kind = " class='number'" if isinstance(value, int) and not isinstance(value, bool) else ""
    return f"<td{kind}>{escape(str(value))}</td>"


def _picture(draw: Callable[[Axes], object], height_px: float, name: str) -> str:
    """Draw into a figure of its own: no notebook shows it, and nobody's pyplot keeps it."""
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.0, height_px / 100), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    draw(figure.add_subplot())
    svg = io.StringIO()
    # Letters stay letters; the salt keeps the names inside of two pictures of one page apart.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):
        figure.savefig(svg, format="svg", metadata={"Date": None, "Creator": None})
    drawn = svg.getvalue()
    return f"<figure>{drawn[drawn.index('<svg') :]}</figure>"
