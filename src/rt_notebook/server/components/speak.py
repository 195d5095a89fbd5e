"""Speak: text to speech."""

from __future__ import annotations

import threading
from typing import Protocol

from rt_notebook.core.audio import to_pcm
from rt_notebook.errors import ComponentMissingError

__all__ = ["HibariVoice", "Voice"]


class Voice(Protocol):
    """A speaking voice, shared by all sessions and called from worker threads."""

    name: str

    def speak(self, sentence: str) -> bytes:
        """Return one sentence as PCM16 audio at 24 kHz; empty where there is nothing to say."""


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
        self.speak("Hello.")

    def speak(self, sentence: str) -> bytes:
        """Return one sentence as audio. The same sentence always sounds the same."""
        with self._one_at_a_time:
            return to_pcm(self._model(sentence, seed=0))
