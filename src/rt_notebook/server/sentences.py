"""Cut a stream of words into pieces that can be spoken, as early as they are complete."""

from __future__ import annotations

import re

__all__ = ["SentenceCutter"]

# An end of a sentence is a mark followed by a space; a mark inside "3.5" or "e.g." mostly is not.
_END = re.compile(r"[.!?…][\"')\]]*\s|\n")
_CLAUSE = re.compile(r"[,;:]\s")
_FIRST_CLAUSE_CHARS = 25


class SentenceCutter:
    """Give it text as it comes; it returns each sentence once. The first piece may be a clause.

    Whoever waits for an answer waits for its first piece, so that one is cut as early as sounds well.
    """

    def __init__(self) -> None:
        self._text = ""
        self._first = True

    def push(self, text: str) -> list[str]:
        """Take some text; return the pieces that it completed, trailing space and all."""
        self._text += text
        pieces = []
        while (end := self._cut()) is not None:
            pieces.append(self._text[:end])
            self._text = self._text[end:]
            self._first = False
        return pieces

    def _cut(self) -> int | None:
        ends = [_END.search(self._text)]
        if self._first:
            ends.append(_CLAUSE.search(self._text, _FIRST_CLAUSE_CHARS))
        return min((match.end() for match in ends if match is not None), default=None)

    def rest(self) -> str:
        """Return what is left when no more text comes."""
        rest, self._text = self._text, ""
        return rest
