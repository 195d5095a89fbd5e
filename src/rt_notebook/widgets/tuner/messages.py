"""What the tuner tells the page: small facts in the message, arrays in its buffers. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rt_notebook.core.turn_detection import exit_of
from rt_notebook.widgets.tuner.forms import update_json
from rt_notebook.widgets.tuner.sound import envelope

if TYPE_CHECKING:
    import numpy.typing as npt

    from rt_notebook.core.config import ServerVad
    from rt_notebook.vad.plane.sweep import Sweep
    from rt_notebook.widgets.tuner.tuning import Heard

    Message = tuple[dict[str, Any], list[bytes]]

__all__ = ["labels_message", "plane_message", "sound_message", "turns_message"]


def sound_message(heard: Heard) -> Message:
    """Return what is drawn and never changes while the sound is the same.

    Probabilities go in 255 steps, and the waveform as its bounds; an hour is under a megabyte.
    """
    sound = heard.sound
    bounds, bin_ms = envelope(sound)
    message = {
        "type": "tuner.sound",
        "number": heard.number,
        "name": sound.name,
        "detector": sound.trace.detector,
        "hop_ms": sound.trace.hop_ms,
        "bin_ms": bin_ms,
        "before_name": heard.before_name,
    }
    steps = np.rint(sound.trace.probabilities * 255).astype(np.uint8)
    return message, [steps.tobytes(), bounds.tobytes(), heard.before.astype("<i4").tobytes()]


def labels_message(heard: Heard) -> Message:
    """Return the labels, in ms."""
    rows = np.rint(heard.labels * 1000).astype(np.int64).tolist()
    return {"type": "tuner.labels", "number": heard.number, "rows": rows}, []


def turns_message(
    heard: Heard,
    turns: npt.NDArray[np.int32],
    vad: ServerVad,
    exit_threshold: float | None,
    answer: tuple[str, int],
) -> Message:
    """Return the turns with the settings that they belong to, and whose turn of a slider that answers."""
    message = {
        "type": "tuner.turns",
        "number": heard.number,
        "settings": vad.numbers() | {"exit_threshold": exit_threshold},
        "leave": exit_of(vad.threshold, exit_threshold),
        "json": update_json(vad),
        "asked_by": answer[0],
        "n": answer[1],
    }
    return message, [turns.astype("<i4").tobytes()]


def plane_message(number: int, tried: Sweep, metric: str, score: dict[str, float]) -> Message:
    """Return one metric over the whole plane, and all metrics at the present setting."""
    message = {
        "type": "tuner.plane",
        "number": number,
        "metric": metric,
        "metrics": list(tried.metrics),
        "threshold": tried.threshold.tolist(),
        "silence_duration_ms": tried.silence_duration_ms.tolist(),
        "score": {name: None if np.isnan(value) else value for name, value in score.items()},
    }
    return message, [tried.metric(metric).astype("<f4").tobytes()]
