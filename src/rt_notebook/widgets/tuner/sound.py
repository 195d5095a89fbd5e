"""What the tuner listens to: audio with its trace, from wherever it is, and what a server made of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rt_notebook.core.audio import SAMPLE_RATE_HZ, SAMPLES_PER_MS
from rt_notebook.core.config import ServerVad
from rt_notebook.errors import ConfigError
from rt_notebook.io.audio.sources import to_wire_audio
from rt_notebook.io.audio.voice import voice
from rt_notebook.io.bundle.recording import Recording, load
from rt_notebook.vad.labels import as_labels
from rt_notebook.vad.recorded.told import read_connections, traces_of
from rt_notebook.vad.recorded.whatif import whatif
from rt_notebook.vad.synthetic.rooms import Take, rooms
from rt_notebook.vad.traces.trace import Trace, trace
from rt_notebook.widgets.tuner.turns import MISSING

if TYPE_CHECKING:
    import numpy.typing as npt

    from rt_notebook.vad.detectors import Detector

__all__ = ["NO_LABELS", "Sound", "built_in", "envelope", "hear", "labels_from", "part_of"]

NO_LABELS = np.zeros((0, 2))
_BUNDLES = (".rtlog", ".part")
_FINEST = 8
_BINS = 250_000


@dataclass(frozen=True, slots=True, eq=False)
class Sound:
    """A recording that settings are tried on.

    Attributes
    ----------
    name
        Where it is from, in words.
    trace
        Its speech probability.
    pcm
        PCM16 mono at 24 kHz; empty where there is a trace only.
    parts
        Its trace by connection, with the ms at which each began.
    recorded
        The turns that a real server decided, as `find_turns` returns them; None where nobody has told.
    labels
        When somebody speaks, as far as the source itself knows: shape (m, 2), in s.
    """

    name: str
    trace: Trace
    pcm: bytes = b""
    parts: tuple[tuple[int, Trace], ...] = ()
    recorded: npt.NDArray[np.int32] | None = None
    labels: npt.NDArray[np.float64] = field(default_factory=lambda: NO_LABELS)

    def __post_init__(self) -> None:
        if not self.parts:
            object.__setattr__(self, "parts", ((0, self.trace),))


def hear(
    source: Any,
    detector: str | Detector,
    rate_hz: int = SAMPLE_RATE_HZ,
    name: str = "",
    *,
    progress: bool = False,
) -> Sound:
    """Judge a recording.

    Parameters
    ----------
    source
        An ``.rtlog`` (its path, or loaded), a `Take` of a synthetic room, a `Trace`, or audio as for
        `rt_notebook.vad.trace`.
    detector, rate_hz
        As for `rt_notebook.vad.trace`.
    name
        What to call it; empty: by what it is.
    progress
        As for `rt_notebook.vad.trace`.

    Raises
    ------
    AudioFileError, BundleError
        It cannot be read.
    ConfigError
        It is no audio, or holds none.
    ComponentMissingError
        The detector is not installed.
    """
    if isinstance(source, Trace):
        return Sound(name or source.source or "a trace", source)
    if isinstance(source, Take):
        heard = hear(source.audio, detector, name=name or "a synthetic room")
        return Sound(heard.name, heard.trace, heard.pcm, labels=as_labels(source.labels))
    if isinstance(source, str | Path) and Path(source).suffix in _BUNDLES:
        name, source = name or Path(source).name, load(source)
    if isinstance(source, Recording):
        name = name or (source.path.name if source.path else "a recording")
        return _recorded(source, detector, name, progress=progress)
    pcm = to_wire_audio(source, rate_hz)
    named = name or (Path(source).name if isinstance(source, str | Path) else "an array")
    return Sound(named, trace(pcm, detector, progress=progress), pcm)


def _recorded(recording: Recording, detector: str | Detector, name: str, *, progress: bool) -> Sound:
    pcm = recording.user_audio.pcm()
    if not pcm:
        raise ConfigError(f"{name} holds no audio of the user.", "Record with keep_audio=True, and speak.")
    heard = trace(pcm, detector, source=name, progress=progress)
    known = whatif(recording, ServerVad(), audio=heard).recorded
    columns = ["speech_start_ms", "speech_end_ms", "audio_start_ms", "audio_end_ms"]
    turns = np.zeros((len(known), 5), np.int32)
    turns[:, :4] = known[columns].astype("Int64").fillna(MISSING).to_numpy(np.int32)
    connections = read_connections(recording.log)
    # Each endpoint's detector began anew with its connection.
    parts = (
        traces_of(connections, pcm, detector) if isinstance(detector, str) and connections[1:] else [heard]
    )
    firsts = [connection.first_ms for connection in connections]
    return Sound(name, heard, pcm, tuple(zip(firsts, parts, strict=True)), turns)


@cache
def _spoken(text: str) -> npt.NDArray[np.float32]:
    return voice(text)


def built_in(noise: str, snr_db: float, detector: str | Detector, turns: int = 6) -> Sound:
    """Let the built-in voice speak some turns in a noise; where it speaks is known.

    Raises
    ------
    ConfigError
        There is no such noise.
    ComponentMissingError
        The voice or the detector is not installed.
    """
    (room,) = rooms(_spoken, 1, takes=1, turns=turns, noises=(noise,), snr_db=snr_db)
    name = f"the built-in voice in {noise} noise, {snr_db:g} dB below it"
    return hear(room.takes[0], detector, name=name)


def labels_from(labels: Any, sound: Sound) -> npt.NDArray[np.float64]:
    """Return labels however they were given; those of the source where none were."""
    return sound.labels if labels is None else as_labels(labels)


def envelope(sound: Sound) -> tuple[npt.NDArray[np.int8], float]:
    """Return the lowest and the highest sample of each bin, shape (bins, 2), -127 to 127; and its ms.

    A frame has up to eight bins, fewer in a long recording: 0.5 MB at most go to the page.
    """
    frames = len(sound.trace)
    fine = int(np.clip(_BINS // max(frames, 1), 1, _FINEST))
    bin_ms = sound.trace.hop_ms / fine
    samples = np.frombuffer(sound.pcm, "<i2")
    starts = np.rint(np.arange(frames * fine) * bin_ms * SAMPLES_PER_MS).astype(np.int64)
    starts = starts[starts < samples.size]
    if not starts.size:
        return np.zeros((0, 2), np.int8), bin_ms
    bounds = [np.minimum.reduceat(samples, starts), np.maximum.reduceat(samples, starts)]
    return np.stack([bound // 258 for bound in bounds], axis=1).astype(np.int8), bin_ms


def part_of(sound: Sound, start_ms: int, end_ms: int) -> bytes:
    """Return the audio of a stretch."""
    width = 2 * SAMPLES_PER_MS
    return sound.pcm[max(start_ms, 0) * width : max(end_ms, 0) * width]
