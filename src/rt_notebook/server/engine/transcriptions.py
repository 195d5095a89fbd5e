"""What the user said, in words: asked of the transcriber, told to the client, and put into the item."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import soxr

from rt_notebook.core.audio import SAMPLE_RATE_HZ, to_float, to_pcm
from rt_notebook.server.engine.effects import Transcribe
from rt_notebook.server.engine.usage import transcription_usage

if TYPE_CHECKING:
    from rt_notebook.server.engine.items import Item
    from rt_notebook.server.engine.state import SessionState

__all__ = ["Transcriptions"]

_UNHEARD = "(These words could not be made out.)"
"""What the language model reads where speech could not be written down: it can then ask again."""


class Transcriptions:
    """The transcriptions of one session that are under way."""

    def __init__(self, state: SessionState) -> None:
        self._state = state
        self._items: dict[str, Item] = {}

    @property
    def wanted(self) -> bool:
        """Whether anybody needs words: the reply component, or a client that asked for transcripts."""
        asked = self._state.session["audio"]["input"]["transcription"] is not None
        return asked or self._state.abilities.needs_words

    def begin(self, item: Item) -> None:
        """Ask for the words of a new item that holds speech."""
        item.untranscribed = self._state.abilities.needs_words
        if self.wanted:
            job_id = self._state.new_id("job")
            self._items[job_id] = item
            audio_format = self._state.input_format
            self._state.ask(Transcribe(job_id, audio_format.to_pcm(item.audio), audio_format.rate_hz))

    def expect(self, item: Item, job_id: str) -> None:
        """Wait for the words of an item from a job that was begun before."""
        item.untranscribed = True
        self._items[job_id] = item

    def item_of(self, job_id: str) -> Item | None:
        """Return the item that a job was for and forget the job; None where the job was cancelled.

        The item need not be in the conversation: a response may have been given it, or it may be deleted.
        """
        return self._items.pop(job_id, None)

    def take(self, item: Item, text: str | None, problem: str | None) -> None:
        """Put the words into their item and tell the client, if it wants to know."""
        item.untranscribed = False
        words = _UNHEARD if problem is not None else (text or "")
        item.heard_text = f"{item.heard_text} {words}".strip()
        for part in item.wire["content"]:
            if part["type"] == "input_audio":
                part["transcript"] = text
        told = self._state.session["audio"]["input"]["transcription"] is not None
        if told and self._state.conversation.find(item.id) is item:
            self._tell(item, text, problem)

    def _tell(self, item: Item, text: str | None, problem: str | None) -> None:
        base = "conversation.item.input_audio_transcription"
        where: dict[str, Any] = {"item_id": item.id, "content_index": 0}
        if problem is not None:
            error = {
                "type": "server_error",
                "code": "transcription_failed",
                "message": f"Input transcription failed for item '{item.id}'. {problem}",
                "param": None,
            }
            self._state.send({"type": f"{base}.failed"} | where | {"error": error})
            return
        if text:
            self._state.send({"type": f"{base}.delta"} | where | {"delta": text})
        usage = transcription_usage(item.audio_ms)
        self._state.send({"type": f"{base}.completed"} | where | {"transcript": text or "", "usage": usage})


def at_wire_rate(pcm: bytes, rate_hz: int) -> bytes:
    """Return PCM16 at 24 kHz."""
    if rate_hz == SAMPLE_RATE_HZ:
        return pcm
    return to_pcm(soxr.resample(to_float(pcm), rate_hz, SAMPLE_RATE_HZ))
