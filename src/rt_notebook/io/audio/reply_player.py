"""The assistant's voice on its way to the speaker, and what the speaker says was heard of it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from rt_notebook.core.playback import Playback
from rt_notebook.io.audio.reply_audio import ReplyAudio

if TYPE_CHECKING:
    from typing import Any, Literal

    from rt_notebook.core.events import Event
    from rt_notebook.io.audio.speakers import Speaker

__all__ = ["ReplyPlayer"]

_logger = logging.getLogger("rt_notebook.session")


class ReplyPlayer:
    """Plays what arrives, silences it, and tells what the endpoint has to forget.

    Attributes
    ----------
    audio
        What arrived, by item.
    playback
        The account of what was received and what was played.
    """

    def __init__(self, speaker: Speaker | None) -> None:
        self.speaker = speaker
        self.playback = Playback()
        self.audio = ReplyAudio()
        self._silenced_responses: set[str] = set()

    def take(self, event: Event, audio: bytes) -> None:
        """Take an event of a reply, with the audio that it carried."""
        done = event.type == "response.output_audio.done"
        item_id = event.item_id if audio or done else None
        if item_id is None:
            return
        if audio:
            self.audio.add(item_id, audio)
            if self._silenced_responses and event.response_id in self._silenced_responses:
                self.playback.silence(item_id)
            if self.playback.receive(item_id, event.audio_samples):
                self._tell("play", item_id, audio)
        else:
            self._tell("end", item_id)

    def silence(self, response_id: str | None) -> None:
        """Be silent at once; of the response that is being made, play nothing more."""
        if response_id is not None:
            self._silenced_responses.add(response_id)
        audible = self.playback.audible()
        for item_id in audible:
            self.playback.silence(item_id)
        if audible:
            self.flush()

    def flush(self) -> None:
        """Have the speaker forget what it still has to play."""
        self._tell("flush")

    def _tell(self, what: Literal["play", "end", "flush"], *args: object) -> None:
        if self.speaker is None:
            return
        try:
            getattr(self.speaker, what)(*args)
        except Exception:
            # A speaker may be somebody else's code; its fault must not end the session.
            _logger.exception("the speaker failed")

    def conversation_over(self) -> None:
        """Note that the endpoint has forgotten the items so far: nothing of them can be cut any more."""
        self.playback.seal()
        self._silenced_responses.clear()

    def heard(self, item_id: str, played_samples: int, state: str) -> dict[str, Any] | None:
        """Take the speaker's report; return what to tell the endpoint when the item was cut short."""
        self.playback.report(item_id, played_samples)
        if state != "flushed":
            return None
        self.playback.silence(item_id)
        at_ms = self.playback.truncate_at_ms(item_id)
        if at_ms is None:
            return None
        if at_ms == 0:
            return {"type": "conversation.item.delete", "item_id": item_id}
        return {
            "type": "conversation.item.truncate",
            "item_id": item_id,
            "content_index": 0,
            "audio_end_ms": at_ms,
        }
