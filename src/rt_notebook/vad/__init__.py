"""The VAD lab: one recording, every setting.

The speech probability of a recording is computed once (`trace`); every setting is then replayed over it
through the state machine that the server runs::

    from rt_notebook import ServerVad, vad

    heard = vad.trace("me.wav")
    vad.simulate(heard, ServerVad(threshold=0.6, silence_duration_ms=300))
    tried = vad.sweep(["me.wav"], labels=["me.csv"])
    print(vad.recommend(tried))
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rt_notebook.vad.detectors import Detector, detector_names, load_detector
    from rt_notebook.vad.labels import as_labels, read_labels
    from rt_notebook.vad.plane.measures import metrics
    from rt_notebook.vad.plane.recommend import Recommendation, recommend
    from rt_notebook.vad.plane.sweep import Sweep, sweep
    from rt_notebook.vad.plane.turn_counts import turn_counts
    from rt_notebook.vad.probing.probe import probe, probe_audio_s, probe_blocking
    from rt_notebook.vad.probing.report import Probe
    from rt_notebook.vad.recorded.calibrate import Calibration, calibrate
    from rt_notebook.vad.recorded.reading import Reading, room_sweep
    from rt_notebook.vad.recorded.whatif import WhatIf, whatif
    from rt_notebook.vad.synthetic.reader import read_aloud
    from rt_notebook.vad.synthetic.rooms import Room, Take, rooms
    from rt_notebook.vad.traces.simulate import simulate
    from rt_notebook.vad.traces.trace import Trace, trace

__all__ = [
    "Calibration",
    "Detector",
    "Probe",
    "Reading",
    "Recommendation",
    "Room",
    "Sweep",
    "Take",
    "Trace",
    "WhatIf",
    "as_labels",
    "calibrate",
    "detector_names",
    "load_detector",
    "metrics",
    "probe",
    "probe_audio_s",
    "probe_blocking",
    "read_aloud",
    "read_labels",
    "recommend",
    "room_sweep",
    "rooms",
    "simulate",
    "sweep",
    "trace",
    "turn_counts",
    "whatif",
]

# No folder has the name of a function: once loaded, it would take the function's place.
_HOMES = {
    "rt_notebook.vad.detectors": ("Detector", "detector_names", "load_detector"),
    "rt_notebook.vad.labels": ("as_labels", "read_labels"),
    "rt_notebook.vad.plane.measures": ("metrics",),
    "rt_notebook.vad.plane.recommend": ("Recommendation", "recommend"),
    "rt_notebook.vad.plane.sweep": ("Sweep", "sweep"),
    "rt_notebook.vad.plane.turn_counts": ("turn_counts",),
    "rt_notebook.vad.probing.probe": ("probe", "probe_audio_s", "probe_blocking"),
    "rt_notebook.vad.probing.report": ("Probe",),
    "rt_notebook.vad.recorded.calibrate": ("Calibration", "calibrate"),
    "rt_notebook.vad.recorded.reading": ("Reading", "room_sweep"),
    "rt_notebook.vad.recorded.whatif": ("WhatIf", "whatif"),
    "rt_notebook.vad.synthetic.reader": ("read_aloud",),
    "rt_notebook.vad.synthetic.rooms": ("Room", "Take", "rooms"),
    "rt_notebook.vad.traces.simulate": ("simulate",),
    "rt_notebook.vad.traces.trace": ("Trace", "trace"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Load a public name when it is first asked for: the server needs the detectors alone."""
    if name not in _HOME_OF:
        raise AttributeError(f"module 'rt_notebook.vad' has no attribute {name!r}")
    value = getattr(import_module(_HOME_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return the public names, loaded or not."""
    return sorted({*globals(), *__all__})
