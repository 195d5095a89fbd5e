"""The metrics of one setting on one recording, and two diagnostics of the detector itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rt_notebook.core.config import ServerVad
from rt_notebook.errors import ConfigError
from rt_notebook.vad.labels import as_labels, read_labels
from rt_notebook.vad.plane.corpus import trace_of
from rt_notebook.vad.plane.metrics import LABELLED, PADDED_METRICS, UNLABELLED, metrics_of
from rt_notebook.vad.plane.plane import count, plane
from rt_notebook.vad.traces.simulate import simulated_turns

if TYPE_CHECKING:
    import numpy.typing as npt

    from rt_notebook.core.turn_detection import Reset
    from rt_notebook.vad.labels import LabelsLike
    from rt_notebook.vad.plane.corpus import Recording

    Spans = npt.NDArray[np.float64]

__all__ = ["detection_error_rate", "metrics", "roc_auc"]


def metrics(
    recording: Recording,
    vad: ServerVad | None = None,
    *,
    labels: LabelsLike | None = None,
    exit_threshold: float | None = None,
    reset: Reset = "high",
    detector: str = "silero",
    collar_s: float = 0.0,
) -> dict[str, float]:
    """Return how good a setting is on a recording.

    Parameters
    ----------
    recording
        A trace, the path of a recording, or probabilities in frames of 32 ms.
    vad
        The settings; None: the API's defaults.
    labels
        Turns, as `as_labels` takes them. None: only what needs none is told.
    exit_threshold, reset, detector
        As for `simulate` and `trace`.
    collar_s
        For ``der`` alone: so much around each edge of a label is not scored, half of it on either side.

    Returns
    -------
    dict of str to float
        What `sweep` calls by the same names, NaN where there is nothing to divide by; and two diagnostics of
        the detector: ``roc_auc`` of its frames, and ``der``, the detection error rate of the stretches of
        speech in the turns. An RTTM's stretches are taken one by one for these two, and as turns (those
        under 1 s apart) for all others.

    Raises
    ------
    ConfigError
        A setting is out of range, or the labels cannot be read.
    """
    asked = ServerVad() if vad is None else vad
    heard = trace_of(recording, detector)
    only = plane(
        [asked.threshold], [asked.silence_duration_ms], [asked.prefix_padding_ms], exit_threshold, reset
    )
    truth = None if labels is None else as_labels(labels)
    counted = count(heard, only, truth)
    names = UNLABELLED if truth is None else (*UNLABELLED, *LABELLED)
    found = {name: _only(metrics_of(counted, name), padded=name in PADDED_METRICS) for name in names}
    if truth is None:
        return found
    fine = read_labels(labels, pause_s=0.0) if isinstance(labels, str | Path) else truth
    turns = simulated_turns(heard, asked, exit_threshold=exit_threshold, reset=reset)
    ends_s = [heard.duration_s if t.speech_end_ms is None else t.speech_end_ms / 1000 for t in turns]
    spoken = np.array([(t.onset_ms / 1000, end) for t, end in zip(turns, ends_s, strict=True)])
    middles_s = heard.times_s + heard.hop_s / 2
    inside = _inside(middles_s, fine)
    return found | {
        "roc_auc": roc_auc(heard.probabilities, inside),
        "der": detection_error_rate(spoken.reshape(-1, 2), fine, heard.duration_s, collar_s=collar_s),
    }


def _only(values: npt.NDArray[np.float64], *, padded: bool) -> float:
    return float(values[0, 0, 0] if padded else values[0, 0])


def _inside(at_s: Spans, spans: Spans) -> npt.NDArray[np.bool_]:
    # An odd number of edges lies before what is inside; the spans are in order and apart.
    found: npt.NDArray[np.bool_] = np.searchsorted(spans.reshape(-1), at_s, side="right") % 2 == 1
    return found


def roc_auc(scores: npt.ArrayLike, truth: npt.ArrayLike) -> float:
    """Return how likely a true one scores above a false one, ties counted half; NaN if one kind is missing.

    Parameters
    ----------
    scores, truth
        Shape (n,): numbers, and True or False.
    """
    score, true = np.asarray(scores, np.float64), np.asarray(truth, bool)
    _, place, counts = np.unique(score, return_inverse=True, return_counts=True)
    # The middle rank of each value, in halves: whole numbers, so that no sum is rounded.
    twice_rank = 2 * np.cumsum(counts) - counts + 1
    trues = int(true.sum())
    falses = true.size - trues
    if not trues or not falses:
        return float("nan")
    above = int(twice_rank[place[true]].sum()) - trues * (trues + 1)
    return above / (2 * trues * falses)


def detection_error_rate(
    found: npt.ArrayLike, labels: npt.ArrayLike, duration_s: float, *, collar_s: float = 0.0
) -> float:
    """Return missed speech plus what was taken for speech, over speech; NaN where nobody speaks.

    Parameters
    ----------
    found, labels
        Start and end in seconds, shape (m, 2).
    duration_s
        Length of the recording; beyond it nothing is scored.
    collar_s
        So much around each edge of a label is not scored, half of it on either side.

    Raises
    ------
    ConfigError
        A stretch does not end after its start, or the collar is negative.
    """
    if not collar_s >= 0:
        raise ConfigError(f"collar_s={collar_s!r} is negative.", "Give 0 or more.")
    spoken, true = as_labels(found), as_labels(labels)
    true_edges = true.reshape(-1)
    around = np.stack([true_edges - collar_s / 2, true_edges + collar_s / 2], axis=1)
    left_out = as_labels(np.maximum(around, 0)) if collar_s else np.zeros((0, 2))
    every = np.concatenate([spoken.reshape(-1), true_edges, left_out.reshape(-1), [0.0, duration_s]])
    edges = np.unique(np.clip(every, 0, duration_s))
    middles, lengths = (edges[:-1] + edges[1:]) / 2, np.diff(edges)
    scored = lengths * ~_inside(middles, left_out)
    is_true = _inside(middles, true)
    speech_s = float(scored[is_true].sum())
    wrong_s = float(scored[is_true != _inside(middles, spoken)].sum())
    return wrong_s / speech_s if speech_s > 0 else float("nan")
