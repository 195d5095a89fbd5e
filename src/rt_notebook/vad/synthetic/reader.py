"""A reader that is made: a voice does the room test in a synthetic room."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from rt_notebook.core.audio import SAMPLE_RATE_HZ
from rt_notebook.vad.recorded.reading import PROMPTS, QUIET_S, Reading
from rt_notebook.vad.synthetic.rooms import mixed, one_level, room_noise

if TYPE_CHECKING:
    from collections.abc import Callable

    from rt_notebook.core.audio import Float32

__all__ = ["read_aloud"]

_THINKING_S: Final = (0.3, 0.8)
_READER_S: Final = (-0.2, 0.1)
"""A reader begins a little after a sentence is shown, and says so a little after its end."""


def read_aloud(
    voice: Callable[[str], Float32],
    noise: str = "pink",
    snr_db: float = 15.0,
    *,
    quiet_s: float = QUIET_S,
    seed: int = 0,
) -> Reading:
    """Let a voice do a room test in a synthetic room.

    Parameters
    ----------
    voice
        Speaks a text in floats at 24 kHz, as `rt_notebook.voice` does.
    noise, snr_db
        As in `rooms`: the kind of noise, and how far it is below the voice.
    quiet_s
        How long the room is recorded alone.
    seed
        The same seed makes the same reading.

    Raises
    ------
    ConfigError
        The noise is not known.
    """
    random = np.random.default_rng(seed)
    pieces, prompts = [_pause(random.uniform(0.5, 1.0))], []
    for prompt in PROMPTS:
        begin = sum(piece.size for piece in pieces)
        for number, words in enumerate(prompt.split("…")):
            if number:
                pieces.append(_pause(random.uniform(*_THINKING_S)))
            pieces.append(one_level(voice(words.strip())))
        prompts.append((begin, sum(piece.size for piece in pieces)))
        pieces.append(_pause(random.uniform(1.5, 2.5)))
    spoken = np.concatenate(pieces)
    others = [one_level(voice(prompt)) for prompt in PROMPTS[:8]]
    quiet_samples = int(quiet_s * SAMPLE_RATE_HZ)
    made = room_noise(noise, quiet_samples + spoken.size, others, random)
    heard = mixed(np.concatenate([np.zeros(quiet_samples, np.float32), spoken]), made, snr_db)
    prompts_s = np.array(prompts) / SAMPLE_RATE_HZ + _READER_S
    return Reading(heard[:quiet_samples], heard[quiet_samples:], prompts_s)


def _pause(seconds: float) -> Float32:
    return np.zeros(int(seconds * SAMPLE_RATE_HZ), np.float32)
