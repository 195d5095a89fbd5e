"""Settings for one microphone in one room, from half a minute of the room and some sentences read aloud.

Nobody has to label anything: each sentence was read between its appearance and a press of *Next*, so it is
one turn, whatever pauses were made in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from rt_notebook.core.audio import SAMPLE_RATE_HZ
from rt_notebook.errors import ConfigError
from rt_notebook.vad.plane.sweep import sweep
from rt_notebook.vad.traces.trace import Trace, trace

if TYPE_CHECKING:
    import numpy.typing as npt

    from rt_notebook.vad.detectors import Detector
    from rt_notebook.vad.plane.sweep import Sweep

    Seconds = npt.NDArray[np.float64]

__all__ = ["PROMPTS", "QUIET_S", "Reading", "room_sweep", "turns_read"]

PROMPTS: Final = (
    "Good morning, this is a test.",
    "I would like to book … let me think … a table for four.",
    "What is the weather like today?",
    "My number is six, two, four … nine, one, five.",
    "Could you repeat that, please?",
    "The meeting is on Monday … no, wait … on Tuesday.",
    "Yes.",
    "Tell me about the history of the lighthouse … the old one, by the harbour.",
    "Turn the lights off in the kitchen.",
    "How do I get from the station … to the museum?",
    "I am not sure.",
    "Please write a letter to my neighbour … and thank her for the flowers.",
    "Play some quiet music.",
    "I need two apples, a loaf of bread … and, what was it … some butter.",
    "When does the next train leave?",
    "She said that it would be ready … by the end of the week.",
    "No, thank you.",
    "What is the capital of France … and how many people live there?",
    "Set a timer for ten minutes.",
    "If it rains … we could stay at home and read.",
    "Can you speak a little more slowly?",
    "The blue one … on the left … next to the window.",
    "Remind me to call my brother.",
    "That is all for now … goodbye.",
)
"""What is read, in about a minute and a half. At each ``…`` the reader pauses, as if thinking."""

QUIET_S: Final = 30.0
"""How long the room is listened to."""

_PARTS: Final = 6
"""Recordings that a test is divided into, so that some can be held out."""
_SPEECH: Final = 0.5
_HEARD: Final = 0.1
"""A sentence no frame of which is as likely to be speech was not read."""
_BAND_HZ: Final = (300.0, 3400.0)
_ROOM_PERCENTILE: Final = 90
_ABOVE_ROOM_DB: Final = 3.0
_FEWEST_FRAMES: Final = 5
_SOFT_S: Final = 0.3


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What a room test records.

    Parameters
    ----------
    quiet
        The room while nobody speaks: floats in [-1, 1] or int16 at 24 kHz, shape (n,).
    audio
        The reader, in the same form.
    prompts_s
        When each sentence was shown and when its reader had finished, in seconds of `audio`, shape (m, 2).

    Raises
    ------
    ConfigError
        A sentence ends before it begins, begins before the one before it ends, or lies outside of `audio`.
    """

    quiet: npt.NDArray[np.generic]
    audio: npt.NDArray[np.generic]
    prompts_s: Seconds

    def __post_init__(self) -> None:
        times = np.asarray(self.prompts_s, np.float64)
        edges = times.reshape(-1)
        length_s = len(self.audio) / SAMPLE_RATE_HZ
        fits = times.ndim == 2 and times.shape[1] == 2 and bool(np.all(np.diff(edges) >= 0))
        if not fits or (edges.size and not 0 <= edges[0] <= edges[-1] <= length_s):
            raise ConfigError(
                "The times of the sentences do not fit the recording.",
                "Give start and end of each in seconds of `audio`, one after the other.",
            )
        object.__setattr__(self, "prompts_s", times)


def room_sweep(reading: Reading, *, detector: str | Detector = "silero") -> Sweep:
    """Try all settings on a room test; `recommend` then chooses for this microphone in this room.

    The labels are found in the reading: a turn goes from the first to the last frame of its sentence that is
    likely to be speech and louder than the room.

    Raises
    ------
    ConfigError
        No sentence can be heard.
    ComponentMissingError
        The detector is not installed.
    """
    quiet, read = (trace(audio, detector, cache=False) for audio in (reading.quiet, reading.audio))
    found = turns_read(reading, read)
    heard = [number for number, turn in enumerate(found) if turn is not None]
    if not heard:
        raise ConfigError(
            "None of the sentences can be heard.", "Check the microphone's level, and read them again."
        )
    turns = np.array([found[number] for number in heard])
    # Each part has some of the room, and some whole sentences with what follows them.
    starts = reading.prompts_s[heard, 0]
    groups = np.array_split(np.arange(len(heard)), min(_PARTS, len(heard)))
    edges = [*(int(starts[group[0]] / read.hop_s) for group in groups), len(read)]
    edges[0] = 0
    rooms = np.array_split(quiet.probabilities, len(groups))
    traces, labels = [], []
    for group, room, begin, end in zip(groups, rooms, edges, edges[1:], strict=False):
        joined = np.concatenate([room, read.probabilities[begin:end]])
        traces.append(
            Trace(joined, read.hop_ms, f"sentences {heard[group[0]] + 1} to {heard[group[-1]] + 1}")
        )
        labels.append(turns[group] + (len(room) - begin) * read.hop_s)
    return sweep(traces, labels=labels)


def turns_read(reading: Reading, read: Trace) -> list[tuple[float, float] | None]:
    """Return where each sentence begins and ends, in seconds of the reading; None: it was not read."""
    loud = _loud(reading, read)
    return [_turn(read, loud, start_s, end_s) for start_s, end_s in reading.prompts_s]


def _turn(
    read: Trace, loud: npt.NDArray[np.bool_], start_s: float, end_s: float
) -> tuple[float, float] | None:
    """Return where the speech of a sentence begins and ends, in seconds; None if it was not read."""
    begin, end = int(start_s / read.hop_s), int(np.ceil(end_s / read.hop_s))
    likely, loud = read.probabilities[begin:end], loud[begin:end]
    if likely.size == 0 or likely.max() < _HEARD:
        return None
    speech = likely >= min(_SPEECH, float(likely.max()) / 2)
    # Where the room is as loud as the reader, the detector has to do alone.
    if np.count_nonzero(speech & loud) >= _FEWEST_FRAMES:
        speech &= loud
    first, last = np.flatnonzero(speech)[[0, -1]].tolist()
    # Soft beginnings and ends, of which a detector hears too little, are loud all the same.
    reach = round(_SOFT_S / read.hop_s)
    first -= _run(loud[max(0, first - reach) : first][::-1])
    last += _run(loud[last + 1 : last + 1 + reach])
    return (begin + first) * read.hop_s, (begin + last + 1) * read.hop_s


def _run(loud: npt.NDArray[np.bool_]) -> int:
    """Return how many of the first frames are loud."""
    return int(np.argmin([*loud.tolist(), False]))


def _loud(reading: Reading, read: Trace) -> npt.NDArray[np.bool_]:
    """Return which frames of the reading are louder than the room, shape (frames,)."""
    room, levels = (_levels_dbfs(audio, read.hop_ms) for audio in (reading.quiet, reading.audio))
    above = -np.inf
    if room.size:
        above = max(np.median(room) + _ABOVE_ROOM_DB, np.percentile(room, _ROOM_PERCENTILE))
    loud = np.zeros(len(read), np.bool_)
    known = levels[: len(read)] > above
    loud[: known.size] = known
    return loud


def _levels_dbfs(audio: npt.NDArray[np.generic], hop_ms: float) -> npt.NDArray[np.float64]:
    """Return the level of each frame in the band of speech, shape (frames,): mains hum does not count."""
    samples = np.asarray(audio, np.float64) / (32768.0 if audio.dtype == np.int16 else 1.0)
    hop = round(hop_ms * SAMPLE_RATE_HZ / 1000)
    spectrum = np.fft.rfft(samples[: samples.size // hop * hop].reshape(-1, hop), axis=1)
    bins_hz = np.fft.rfftfreq(hop, 1 / SAMPLE_RATE_HZ)
    band = spectrum[:, (bins_hz >= _BAND_HZ[0]) & (bins_hz <= _BAND_HZ[1])]
    power = 2 * np.sum(np.abs(band) ** 2, axis=1) / hop**2
    return np.asarray(10 * np.log10(np.maximum(power, 1e-10)))
