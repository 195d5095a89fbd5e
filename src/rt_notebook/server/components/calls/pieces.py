"""Call a function instead of answering in words, where that is what is wanted."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from rt_notebook.server.components.calls.arguments import arguments_for
from rt_notebook.server.components.calls.decision import last_said, wanted_call
from rt_notebook.server.components.reply_pieces import CallPiece

if TYPE_CHECKING:
    from collections.abc import Callable

    from rt_notebook.server.engine.effects import MakeReply, Tool

__all__ = ["call_pieces"]


def call_pieces(
    work: MakeReply, choose: Callable[[Tool, str, dict[str, Any]], Any] | None = None
) -> list[CallPiece]:
    """Return the pieces of a function call, or none where the reply is to be words.

    Parameters
    ----------
    work
        The reply, with its functions.
    choose
        Chooses an instance of a narrowed schema for a function and what was said; see `arguments_for`.
    """
    tool = wanted_call(work)
    if tool is None:
        return []
    said = last_said(work.messages)
    chooser = None if choose is None else (lambda schema: choose(tool, said.text, schema))
    arguments = arguments_for(tool, said, chooser)
    return [CallPiece(tool.name, ""), CallPiece("", json.dumps(arguments, ensure_ascii=False))]
