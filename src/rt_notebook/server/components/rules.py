"""Reply by rules: what is there when no language model is. It says so when it does not understand."""

from __future__ import annotations

import operator
import re
from datetime import datetime
from typing import TYPE_CHECKING

from rt_notebook.server.components.calls.output import spoken
from rt_notebook.server.components.calls.pieces import call_pieces
from rt_notebook.server.components.reply_pieces import LimitReached

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rt_notebook.server.components.reply_pieces import ReplyPiece
    from rt_notebook.server.engine.effects import MakeReply

__all__ = ["RulesReplier", "answer"]

_OPERATORS: dict[str, Callable[[float, float], float]] = {
    "plus": operator.add,
    "+": operator.add,
    "minus": operator.sub,
    "-": operator.sub,
    "times": operator.mul,
    "*": operator.mul,
    "x": operator.mul,
    "divided by": operator.truediv,
    "/": operator.truediv,
}
_SUM = re.compile(r"(\d+(?:\.\d+)?)\s*(plus|minus|times|divided by|[-+*/x])\s*(\d+(?:\.\d+)?)")


def answer(text: str, now: datetime) -> str:
    """Return an answer to what the user said."""
    said = text.lower().strip()
    if match := _SUM.search(said):
        left, name, right = match.groups()
        if name in {"/", "divided by"} and float(right) == 0:
            return "Nobody can divide by zero."
        return f"That makes {_OPERATORS[name](float(left), float(right)):g}."
    if re.search(r"\bwhat time\b|\bthe time\b", said):
        return f"It is {now:%H:%M}."
    if re.search(r"\bwhat day\b|\bthe date\b|\btoday\b", said):
        return f"Today is {now:%A}, {now:%B} {now.day}."
    if not said or re.match(r"(hello|hi|hey|good (morning|evening|afternoon))\b", said):
        return "Hello! I answer by simple rules. Ask me for the time, the date, or a sum."
    if re.search(r"\bthank", said):
        return "You are welcome."
    return f"You said: {text.strip().rstrip('.?!')}. I only know simple rules: the time, the date, and sums."


class RulesReplier:
    """Answer by rules."""

    name = "rules"
    needs_words = True

    def reply(self, work: MakeReply, cancelled: Callable[[], bool]) -> Iterator[ReplyPiece]:
        """Yield the answer word by word, or a function call."""
        pieces = call_pieces(work)
        if pieces:
            yield from pieces
            return
        if work.messages and work.messages[-1].role == "tool":
            text = spoken(work.messages[-1].text)
        else:
            said = next((message.text for message in reversed(work.messages) if message.role == "user"), "")
            text = answer(said, datetime.now().astimezone())
        words = re.findall(r"\S+\s*", text)
        for word in words[: work.max_tokens]:
            if cancelled():
                return
            yield word
        if work.max_tokens is not None and len(words) > work.max_tokens:
            yield LimitReached()
