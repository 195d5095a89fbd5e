"""Reply by a chat endpoint that the user names: Ollama, llama.cpp's server, vLLM, LM Studio and others."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

from rt_notebook.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rt_notebook.server.components.reply_pieces import ReplyPiece
    from rt_notebook.server.effects import MakeReply

__all__ = ["ChatEndpointReplier"]

_TIMEOUT_S = 60


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
        The address is not one of the web.
    """

    own_voice = False
    needs_words = True

    def __init__(self, url: str, model: str | None) -> None:
        if not url.startswith(("http://", "https://")):
            raise ConfigError(f"{url!r} is no chat endpoint.", "Give one such as http://127.0.0.1:11434/v1.")
        self._url = url.rstrip("/") + "/chat/completions"
        self._model = model or "default"
        self.name = f"{self._model} at {url}"

    def reply(self, work: MakeReply, cancelled: Callable[[], bool]) -> Iterator[ReplyPiece]:
        """Yield the answer piece by piece."""
        body: dict[str, object] = {
            "model": self._model,
            "messages": [{"role": message.role, "content": message.text} for message in work.messages],
            "stream": True,
        }
        if work.temperature is not None:
            body["temperature"] = work.temperature
        if work.max_tokens is not None:
            body["max_tokens"] = work.max_tokens
        request = urllib.request.Request(  # noqa: S310 - the scheme was checked above
            self._url, json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as response:  # noqa: S310
            for line in response:
                if cancelled():
                    return
                text = line.decode("utf-8", "replace").strip()
                if not text.startswith("data:") or text.endswith("[DONE]"):
                    continue
                for choice in json.loads(text.removeprefix("data:")).get("choices", []):
                    piece = choice.get("delta", {}).get("content")
                    if piece:
                        yield piece
