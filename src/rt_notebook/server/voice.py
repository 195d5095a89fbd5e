"""The built-in voice: someone to talk to the assistant when there is no microphone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rt_notebook.core.audio import to_float
from rt_notebook.server.components.speak import HibariVoice

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["voice"]

_voices: list[HibariVoice] = []


def voice(text: str) -> npt.NDArray[np.float32]:
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
    if not _voices:
        _voices.append(HibariVoice())
    return to_float(b"".join(pcm for pcm, _ in _voices[0].speak(text)))
