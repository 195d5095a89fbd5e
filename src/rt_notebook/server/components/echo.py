"""An echo: it answers with the user's own audio, for lessons and load tests. No model runs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rt_notebook.core.audio import BYTES_PER_SAMPLE, SAMPLE_RATE_HZ
from rt_notebook.server.components.reply_pieces import Speech

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rt_notebook.server.components.reply_pieces import ReplyPiece
    from rt_notebook.server.engine.effects import MakeReply

__all__ = ["EchoReplier"]

# Between the pieces an interruption can take effect.
_PIECE_BYTES = SAMPLE_RATE_HZ // 5 * BYTES_PER_SAMPLE


class EchoReplier:
    """Say again what was said: speech sample by sample, typed words with the voice."""

    name = "echo"
    needs_words = False

    def reply(self, work: MakeReply, cancelled: Callable[[], bool]) -> Iterator[ReplyPiece]:
        """Yield the user's last turn in pieces of 200 ms, or word by word where it was typed."""
        if work.heard:
            pieces: list[ReplyPiece] = [
                Speech(work.heard[start : start + _PIECE_BYTES])
                for start in range(0, len(work.heard), _PIECE_BYTES)
            ]
        else:
            typed = next((message.text for message in reversed(work.messages) if message.role == "user"), "")
            pieces = list(re.findall(r"\S+\s*", typed))
        for piece in pieces:
            if cancelled():
                return
            yield piece
