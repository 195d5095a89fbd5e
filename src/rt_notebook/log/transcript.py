"""The conversation as it was said, and as it was heard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rt_notebook.log.heard import words_heard

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from rt_notebook.log.turns import Turn

__all__ = ["heard_of", "transcript_table"]


def heard_of(turn: Turn) -> str | None:
    """Return the part of the assistant's words that left the speaker; None if no speaker reported."""
    if turn.assistant is None or turn.heard_ms is None:
        return None
    return words_heard(turn.assistant, turn.heard_ms, turn.audio_ms)


def transcript_table(turns: Sequence[Turn]) -> pd.DataFrame:
    """Return one row for each thing said, in the order of the conversation.

    ========  ========  ==================================================================================
    column    dtype     meaning
    ========  ========  ==================================================================================
    t_s       float64   session seconds: when the user began or sent it, when the answer began to arrive
    turn      int64     number of the turn
    role      category  ``user`` or ``assistant``
    text      string    the words: of the user as transcribed, of the assistant as generated
    heard     string    the assistant's words that left the speaker; NA without a speaker, and for the user
    item_id   string    the item
    ========  ========  ==================================================================================
    """
    import pandas as pd

    columns: dict[str, list[Any]] = {name: [] for name in ("t_s", "turn", "role", "text", "heard", "item_id")}

    def add(*row: object) -> None:
        for values, value in zip(columns.values(), row, strict=True):
            values.append(value)

    for turn in turns:
        if turn.user_item_id is not None:
            add(turn.began_s, turn.turn, "user", turn.user, None, turn.user_item_id)
        if turn.assistant is not None:
            t_s = turn.first_text_s if turn.first_audio_s is None else turn.first_audio_s
            add(t_s, turn.turn, "assistant", turn.assistant, heard_of(turn), turn.assistant_item_id)
    return pd.DataFrame(
        {
            "t_s": pd.Series(columns["t_s"], dtype="float64"),
            "turn": pd.Series(columns["turn"], dtype="int64"),
            "role": pd.Categorical(columns["role"], categories=["user", "assistant"]),
            "text": pd.array(columns["text"], dtype="string"),
            "heard": pd.array(columns["heard"], dtype="string"),
            "item_id": pd.array(columns["item_id"], dtype="string"),
        }
    )
