"""Decide whether to call a function, and which.

A model of 135 million parameters cannot tell a request from a remark (asked with examples, its likelihoods
separate the two little better than chance), so the words decide: a function is called when they are about
what it is about, when they are a request, and when its required arguments can be found in them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rt_notebook.server.components.calls.grounding import ground, topic_of
from rt_notebook.server.components.calls.utterance import Utterance, stem, stems
from rt_notebook.server.components.calls.word_lists import KIN

if TYPE_CHECKING:
    from rt_notebook.server.engine.effects import MakeReply, Message, Tool

__all__ = ["last_said", "wanted_call"]

_KIN = [{stem(word) for word in words} for words in KIN]

_ASKS = re.compile(
    r"\b(?:can|could|would|will) you\b|\bi(?:'d| would) like\b|\bi (?:want|need)\b|\bplease\b|\blet'?s\b",
    re.IGNORECASE,
)
_REMARK = re.compile(
    r"^(?:(?:oh|well|yes|no|ok|okay|and|but|so)[, ]+)*"
    r"(?:i|i'm|i've|my|we|we're|our|he|she|they|it|it's|that|that's|his|her|their|thanks?|sorry|nice|great|"
    r"good (?:morning|evening|night)|goodbye|bye|stop)\b",
    re.IGNORECASE,
)
# Questions about the world rather than things to do.
_KNOWLEDGE = re.compile(
    r"\b(?:why|who|whose|explain|mean(?:s|ing)?|histor(?:y|ies)|stor(?:y|ies)|invent(?:ed|or)?|define|facts?|"
    r"difference|your (?:name|favou?rite)|tell me about|do (?:they|people)|do you (?:like|think|know|speak)|"
    r"what (?:is|are|was|were) an?|"
    r"how (?:do|does|did|are|is|come) (?!you say|the\b|it\b)\w+)\b",
    re.IGNORECASE,
)
_FOLLOWS = re.compile(r"^(?:and|what about|how about|also)\b", re.IGNORECASE)


def last_said(messages: list[Message]) -> Utterance:
    """Return the user's last words; with the ones before, where they answer the assistant's question."""
    spoken = [message for message in messages if message.role in {"user", "assistant"} and message.text]
    if not spoken or spoken[-1].role != "user":
        return Utterance(next((one.text for one in reversed(spoken) if one.role == "user"), ""))
    text = spoken[-1].text
    if len(spoken) > 2 and spoken[-2].text.rstrip().endswith("?") and spoken[-3].role == "user":
        answered = Utterance(text)
        if len(answered.words) <= 4:
            text = f"{spoken[-3].text.rstrip()} {text}"
    return Utterance(text)


def wanted_call(work: MakeReply) -> Tool | None:
    """Return the function to call in this reply, or None to answer in words."""
    said = last_said(work.messages)
    if not work.tools or work.tool_choice == "none":
        return None
    if work.tool_choice not in {"auto", "required"}:
        return next((tool for tool in work.tools if tool.name == work.tool_choice), None)
    if work.tool_choice == "required":
        return max(work.tools, key=lambda tool: _relevance(tool, said))
    if work.messages and work.messages[-1].role == "tool":
        return None  # the output has to be told now
    before = _called_before(work.messages)
    asked = [tool for tool in work.tools if _asks_for(tool, said, before)]
    return max(asked, key=lambda tool: _relevance(tool, said), default=None)


def _called_before(messages: list[Message]) -> str | None:
    """Return the function that was called in the turn before this one."""
    turns = [at for at, message in enumerate(messages) if message.role == "user"]
    before = messages[turns[-2] : turns[-1]] if len(turns) > 1 else []
    return next((message.call.name for message in reversed(before) if message.call is not None), None)


def _hits(tool: Tool, said: Utterance) -> float:
    """How much of what was said is about what the function is about."""
    topic = topic_of(tool)
    akin = sum(bool(said.all_stems & kin and topic & kin) for kin in _KIN)
    return len(said.stems & stems(tool.name)) + len(said.stems & topic) + 0.5 * akin


def _relevance(tool: Tool, said: Utterance) -> float:
    found = ground(tool, said)
    return _hits(tool, said) + 0.5 * found.sure - len(found.unsaid)


def _asks_for(tool: Tool, said: Utterance, called_before: str | None) -> bool:
    found = ground(tool, said)
    if found.unsaid or (tool.parameters.get("required") and not found.said):
        return False
    if tool.name == called_before and _FOLLOWS.match(said.text):
        return True
    hits = _hits(tool, said)
    if hits == 0 or (hits < 1 and found.guessed and not found.sure):
        return False
    if _KNOWLEDGE.search(said.text):
        return hits >= 1 and found.sure > 0
    if _ASKS.search(said.text):
        return True
    return _REMARK.match(said.text) is None and (found.sure > 0 or not said.text.lower().startswith("the "))
