"""The built-in voice: the assistant's, and someone to talk to it when there is no microphone."""

from __future__ import annotations

import threading
from functools import cache
from typing import TYPE_CHECKING

from rt_notebook.core.audio import to_float, to_pcm
from rt_notebook.errors import ComponentMissingError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rt_notebook.core.audio import Float32

__all__ = ["HibariVoice", "shared_voice", "voice"]


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
        """Yield the text as PCM16 audio at 24 kHz, each piece with the share of the text said at its end.

        The same text always sounds the same.
        """
        with self._one_at_a_time:
            pieces = self._model.phonemize(text)
        length, said = sum(map(len, pieces)), 0
        for piece in pieces:
            # The others get their turn between two pieces.
            with self._one_at_a_time:
                samples = self._model.from_phonemes(piece, speed, seed=0)
            said += len(piece)
            yield to_pcm(samples), said / length


_making = threading.Lock()
_made = cache(HibariVoice)


def shared_voice() -> HibariVoice:
    """Return the one voice of this process: its model is made when it is first asked for.

    Raises
    ------
    ComponentMissingError
        hibari-tts is not installed.
    """
    with _making:
        return _made()


def voice(text: str) -> Float32:
    """Speak a text with the built-in voice.

    Returns
    -------
    numpy.ndarray
        Float samples in [-1, 1] at 24 kHz, shape (n,).

    Raises
    ------
    ComponentMissingError
        hibari-tts is not installed.
    """
    return to_float(b"".join(pcm for pcm, _ in shared_voice().speak(text)))
