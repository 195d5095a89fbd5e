"""From positions in a stream of audio to seconds on the session clock.

The endpoint counts the audio that it was sent (``audio_start_ms``, ``audio_end_ms``), speakers the samples
that they have played. Both are positions in a stream whose pieces have a time in the log.
"""

from __future__ import annotations

from bisect import bisect_left

from rt_notebook.core.audio import SAMPLE_RATE_HZ

__all__ = ["AudioClock"]


class AudioClock:
    """Maps sample positions to session seconds, through the moments at which positions were reached.

    Inside a piece time runs at the sample rate towards its end: a chunk that is sent at `t_s` ends with the
    sample that was recorded at `t_s`. A piece never reaches back before the one ahead of it, so that
    the mapping never decreases, whether chunks come in real time, late or all at once.

    Examples
    --------
    >>> clock = AudioClock()
    >>> clock.reach(2400, t_s=1.0)
    >>> clock.session_s(1200)
    0.95
    """

    def __init__(self) -> None:
        self._ends_samples: list[int] = []
        self._times_s: list[float] = []

    @property
    def end_samples(self) -> int:
        """The furthest position so far."""
        return self._ends_samples[-1] if self._ends_samples else 0

    def reach(self, end_samples: int, t_s: float) -> None:
        """Note that position `end_samples` was reached at `t_s`; what goes back is not noted."""
        if end_samples <= self.end_samples or (self._times_s and t_s < self._times_s[-1]):
            return
        self._ends_samples.append(end_samples)
        self._times_s.append(t_s)

    def advance(self, samples: int, t_s: float) -> tuple[float, float]:
        """Add a piece of `samples` samples that ends at `t_s`; return its start and end, session seconds."""
        start_samples = self.end_samples
        previous_s = self._times_s[-1] if self._times_s else None
        t_s = t_s if previous_s is None else max(t_s, previous_s)
        self.reach(start_samples + samples, t_s)
        start_s = t_s - samples / SAMPLE_RATE_HZ
        return (start_s if previous_s is None else max(start_s, previous_s)), t_s

    def session_s(self, position_samples: float) -> float | None:
        """Session seconds of a position; None while nothing was reached.

        A position past the end is carried on at the sample rate.
        """
        if not self._ends_samples:
            return None
        index = min(bisect_left(self._ends_samples, position_samples), len(self._ends_samples) - 1)
        t_s = self._times_s[index] - (self._ends_samples[index] - position_samples) / SAMPLE_RATE_HZ
        return t_s if index == 0 else max(t_s, self._times_s[index - 1])
