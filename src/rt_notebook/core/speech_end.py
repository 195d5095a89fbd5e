"""Where speech ended, found afterwards in the audio itself: by loudness, not by what a detector said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["SpeechEnd", "find_speech_end"]

ABOVE_NOISE_DB: Final = 10.0
BELOW_SPEECH_DB: Final = 35.0
"""Speech is what is so much louder than the noise, and not so much softer than its own loudest part."""

UNSURE_DB: Final = 3.0
"""The end is as sure as it is the same a little above and below that level."""

TAIL_SAMPLES: Final = 2400
"""100 ms before the turn was ended: too long for a click to change their median."""

SHORTEST_SAMPLES: Final = 240
"""A sound of less than 10 ms is a click, not speech."""


@dataclass(frozen=True, slots=True)
class SpeechEnd:
    """The last sample of speech: its position in the stream, and by how many samples that may be off."""

    position: int
    error_samples: int


def find_speech_end(
    edges: npt.NDArray[np.int64], levels_dbfs: npt.NDArray[np.float64], first: int, last: int
) -> SpeechEnd | None:
    """Find the last step of speech.

    Parameters
    ----------
    edges
        Positions in samples, shape (n + 1,), never decreasing: step i lies between ``edges[i]`` and
        ``edges[i + 1]``. It should begin before the speech, so that the noise is known.
    levels_dbfs
        Level of each step, shape (n,).
    first, last
        Positions between which the end may lie.

    Returns
    -------
    SpeechEnd or None
        The end of the last step that is speech. None where speech and noise cannot be told apart.
    """
    if levels_dbfs.size == 0 or last <= int(edges[0]):
        return None
    # The end of the stretch is what was silent enough to end the turn; a long turn has little else.
    tail_dbfs = levels_dbfs[edges[1:] > edges[-1] - TAIL_SAMPLES]
    noise_dbfs = min(np.percentile(levels_dbfs, 10), np.median(tail_dbfs))
    speech_dbfs = np.percentile(levels_dbfs, 98)
    level_dbfs = max(noise_dbfs + ABOVE_NOISE_DB, speech_dbfs - BELOW_SPEECH_DB)
    if level_dbfs + UNSURE_DB >= speech_dbfs:
        return None
    step = _last_step(edges, levels_dbfs, level_dbfs, first, last)
    if step is None:
        return None
    position = int(edges[step + 1])
    error = position - int(edges[step])
    for other_dbfs in (level_dbfs - UNSURE_DB, level_dbfs + UNSURE_DB):
        other = _last_step(edges, levels_dbfs, other_dbfs, first, last)
        error = max(error, abs(position - (first if other is None else int(edges[other + 1]))))
    return SpeechEnd(position, error)


def _last_step(
    edges: npt.NDArray[np.int64],
    levels_dbfs: npt.NDArray[np.float64],
    above_dbfs: float,
    first: int,
    last: int,
) -> int | None:
    """Return the last step between the positions that is louder, in a sound that is no click."""
    loud = np.flatnonzero(levels_dbfs > above_dbfs)
    for end in loud[::-1]:
        if not first <= edges[end] or not edges[end + 1] <= last:
            continue
        begin = end
        while (
            begin > 0
            and levels_dbfs[begin - 1] > above_dbfs
            and (edges[end + 1] - edges[begin] < SHORTEST_SAMPLES)
        ):
            begin -= 1
        if edges[end + 1] - edges[begin] >= SHORTEST_SAMPLES:
            return int(end)
    return None
