"""What of an answer was heard: the words that belong to the audio that left the speaker."""

from __future__ import annotations

__all__ = ["ROUNDING_MS", "words_heard"]

ROUNDING_MS = 20.0
"""A speaker that stops this close to the end has played all of it: reports come in whole blocks."""


def words_heard(text: str, heard_ms: float, audio_ms: float) -> str:
    """Return the part of `text` that was heard when `heard_ms` of its `audio_ms` were played.

    An estimate: the endpoint does not say when each word sounds, so words are taken to be spread evenly over
    the audio, and a word counts when all of it was played.
    """
    if heard_ms >= audio_ms - ROUNDING_MS:
        return text
    heard = text[: int(len(text) * heard_ms / audio_ms) + 1]
    return heard[: heard.rfind(" ")].rstrip() if " " in heard else ""
