"""Speak: text to speech. The real component is `rt_notebook.io.audio.voice`'s, which others use as well."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Voice"]


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
