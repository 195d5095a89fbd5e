"""Write a reply and speak it, sentence by sentence, in a worker thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rt_notebook.server.sentences import SentenceCutter

if TYPE_CHECKING:
    from collections.abc import Callable

    from rt_notebook.server.components.load import Components
    from rt_notebook.server.effects import MakeReply

__all__ = ["make_reply"]


def make_reply(
    components: Components,
    work: MakeReply,
    cancelled: Callable[[], bool],
    on_text: Callable[[str], None],
    on_speech: Callable[[bytes, int], None],
) -> None:
    """Run the reply component and the voice.

    Parameters
    ----------
    components
        What writes and what speaks.
    work
        What to answer.
    cancelled
        Asked between the pieces; True ends the work.
    on_text
        Called with text as it comes.
    on_speech
        Called with PCM16 audio and with the number of characters that have been said up to its end.
    """
    voice = components.voice if work.aloud else None
    cutter = SentenceCutter()
    said_chars = 0

    def say(piece: str) -> None:
        nonlocal said_chars
        said_chars += len(piece)
        if voice is not None and piece.strip() and not cancelled():
            on_speech(voice.speak(piece.strip()), said_chars)

    for text in components.replier.reply(work, cancelled):
        if cancelled():
            return
        on_text(text)
        for piece in cutter.push(text):
            say(piece)
    say(cutter.rest())
