"""A turn of a conversation, as commands tell it: to a person, or as JSON."""

from __future__ import annotations

import json
import math
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from rt_notebook.log.turns import Turn

__all__ = ["print_turn", "timings_of"]


def timings_of(turn: Turn, latency: pd.DataFrame) -> dict[str, float | None]:
    """Return the turn's timings out of the table of latencies, in ms, None where one is not known."""
    row = latency[latency["turn"] == turn.turn].iloc[0].to_dict()
    return {
        str(name): None if math.isnan(value) else round(float(value), 1)
        for name, value in row.items()
        if str(name).endswith("_ms")
    }


def print_turn(heading: str, told: dict[str, Any], *, as_json: bool) -> None:
    """Print a turn: who said what under a heading, or all of it as one JSON object."""
    if as_json:
        print(json.dumps(told), flush=True)
        return
    print(f"— {heading}")
    print(f"You:       {told['user'] or ''}")
    print(f"Assistant: {told['assistant'] or ''}")
    if told["total_ms"] is not None:
        print(f"           (first sound {told['total_ms']:.0f} ms after the end of speech)")
    sys.stdout.flush()
