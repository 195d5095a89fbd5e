"""Reply by a chat endpoint that the user names: Ollama, llama.cpp's server, vLLM, LM Studio and others."""

from __future__ import annotations

import json
import urllib.request
from contextlib import contextmanager
from http.client import HTTPException
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit

from rt_notebook.errors import ConfigError, ConnectError, RefusedError, ServerError
from rt_notebook.io.endpoints.address import hidden_in
from rt_notebook.server.components.pushed import pushed
from rt_notebook.server.components.reply_pieces import CallPiece, LimitReached

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rt_notebook.server.components.reply_pieces import ReplyPiece
    from rt_notebook.server.engine.effects import MakeReply, Message, Tool

__all__ = ["ChatEndpointReplier"]

_TIMEOUT_S = 60
_MOST_SAID_CHARS = 300
_MOST_READ_BYTES = 65_536
_SETTINGS = "chat_url and chat_model"


class _NoChunksError(Exception):
    """An answer that is none of a chat endpoint, such as a web page."""


class ChatEndpointReplier:
    """Any server with OpenAI's ``POST /v1/chat/completions`` and streaming.

    Parameters
    ----------
    url
        Its root, such as ``"http://127.0.0.1:11434/v1"``.
    model
        The model to ask for.

    Raises
    ------
    ConfigError
        The address is not one of the web, or has a key or password in it. Replies raise `ConnectError`,
        `RefusedError` or `ServerError`.
    """

    needs_words = True

    def __init__(self, url: str, model: str | None) -> None:
        if hidden_in(url):
            del url
            raise ConfigError(
                "A key or password stands in the chat endpoint's address, and addresses end up in logs.",
                "Give the address without it.",
            )
        host = urlsplit(url).hostname if url.startswith(("http://", "https://")) else None
        if host is None:
            raise ConfigError(f"{url!r} is no chat endpoint.", "Give one such as http://127.0.0.1:11434/v1.")
        self._root = url.rstrip("/")
        self._model = model or "default"
        self.name = f"{self._model} at {host}"  # /health tells it to anybody

    def reply(self, work: MakeReply, cancelled: Callable[[], bool]) -> Iterator[ReplyPiece]:
        """Yield the answer and the function calls piece by piece."""
        body: dict[str, object] = {"model": self._model, "messages": _messages(work.messages), "stream": True}
        if work.temperature is not None:
            body["temperature"] = work.temperature
        if work.max_tokens is not None:
            body["max_tokens"] = work.max_tokens
        if work.tools:
            body["tools"] = [_tool(tool) for tool in work.tools]
            words = work.tool_choice in {"auto", "none", "required"}
            named = {"type": "function", "function": {"name": work.tool_choice}}
            body["tool_choice"] = work.tool_choice if words else named
        request = urllib.request.Request(  # noqa: S310 - the scheme was checked above
            self._root + "/chat/completions",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )

        def run(push: Callable[[dict[str, Any]], bool]) -> None:
            with (
                self._in_plain_words(),
                urllib.request.urlopen(request, timeout=_TIMEOUT_S) as response,  # noqa: S310
            ):
                chunk = None
                for line in response:
                    text = line.decode("utf-8", "replace").strip()
                    if not text.startswith("data:") or text.endswith("[DONE]"):
                        continue
                    chunk = json.loads(text.removeprefix("data:"))
                    if not isinstance(chunk, dict) or push(chunk):
                        break
                if not isinstance(chunk, dict):
                    raise _NoChunksError

        calls = _Calls()
        for chunk in pushed(run, cancelled):
            if "error" in chunk:
                raise ServerError(f"{self._root} gave up{_said(chunk)}.", "Look into its own log.")
            for choice in chunk.get("choices") or []:
                delta = choice.get("delta") or {}
                if delta.get("content"):
                    yield delta["content"]
                for call in delta.get("tool_calls") or []:
                    yield from calls.push(call)
                if choice.get("finish_reason") == "length":
                    yield LimitReached()
        yield from calls.rest()

    @contextmanager
    def _in_plain_words(self) -> Iterator[None]:
        """Say what is wrong with the endpoint and what to do, whatever the libraries below raise."""
        try:
            yield
        except HTTPError as error:
            with error:
                said = _said(error.read(_MOST_READ_BYTES))
            problem = f"{self._root} refuses with {error.code} {error.reason}{said}."
            raise RefusedError(problem, f"Check {_SETTINGS}.", error.code) from None
        except (OSError, HTTPException) as error:
            reason = error.reason if isinstance(error, URLError) else error
            why = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
            remedy = f"Start the chat endpoint, or check {_SETTINGS}."
            raise ConnectError(f"{self._root} cannot be reached ({why}).", remedy) from None
        except (ValueError, _NoChunksError):
            problem = f"{self._root} does not answer as chat endpoints do."
            raise ConnectError(problem, f"Check {_SETTINGS}.") from None


def _said(answer: bytes | dict[str, Any]) -> str:
    """Return the endpoint's own words for an error, with a colon before them; nothing where it has none."""
    try:
        error = (json.loads(answer) if isinstance(answer, bytes) else answer)["error"]
    except (ValueError, LookupError, TypeError):
        return ""
    message = error.get("message", "") if isinstance(error, dict) else error
    return f": {' '.join(str(message).split())[:_MOST_SAID_CHARS].rstrip('.')}"


def _tool(tool: Tool) -> dict[str, object]:
    described = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return {"type": "function", "function": described}


def _messages(messages: list[Message]) -> list[dict[str, Any]]:
    """Write the conversation as chat completions have it: calls made together are one message."""
    written: list[dict[str, Any]] = []
    for message in messages:
        if message.call is not None:
            call = message.call
            function = {"name": call.name, "arguments": call.arguments}
            one = {"id": call.call_id, "type": "function", "function": function}
            if written and "tool_calls" in written[-1]:
                written[-1]["tool_calls"].append(one)
            else:
                written.append({"role": "assistant", "content": message.text or None, "tool_calls": [one]})
        elif message.role == "tool":
            written.append({"role": "tool", "tool_call_id": message.call_id, "content": message.text})
        else:
            written.append({"role": message.role, "content": message.text})
    return written


class _Calls:
    """Put the pieces of streamed calls in order: one call after the other, each beginning with its name."""

    def __init__(self) -> None:
        self._open: tuple[object, object] | None = None
        self._waiting: dict[tuple[object, object], list[CallPiece]] = {}
        self._ids: dict[object, object] = {}

    def push(self, call: dict[str, Any]) -> Iterator[CallPiece]:
        """Take a piece; yield what can go on already."""
        function = call.get("function") or {}
        index = call.get("index", 0)
        # Some servers give every call the index 0; a new id then tells that a new call begins.
        self._ids[index] = call.get("id") or self._ids.get(index)
        key = (index, self._ids[index])
        new = key != self._open and key not in self._waiting
        piece = CallPiece(function.get("name") or "" if new else "", function.get("arguments") or "")
        if new and self._open is not None and self._open[0] == index:
            yield from self.rest()
        if self._open is None:
            self._open = key
        if key == self._open:
            yield piece
        else:
            self._waiting.setdefault(key, []).append(piece)

    def rest(self) -> Iterator[CallPiece]:
        """Yield the calls that had to wait for the one before."""
        for pieces in self._waiting.values():
            yield from pieces
        self._open, self._waiting = None, {}
