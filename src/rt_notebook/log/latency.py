"""Where the time between the end of the user's speech and the answer's first sound went."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from rt_notebook.log.turns import Turn

__all__ = ["PARTS", "Latency", "fold_latency", "latency_table"]

PARTS = ("vad_wait_ms", "commit_ms", "response_ms", "first_text_ms", "first_audio_ms", "playback_ms")
"""The parts of a turn's latency, in the order in which they pass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """The latency of one turn, in milliseconds; NaN for a part that the turn does not have.

    It begins at the true end of speech; for a typed turn and for push-to-talk, where the client sent the item
    or the commit. A part whose end is not in the log is counted in the one after it, so that the parts always
    sum to the total.

    Attributes
    ----------
    turn, kind
        As in `Turn`.
    vad_wait_ms
        To the arrival of ``speech_stopped``: the silence waited for, the decision, the way back.
    commit_ms
        To the item's place in the conversation.
    response_ms
        To ``response.created``.
    first_text_ms
        To the first words, of an answer that has no audio.
    first_audio_ms
        To the first piece of audio.
    playback_ms
        To the first sample that left the speaker; NaN if no speaker reported.
    total_ms
        All of it; NaN while nothing of the answer has arrived.
    """

    turn: int
    kind: str
    vad_wait_ms: float = math.nan
    commit_ms: float = math.nan
    response_ms: float = math.nan
    first_text_ms: float = math.nan
    first_audio_ms: float = math.nan
    playback_ms: float = math.nan
    total_ms: float = math.nan


def fold_latency(turn: Turn) -> Latency:
    """Split one turn's latency into its parts."""
    silent = turn.first_audio_s is None
    ends_s = (
        turn.speech_stopped_s,
        turn.committed_s,
        turn.response_created_s,
        turn.first_text_s if silent else None,
        turn.first_audio_s,
        turn.playback_started_s,
    )
    start_s = turn.speech_end_s if turn.speech_end_s is not None else turn.sent_s
    begin_ms = last_ms = None if start_s is None else _ms(start_s)
    parts: dict[str, float] = {}
    for name, end_s in zip(PARTS, ends_s, strict=True):
        if end_s is None:
            continue
        end_ms = _ms(end_s)
        if begin_ms is None or last_ms is None:
            begin_ms = end_ms
        else:
            parts[name] = end_ms - last_ms
        last_ms = end_ms
    answered = not silent or turn.first_text_s is not None
    if answered and begin_ms is not None and last_ms is not None:
        parts["total_ms"] = last_ms - begin_ms
    return Latency(turn=turn.turn, kind=turn.kind, **parts)


def _ms(t_s: float) -> float:
    """Milliseconds, to an eighth: a binary fraction, so that sums and differences are exact in any order."""
    return round(t_s * 8000) / 8


def latency_table(turns: Sequence[Turn]) -> pd.DataFrame:
    """Return one row a turn. The columns are the fields of `Latency`."""
    import pandas as pd

    rows = [fold_latency(turn) for turn in turns]
    columns = {
        "turn": pd.Series([row.turn for row in rows], dtype="int64"),
        "kind": pd.Series([row.kind for row in rows], dtype="string"),
    }
    for name in (*PARTS, "total_ms"):
        columns[name] = pd.Series([getattr(row, name) for row in rows], dtype="float64")
    return pd.DataFrame(columns)
