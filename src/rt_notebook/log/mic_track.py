"""The microphone's audio on one connection, chunk by chunk: positions, times and loudness."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rt_notebook.core.audio import SAMPLE_RATE_HZ, SILENCE_DBFS
from rt_notebook.core.envelope import STEP_SAMPLES, envelope_dbfs
from rt_notebook.core.speech_end import SpeechEnd, find_speech_end
from rt_notebook.log.fields import as_number

if TYPE_CHECKING:
    from rt_notebook.core.events import Event

__all__ = ["MicTrack", "SentChunk", "SpokenEnd"]

BEFORE_SAMPLES = SAMPLE_RATE_HZ
"""A second before the speech tells how loud the room is."""

EARLIEST_SAMPLES, LATEST_SAMPLES = SAMPLE_RATE_HZ // 2, SAMPLE_RATE_HZ // 4
"""The end of speech is looked for so far before and after where the endpoint's decision puts it."""

KEPT_ROUND_TRIPS = 8


@dataclass(frozen=True, slots=True)
class SentChunk:
    """The chunk that holds a sample.

    Attributes
    ----------
    end
        Position of its end.
    sent_s
        When it was written to the socket, session seconds.
    client, page_recorded_s, page_sent_s, arrived_s
        The page that it came from, its times on the page's clock, and its arrival in the kernel in session
        seconds; None for audio that came from no page.
    """

    end: int
    sent_s: float
    client: str | None = None
    page_recorded_s: float | None = None
    page_sent_s: float | None = None
    arrived_s: float | None = None


@dataclass(frozen=True, slots=True)
class SpokenEnd:
    """The end of a spoken turn.

    Attributes
    ----------
    position
        The last sample of speech.
    error_s
        By how much that may be off; NaN where it is the endpoint's word and nothing else.
    recorded_s
        Session seconds of that sample, if chunks are sent when their last sample is recorded.
    chunk
        The chunk that held it.
    chunk_error_s
        How much earlier or later the chunk beside it was sent, if the sample may as well be in that one.
    round_trip_s
        Time to the endpoint and back, as last measured; None if it was not.
    """

    position: int
    error_s: float
    recorded_s: float
    chunk: SentChunk
    chunk_error_s: float
    round_trip_s: float | None


class MicTrack:
    """What was sent of the microphone. Positions count samples, as the endpoint does."""

    def __init__(self) -> None:
        self._ends = array("q")
        self._sent_s = array("d")
        self._levels_dbfs = array("d")
        self._data: list[dict[str, Any]] = []
        self._clients: list[str | None] = []
        self._round_trips_s: deque[float] = deque(maxlen=KEPT_ROUND_TRIPS)

    def add(self, event: Event, client: str | None) -> None:
        """Take an event that carried audio, of the page `client` if of any."""
        if event.audio_samples > 0:
            self._ends.append((self._ends[-1] if self._ends else 0) + event.audio_samples)
            self._sent_s.append(event.t_s)
            self._levels_dbfs.append(SILENCE_DBFS if event.level_dbfs is None else event.level_dbfs)
            self._data.append(event.data)
            self._clients.append(client)

    def add_round_trip(self, seconds: float) -> None:
        """Note how long the endpoint took to answer a ping."""
        self._round_trips_s.append(seconds)

    @property
    def round_trip_s(self) -> float | None:
        """The shortest of the last round trips on this connection; None for none."""
        return min(self._round_trips_s, default=None)

    def chunk(self, position: int) -> SentChunk | None:
        """Return the chunk that holds the sample before `position`; None if nothing was sent so far."""
        index = bisect_left(self._ends, position)
        if index == len(self._ends):
            return None
        data, client = self._data[index], self._clients[index]
        times = [as_number(data.get(name)) for name in ("page_recorded_s", "page_sent_s", "arrived_s")]
        if client is None or None in times:
            return SentChunk(self._ends[index], self._sent_s[index])
        return SentChunk(self._ends[index], self._sent_s[index], client, *times)

    def chunk_error_s(self, position: int, error_samples: int) -> float:
        """By how much it matters that the chunk of a position is not known for sure."""
        chunk = self.chunk(position)
        others = [self.chunk(position - error_samples), self.chunk(position + error_samples)]
        if chunk is None:
            return 0.0
        return max(abs(other.sent_s - chunk.sent_s) for other in others if other is not None)

    def speech_end(self, begin: int, guess: int | None, decided: int) -> SpeechEnd | None:
        """Find where speech ended.

        Parameters
        ----------
        begin
            Position of its beginning, roughly.
        guess
            Where the endpoint's decision puts the end; None if that says nothing.
        decided
            The position at which the turn was ended.
        """
        first = bisect_left(self._ends, max(0, begin - BEFORE_SAMPLES) + 1)
        last = min(bisect_left(self._ends, decided), len(self._ends) - 1)
        if first > last:
            return None
        edges, levels = [np.array([self._start(first)])], []
        for index in range(first, last + 1):
            start, end = self._start(index), self._ends[index]
            found = envelope_dbfs(self._data[index].get("envelope"), end - start)
            if found is None:  # a log from elsewhere: the chunk as a whole
                edges.append(np.array([end]))
                levels.append(np.array([self._levels_dbfs[index]]))
            else:
                steps = start + STEP_SAMPLES * np.arange(1, found.size + 1)
                edges.append(np.minimum(steps, end))
                levels.append(found)
        earliest, latest = begin, decided
        if guess is not None:
            earliest, latest = max(begin, guess - EARLIEST_SAMPLES), min(decided, guess + LATEST_SAMPLES)
        # What came after the decision is no part of the turn.
        all_edges, all_levels = np.concatenate(edges), np.concatenate(levels)
        within = all_edges[1:] <= max(decided, all_edges[1])
        all_levels = all_levels[within]
        return find_speech_end(all_edges[: all_levels.size + 1], all_levels, earliest, latest)

    def _start(self, index: int) -> int:
        return self._ends[index - 1] if index else 0
