"""Speak: text to speech."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Protocol

from rt_notebook.core.audio import to_pcm
from rt_notebook.errors import ComponentMissingError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["HibariVoice", "Voice"]


class Voice(Protocol):
    """A speaking voice, shared by all sessions and called from worker threads."""

    name: str

    def speak(self, text: str, speed: float = 1.0) -> Iterator[tuple[bytes, float]]:
        """Yield the text as PCM16 audio at 24 kHz, each piece with the share of the text said at its end.

        Parameters
        ----------
        text
            A sentence or a clause; nothing is yielded where there is nothing to say.
        speed
            How fast, 1.0 being the voice's own pace.
        """


class HibariVoice:
    """hibari with the voice inside its package (af_heart). The API's voice names all sound like it.

    Raises
    ------
    ComponentMissingError
        The package is not installed.
    """

    name = "hibari af_heart"

    def __init__(self) -> None:
        try:
            from hibari import Hibari
        except ImportError:
            raise ComponentMissingError(
                "hibari-tts is not installed.", "Run: pip install 'rt-notebook[local]'"
            ) from None
        self._model = Hibari(threads=1)
        self._one_at_a_time = threading.Lock()
        # The first sentence costs a second of set-up; nobody should wait for it in a conversation.
        list(self.speak("Hello."))

    def speak(self, text: str, speed: float = 1.0) -> Iterator[tuple[bytes, float]]:
        """Yield the text as audio. The same text always sounds the same."""
        with self._one_at_a_time:
            pieces = self._model.phonemize(text)
        length, said = sum(map(len, pieces)), 0
        for piece in pieces:
            # The others get their turn between two pieces.
            with self._one_at_a_time:
                samples = self._model.from_phonemes(piece, speed, seed=0)
            said += len(piece)
            yield to_pcm(samples), said / length
