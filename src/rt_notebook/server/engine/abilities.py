"""What the components behind a session can do, as far as its protocol has to know."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["REPLIES", "Abilities"]

REPLIES = ("auto", "smollm2", "rules", "echo")
"""Who may write the replies; ``"auto"`` is the chat endpoint that is named, else the small model."""


@dataclass(frozen=True, slots=True)
class Abilities:
    """What the components behind a session can do.

    Attributes
    ----------
    hears
        Speech can be written down; without it only typed text is answered.
    speaks
        There is a voice; without one every reply is text.
    needs_words
        Replies are made from words. An echo needs none, and then nothing waits for a transcription.
    judges
        The end of a turn can be judged; without that, semantic turn detection waits for a silence.
    """

    hears: bool = True
    speaks: bool = True
    needs_words: bool = True
    judges: bool = True
