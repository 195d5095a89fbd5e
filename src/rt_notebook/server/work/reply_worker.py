"""Write a reply and speak it, sentence by sentence, in a worker thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from rt_notebook.server.components.reply_pieces import CallPiece, LimitReached, Speech
from rt_notebook.server.work.sentences import SentenceCutter

if TYPE_CHECKING:
    from collections.abc import Callable

    from rt_notebook.server.components.load import Components
    from rt_notebook.server.engine.effects import MakeReply

__all__ = ["ReplySink", "make_reply"]


class ReplySink(Protocol):
    """Where the parts of a reply go, in their order."""

    def text(self, text: str) -> None:
        """Take text as it comes."""

    def speech(self, pcm: bytes, text_end_chars: int) -> None:
        """Take PCM16 audio at 24 kHz, with the number of characters that have been said up to its end."""

    def call(self, name: str, arguments: str) -> None:
        """Take a piece of a function call; an empty name goes on with the one before."""


def make_reply(
    components: Components, work: MakeReply, cancelled: Callable[[], bool], sink: ReplySink
) -> bool:
    """Run the reply component and the voice.

    Parameters
    ----------
    components
        What writes and what speaks.
    work
        What to answer.
    cancelled
        Asked between the pieces; True ends the work.
    sink
        Takes the reply.

    Returns
    -------
    bool
        Whether the token limit cut the reply off.
    """
    if cancelled():
        return False
    voice = components.voice if work.aloud else None
    cutter = SentenceCutter()
    said_chars, cut = 0, False

    def say(piece: str, more: str = "") -> None:
        nonlocal said_chars
        begin, said_chars = said_chars, said_chars + len(piece)
        text = piece.strip()
        if voice is None or not text:
            return
        # What is cut in the midst of a sentence is not to sound like its end.
        text += more if text[-1].isalnum() else ""
        for pcm, share in voice.speak(text, work.speed):
            if cancelled():
                return
            sink.speech(pcm, begin + round(share * len(piece)))

    for part in components.replier.reply(work, cancelled):
        if cancelled():
            return False
        match part:
            case CallPiece(name, arguments):
                if name:
                    say(cutter.rest())
                sink.call(name, arguments)
            case Speech(pcm):
                say(cutter.rest())
                if work.aloud:
                    sink.speech(pcm, said_chars)
            case LimitReached():
                cut = True
            case text:
                sink.text(text)
                for piece in cutter.push(text):
                    say(piece, ",")
    say(cutter.rest())
    return cut
