"""Cut a stream of words into pieces that can be spoken, as early as they are complete."""

from __future__ import annotations

import re

__all__ = ["SentenceCutter"]

# An end of a sentence is a mark followed by a space; a mark inside "3.5" or "e.g." mostly is not.
_END = re.compile(r"[.!?\u2026][\"')\]]*\s|\n")
_CLAUSE = re.compile(r"[,;:]\s")
_FIRST_CLAUSE_CHARS = 12
# What is said with a pause behind it, however short it is.
_OPENER = re.compile(
    r"\s*(?:yes|no|sure|okay|ok|well|hello|hi|hey|sorry|thanks|thank you|of course|certainly|absolutely|"
    r"great|indeed|right|unfortunately|actually)[,;:]\s",
    re.IGNORECASE,
)
# A first clause without a mark is cut before a word that may begin another part of the sentence.
_LONG_WORDS = 12
_LONGEST_WORDS = 18
_WORD = re.compile(r"\s*(\S+)\s")
_TURN = re.compile(
    r"(?:and|or|but|because|which|that|who|when|where|while|so|if|as|in|on|at|for|with|from|by|to)\s",
    re.IGNORECASE,
)


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
            # Space alone is nothing that anybody has heard.
            self._first = self._first and not pieces[-1].strip()
        return pieces

    def _cut(self) -> int | None:
        marks = [_END.search(self._text)]
        if self._first:
            marks += [_OPENER.match(self._text), _CLAUSE.search(self._text, _FIRST_CLAUSE_CHARS)]
        end = min((match.end() for match in marks if match is not None), default=None)
        return self._long_cut(end) if self._first else end

    def _long_cut(self, end: int | None) -> int | None:
        """Cut a first clause that goes on and on; whether it does has to be seen from its first words."""
        found = zip(range(_LONGEST_WORDS), _WORD.finditer(self._text), strict=False)
        words = [(match.start(1), match.end()) for _, match in found]
        for count in (_LONG_WORDS, _LONGEST_WORDS):
            if len(words) < count or (end is not None and end <= words[count - 1][1]):
                return end
            turns = [begin for begin, _ in words[count // 2 : count] if _TURN.match(self._text, begin)]
            if turns:
                return turns[-1]
        return words[-1][1]

    def rest(self) -> str:
        """Return what is left when no more text comes."""
        rest, self._text = self._text, ""
        return rest
