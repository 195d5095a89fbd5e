"""The turns of a whole recording at one setting, fast enough for a slider that is being dragged. Pure.

They are those of `rt_notebook.vad.simulate`, to which property tests hold them; by the gaps of the trace they
take a few milliseconds for an hour, where the state machine, frame by frame, takes a tenth of a second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rt_notebook.core.turn_detection import exit_of, frames_of
from rt_notebook.vad.plane.gaps import find_gaps
from rt_notebook.vad.plane.score import COLLAR_MS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    import pandas as pd

    from rt_notebook.core.config import ServerVad
    from rt_notebook.vad.traces.trace import Trace

    Rows = npt.NDArray[np.int32]

__all__ = ["CUT", "FALSE", "MISSING", "find_turns", "judged", "turns_frame"]

MISSING = -1
"""Stands for the times of an end that never came."""

CUT, FALSE = 1, 2
"""Bits of the last column: ended while its speaker went on, nobody spoke."""


def find_turns(
    parts: Sequence[tuple[int, Trace]], vad: ServerVad, exit_threshold: float | None = None
) -> Rows:
    """Return the turns, shape (n, 5): onset, end of speech, start and end of the audio, all in ms; and bits.

    Parameters
    ----------
    parts
        Traces and where each begins, in ms: every session with an endpoint counts from zero.
    vad, exit_threshold
        As for `rt_notebook.vad.simulate`.
    """
    return np.concatenate(
        [np.zeros((0, 5), np.int32), *(_turns(*part, vad, exit_threshold) for part in parts)]
    )


def _turns(first_ms: int, trace: Trace, vad: ServerVad, exit_threshold: float | None) -> Rows:
    enter, frames = vad.threshold, len(trace)
    if not frames:
        return np.zeros((0, 5), np.int32)
    gaps = find_gaps(trace.probabilities, np.array([enter]), np.array([exit_of(enter, exit_threshold)]))
    at, silent_from, end = gaps.ends(frames_of(vad.silence_duration_ms, trace.hop_ms))
    times = np.rint(np.stack([gaps.onsets(at), silent_from, end]) * trace.hop_ms).astype(np.int64)
    onset_ms, speech_end_ms, end_ms = times
    floor_ms = np.concatenate([[0], end_ms[:-1]]) if at.size else end_ms
    # The last gap stands for a turn that goes on: it has not been ended by enough silence.
    endless = (silent_from == frames) & (end == frames)
    rows = np.zeros((at.size, 5), np.int32)
    rows[:, 0] = first_ms + onset_ms
    rows[:, 1] = np.where(endless, MISSING, first_ms + speech_end_ms)
    rows[:, 2] = first_ms + np.maximum(floor_ms, onset_ms - vad.prefix_padding_ms)
    rows[:, 3] = np.where(endless, MISSING, first_ms + end_ms)
    return rows


def judged(turns: Rows, labels: npt.NDArray[np.float64]) -> Rows:
    """Return the turns with what labels (start and end in s, shape (m, 2), in order) say about each."""
    if not len(labels) or not len(turns):
        return turns
    begins_ms, ends_ms = np.rint(labels.T * 1000)
    speech_end_ms = np.where(turns[:, 1] == MISSING, np.iinfo(np.int32).max, turns[:, 1])
    # The last label that begins before the speech ends.
    at = np.searchsorted(begins_ms, speech_end_ms) - 1
    label_end_ms = np.where(at >= 0, ends_ms[np.maximum(at, 0)], -1)
    heard = label_end_ms > turns[:, 0]
    closed = turns[:, 3] != MISSING
    found = turns.copy()
    found[:, 4] |= np.where(heard & closed & (turns[:, 3] < label_end_ms - COLLAR_MS), CUT, 0)
    found[:, 4] |= np.where(heard, 0, FALSE)
    return found


def turns_frame(turns: Rows, parts: Sequence[tuple[int, Trace]]) -> pd.DataFrame:
    """Return the turns as `rt_notebook.vad.simulate` does: the same columns, values and dtypes."""
    import pandas as pd

    onset_ms, speech_end_ms, start_ms, end_ms, _ = turns.T.astype(np.int64)
    missing = end_ms == MISSING

    def ends(values: npt.NDArray[np.int64]) -> pd.arrays.IntegerArray:
        return pd.arrays.IntegerArray(np.where(missing, 1, values), missing.copy())

    # The frame after the onset; each part has a grid of its own, rounded to whole ms.
    firsts_ms = np.array([first_ms for first_ms, _ in parts], np.int64)
    first_ms, hop_ms = firsts_ms[np.searchsorted(firsts_ms, onset_ms, "right") - 1], parts[0][1].hop_ms
    frame = np.rint((onset_ms - first_ms) / hop_ms)
    started_ms = first_ms + np.rint((frame + 1) * hop_ms).astype(np.int64)
    return pd.DataFrame(
        {
            "onset_ms": onset_ms,
            "started_ms": started_ms,
            "speech_end_ms": ends(speech_end_ms),
            "decision_ms": ends(end_ms),
            "audio_start_ms": start_ms,
            "audio_end_ms": ends(end_ms),
            "open": missing,
        }
    )
