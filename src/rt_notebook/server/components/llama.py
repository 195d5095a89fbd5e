"""llama.cpp inside this process (xllamacpp), shared by all sessions."""

from __future__ import annotations

import json
import os
import secrets
from typing import TYPE_CHECKING, Any

from rt_notebook.errors import ComponentMissingError
from rt_notebook.server.components.pushed import pushed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = ["SLOTS", "Llama"]

SLOTS = 4
"""How many texts are written at the same time; what is more waits its turn."""

_CONTEXT_TOKENS = 2048
_CACHE_MIB = 128


class Llama:
    """A language model in llama.cpp.

    Parameters
    ----------
    path
        The weights (GGUF).

    Raises
    ------
    ComponentMissingError
        xllamacpp is not installed.
    """

    def __init__(self, path: Path) -> None:
        try:
            import xllamacpp
        except ImportError:
            raise ComponentMissingError(
                "xllamacpp is not installed.", "Run: pip install 'rt-notebook[local]'"
            ) from None
        params = xllamacpp.CommonParams()
        params.model.path = str(path)
        params.n_ctx = _CONTEXT_TOKENS * SLOTS
        params.n_parallel = SLOTS
        # Half of the cores: its threads wait for each other at every step, so one that shares its core
        # holds up all. On two cores 30 tokens take 0.8 s with one thread and 0.45 s with two, but while
        # others need the cores 1.2 s with one and 3 to 26 s with two.
        params.cpuparams.n_threads = max(1, min(4, (os.cpu_count() or 1) // 2))
        # Waiting threads sleep: spinning ones would take the cores from the other components.
        params.cpuparams.poll = 0
        # Conversations that were read are kept; without a bound that is 8 GiB.
        params.cache_ram_mib = _CACHE_MIB
        # It also listens on a port of this machine, with every conversation to be seen there. Nobody uses
        # that port, and with a key that nobody knows nobody can.
        params.api_keys = [secrets.token_urlsafe(24)]
        params.endpoint_slots = False
        params.ui = False
        params.verbosity = -1
        params.warmup = True
        self._server = xllamacpp.Server(params)

    def chat(
        self, messages: list[dict[str, str]], cancelled: Callable[[], bool], **options: Any
    ) -> Iterator[tuple[str, str | None]]:
        """Yield an answer's text piece by piece, each with the reason why it ended, if it did.

        Parameters
        ----------
        messages
            The conversation in the form of OpenAI's chat completions.
        cancelled
            Asked at every token; True stops llama.cpp there, and so does closing this iterator.
        options
            More of the request, such as ``temperature`` and ``max_tokens``.
        """
        request = {"messages": messages, "stream": True, "cache_prompt": True, "seed": 1} | options

        def run(push: Callable[[tuple[str, str | None]], bool]) -> None:
            def take(chunk: Any) -> bool:
                enough = False
                for part in chunk if isinstance(chunk, list) else [chunk]:
                    if isinstance(part, dict) and "error" in part:
                        raise RuntimeError(str(part["error"]))
                    for choice in part.get("choices", []) if isinstance(part, dict) else []:
                        text = choice.get("delta", {}).get("content") or ""
                        enough = push((text, choice.get("finish_reason"))) or enough
                return enough  # True tells llama.cpp to stop.

            self._server.handle_chat_completions(request, take)

        return pushed(run, cancelled)

    def read(self, messages: list[dict[str, str]]) -> None:
        """Read a conversation, so that its continuation is answered sooner."""
        request = {"messages": messages, "cache_prompt": True, "max_tokens": 0, "temperature": 0}
        self._server.handle_chat_completions(request, lambda _: False)

    def fill(self, prompt: str, schema: dict[str, Any], max_tokens: int) -> Any:
        """Continue a prompt with JSON of a schema; None when that does not work out.

        Parameters
        ----------
        prompt
            A text, in which examples have shown the form.
        schema
            What llama.cpp makes a grammar from: no other token can come.
        max_tokens
            Where it ends in any case.
        """
        found: list[Any] = []
        request = {
            "prompt": prompt,
            "json_schema": schema,
            "n_predict": max_tokens,
            "temperature": 0,
            "cache_prompt": True,
        }

        def take(chunk: Any) -> bool:
            found.append(chunk)
            return False

        self._server.handle_completions(request, take)
        try:
            return json.loads(found[0]["choices"][0]["text"])
        except (IndexError, KeyError, TypeError, ValueError):
            return None
