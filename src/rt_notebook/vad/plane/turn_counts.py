"""How many turns each setting makes of a recording: the quickest look at where a setting matters at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rt_notebook.core.turn_detection import frames_of
from rt_notebook.vad.plane.gaps import find_gaps
from rt_notebook.vad.plane.plane import plane
from rt_notebook.vad.plane.sweep import SILENCES_MS, THRESHOLDS
from rt_notebook.vad.traces.trace import as_trace

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    from rt_notebook.core.turn_detection import Reset
    from rt_notebook.vad.traces.trace import Trace

__all__ = ["turn_counts"]


def turn_counts(
    trace: Trace | npt.ArrayLike,
    threshold: npt.ArrayLike = THRESHOLDS,
    silence_duration_ms: npt.ArrayLike = SILENCES_MS,
    *,
    exit_threshold: float | None = None,
    reset: Reset = "high",
) -> pd.DataFrame:
    """Return how many turns every setting makes of a recording, the one that is open at its end included.

    One number a gap answers for all silence durations at once: some milliseconds for an hour and thousands of
    settings. Where the number stays the same, so do the turns; what they are worth is for `sweep` to say.

    Parameters
    ----------
    trace
        A trace, or probabilities in frames of 32 ms.
    threshold, silence_duration_ms
        The values to try.
    exit_threshold, reset
        As for `simulate`.

    Returns
    -------
    pandas.DataFrame
        A row a threshold, a column a silence duration.

    Raises
    ------
    ConfigError
        A setting is out of range.
    """
    import pandas as pd

    heard = as_trace(trace)
    settings = plane(threshold, silence_duration_ms, [0], exit_threshold, reset)
    silent = np.array([frames_of(ms, heard.hop_ms) for ms in settings.silence_duration_ms])
    turns = find_gaps(heard.probabilities, *settings.thresholds, settings.reset).turns(int(silent.max()))
    return pd.DataFrame(
        turns[:, silent],
        pd.Index(settings.threshold, name="threshold"),
        pd.Index(settings.silence_duration_ms, name="silence_duration_ms"),
    )
