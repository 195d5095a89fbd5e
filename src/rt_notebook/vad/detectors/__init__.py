"""Detectors: what gives the speech probability of audio. One protocol, found by name.

Those of rt_notebook are in the table below; any package may add others in the entry-point group
``rt_notebook.detectors``: a callable without arguments that returns a `Detector`.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, Protocol

from rt_notebook.core.audio import SAMPLE_RATE_HZ
from rt_notebook.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from rt_notebook.core.audio import Float32

    Progress = Callable[[int], object]

__all__ = ["DetectStream", "Detector", "Progress", "StreamDetector", "detector_names", "load_detector"]

_GROUP = "rt_notebook.detectors"
_OWN = {
    "silero": ("silero", "SileroDetector"),
    "energy": ("energy", "EnergyDetector"),
    "earshot": ("earshot", "EarshotDetector"),
    "webrtc": ("webrtc", "WebrtcDetector"),
}
_loaded: dict[str, Detector] = {}


class Detector(Protocol):
    """Judges whole recordings.

    Attributes
    ----------
    name
        For people.
    version
        Changes whenever the probabilities do: kept traces are found by it.
    hop_ms
        Length of a frame.
    """

    name: str
    version: str
    hop_ms: float

    def probabilities(self, pcm: bytes, progress: Progress | None = None) -> Float32:
        """Return the speech probability, 0 to 1, of every whole frame of PCM16 mono at 24 kHz.

        A detector that takes its time calls `progress` on the way with how many frames it has judged since.
        """


class DetectStream(Protocol):
    """One session's stream of frames; it keeps what the detector remembers between them."""

    def push(self, frame: bytes) -> float:
        """Return the probability of speech, 0 to 1, for the next 32 ms of PCM16."""

    def fork(self) -> DetectStream:
        """Return another stream that has heard the same up to now."""


class StreamDetector(Protocol):
    """Judges live audio; shared by all sessions of a server."""

    name: str

    def stream(self, rate_hz: int = SAMPLE_RATE_HZ) -> DetectStream:
        """Begin a stream of frames at `rate_hz`, 24000 or 8000."""


def detector_names() -> list[str]:
    """Return the names that `load_detector` knows; what they need may not be installed."""
    return sorted({*_OWN, *(point.name for point in entry_points(group=_GROUP))})


def load_detector(name: str) -> Detector:
    """Return the detector called `name`; it is loaded once.

    Raises
    ------
    ConfigError
        Nothing of that name is known.
    ComponentMissingError
        What it needs is not installed.
    """
    if name not in _loaded:
        _loaded[name] = _make(name)()
    return _loaded[name]


def _make(name: str) -> Any:
    if name in _OWN:
        module, kind = _OWN[name]
        return getattr(import_module(f"{__name__}.{module}"), kind)
    found = entry_points(group=_GROUP, name=name)
    if not found:
        raise ConfigError(f"There is no detector {name!r}.", f"Use one of: {', '.join(detector_names())}.")
    return next(iter(found)).load()
