"""What a room test asks for next. Pure: it counts the samples that come in, and the presses of *Next*."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from rt_notebook.core.audio import SAMPLE_RATE_HZ

if TYPE_CHECKING:
    from collections.abc import Sequence

    Step = Literal["ready", "quiet", "pause", "sentence", "judging", "done"]

__all__ = ["RoomSteps"]

PAUSE_SAMPLES: Final = int(1.5 * SAMPLE_RATE_HZ)
"""Silence after a sentence, before the next one is shown: longer than any silence worth setting."""

TAIL_SAMPLES: Final = int(2.5 * SAMPLE_RATE_HZ)
"""After the last sentence: a turn that is not over by then was swallowed."""


class RoomSteps:
    """Quiet first, then sentence after sentence.

    Parameters
    ----------
    prompts
        The sentences.
    quiet_samples
        How long the room is listened to.

    Attributes
    ----------
    step
        ``"quiet"``, ``"pause"`` (before and after each sentence), ``"sentence"`` (it is being read),
        ``"judging"`` once all was read.
    sentences
        First and last sample of each sentence that was read, counted from the end of the quiet.
    """

    def __init__(self, prompts: Sequence[str], quiet_samples: int) -> None:
        self._prompts = tuple(prompts)
        self._quiet_samples = quiet_samples
        self._samples = 0
        self._shown_at = self._pause_ends_at = 0
        self.step: Step = "quiet"
        self.sentences: list[tuple[int, int]] = []

    @property
    def prompt(self) -> str:
        """The sentence to read now; empty while there is none."""
        return self._prompts[len(self.sentences)] if self.step == "sentence" else ""

    @property
    def progress(self) -> float:
        """How much of this step is done, from 0 to 1: of the quiet, then of the sentences."""
        if self.step == "quiet":
            return self._samples / self._quiet_samples
        return len(self.sentences) / len(self._prompts)

    def heard(self, samples: int) -> None:
        """Count audio that came in."""
        self._samples += samples
        if self.step == "quiet" and self._samples >= self._quiet_samples:
            self._begin_pause(PAUSE_SAMPLES)
        elif self.step == "pause" and self._samples >= self._pause_ends_at:
            if len(self.sentences) == len(self._prompts):
                self.step = "judging"
            else:
                self.step, self._shown_at = "sentence", self._samples

    def read(self) -> None:
        """Take the sentence for read; does nothing while there is none."""
        if self.step == "sentence":
            at = self._quiet_samples
            self.sentences.append((self._shown_at - at, self._samples - at))
            last = len(self.sentences) == len(self._prompts)
            self._begin_pause(TAIL_SAMPLES if last else PAUSE_SAMPLES)

    def _begin_pause(self, samples: int) -> None:
        self.step, self._pause_ends_at = "pause", self._samples + samples
