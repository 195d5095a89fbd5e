"""Time travel: a recorded conversation at other settings. Exact for the user's turns, silent about replies.

The user's audio does not depend on the settings, so their turns can be decided again. What the model would
have said, and what the user would then have said, nobody knows: past the first difference only the turns of
this very audio are told.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from rt_notebook.core.audio import SAMPLE_RATE_HZ, SAMPLES_PER_MS, pcm_ms
from rt_notebook.errors import ConfigError
from rt_notebook.io.audio.sources import to_wire_audio
from rt_notebook.io.bundle.recording import Recording, load
from rt_notebook.log.frames import frame_of
from rt_notebook.log.segments import fold_segments
from rt_notebook.vad.recorded.told import known_from_ms, read_connections, recorded_from, replayed, traces_of
from rt_notebook.vad.traces.trace import Trace

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

    from rt_notebook.core.config import ServerVad
    from rt_notebook.core.events import Event
    from rt_notebook.core.turn_detection import Reset
    from rt_notebook.io.audio.sources import AudioSource
    from rt_notebook.log.event_log import EventLog
    from rt_notebook.vad.recorded.told import RecordedConnection
    from rt_notebook.vad.traces.simulate import SimulatedTurn

__all__ = ["WhatIf", "whatif"]

_OFF_S, _OFF = 1.0, 0.1
"""Audio that is longer or shorter by more than a second and a tenth is another's."""

Change = Literal["same", "moved", "merged", "split", "rearranged", "vanished", "new"]


@dataclass(frozen=True, slots=True)
class HeardTurn:
    """A turn in the user's track: times are ms of audio since the first connection began.

    Attributes
    ----------
    speech_start_ms, speech_end_ms
        The speech, without padding and silence.
    audio_start_ms, audio_end_ms
        What the wire's events say; the end is missing where the turn is still open.
    started_s, decided_s
        Session seconds at which start and end were decided, as far as they are known; of `turns`, when the
        audio was sent that decides.
    interrupts
        It starts while the recorded assistant speaks.
    """

    speech_start_ms: int
    speech_end_ms: int | None
    audio_start_ms: int
    audio_end_ms: int | None
    started_s: float | None
    decided_s: float | None
    interrupts: bool


@dataclass(frozen=True, slots=True)
class ChangedTurn:
    """What became of turns that belong together: which of `recorded` and of `turns`, by their rows."""

    change: str
    recorded: str
    turns: str
    audio_start_ms: int
    audio_end_ms: int | None


@dataclass(frozen=True, slots=True, eq=False)
class WhatIf:
    """The conversation as it was, and as its turns would have been.

    Attributes
    ----------
    recorded, turns
        One row a turn, with the columns of `HeardTurn`.
    changes
        One row for each group of turns that share speech: ``"same"``, ``"moved"`` in time, ``"merged"``,
        ``"split"``, ``"rearranged"``, ``"vanished"`` or ``"new"``.
    known_until_s
        Session seconds of the first difference; from there on the replies, and what the user said to them,
        would have been others. None: there is none.
    """

    recorded: pd.DataFrame
    turns: pd.DataFrame
    changes: pd.DataFrame
    known_until_s: float | None

    def __str__(self) -> str:
        counts = self.changes["change"].value_counts()
        told = ", ".join(f"{counts[name]} {name}" for name in counts.index) or "no turns"
        if self.known_until_s is None:
            return f"Nothing would have been decided otherwise: {told}."
        until = f"the first difference at {self.known_until_s:.1f} s"
        return f"{told}. From {until} on, replies would have been others: which, nobody knows."

    __repr__ = __str__


def whatif(
    recording: Recording | EventLog | str | Path,
    vad: ServerVad | None = None,
    *,
    audio: AudioSource | Trace | None = None,
    exit_threshold: float | None = None,
    reset: Reset = "high",
    detector: str = "silero",
) -> WhatIf:
    """Decide the user's turns of a recorded conversation again, at other settings.

    Commits and clears of the client end turns where they did. Turns from before the recording began, of which
    the audio is not held, are left out, and one that it began within.

    Parameters
    ----------
    recording
        A recording (`rt_notebook.load`), its path, or a log with its user's `audio`.
    vad
        The settings, for the whole conversation; commits that the client made without any turn detection are
        then not made. None: those that were recorded, each from its place on, which shows how well the
        decisions are understood. Where no ``server_vad`` was on, nothing is decided then.
    audio
        All audio that was sent, at 24 kHz, or its trace. A recording brings its own.
    exit_threshold, reset, detector
        As for `simulate` and `trace`.

    Raises
    ------
    ConfigError
        There is no audio, or plainly that of something else; or nothing tells the recorded settings.
    BundleError
        A path is no bundle.
    """
    if isinstance(recording, str | Path):
        recording = load(recording)
    log = recording.log if isinstance(recording, Recording) else recording
    events = list(log)
    known_from = 0
    given = audio is not None
    if audio is None:
        if not isinstance(recording, Recording) or not len(recording.user_audio):
            raise ConfigError("The user's audio is not in the recording.", "Give it as audio=...")
        audio = recording.user_audio.pcm()
        known_from = recorded_from(events)
    connections = read_connections(events)
    if vad is None and not any(asked for each in connections for _, asked in each.settings):
        raise ConfigError(
            "The recording does not tell a server_vad's settings.", "Give the settings: vad=ServerVad(...)."
        )
    sent, spoken = _Sent(events), _spoken(events)
    heard = audio if isinstance(audio, Trace) else to_wire_audio(audio)
    if given:
        sent.check(heard.duration_s if isinstance(heard, Trace) else pcm_ms(heard) / 1000)
    recorded: list[HeardTurn] = []
    turns: list[HeardTurn] = []
    for connection, part in zip(connections, traces_of(connections, heard, detector), strict=True):
        from_ms = known_from_ms(connection, known_from)
        recorded += _recorded(connection, from_ms, spoken)
        again = replayed(connection, part, vad, from_ms=from_ms, exit_threshold=exit_threshold, reset=reset)
        turns += _again(again, connection.first_ms, sent, spoken)
    changes = _changes(recorded, turns)
    first = min((change.audio_start_ms for change in changes if change.change != "same"), default=None)
    known_until_s = None if first is None else sent.session_s(first)
    return WhatIf(
        frame_of(HeardTurn, recorded),
        frame_of(HeardTurn, turns),
        frame_of(ChangedTurn, changes),
        known_until_s,
    )


def _again(
    turns: Sequence[SimulatedTurn],
    first_ms: int,
    sent: _Sent,
    spoken: Sequence[tuple[float, float]],
) -> Iterator[HeardTurn]:
    for turn in turns:
        started_s = sent.session_s(first_ms + turn.started_ms)
        yield HeardTurn(
            first_ms + turn.onset_ms,
            None if turn.speech_end_ms is None else first_ms + turn.speech_end_ms,
            first_ms + turn.audio_start_ms,
            None if turn.audio_end_ms is None else first_ms + turn.audio_end_ms,
            started_s,
            None if turn.decision_ms is None else sent.session_s(first_ms + turn.decision_ms),
            _within(started_s, spoken),
        )


def _recorded(
    connection: RecordedConnection, from_ms: int, spoken: Sequence[tuple[float, float]]
) -> Iterator[HeardTurn]:
    """Yield the turns that the endpoint has told of, as far as their audio is known."""
    first_ms, floor_ms = connection.first_ms, 0
    for turn in connection.turns:
        cut_off, floor_ms = turn.start_ms <= floor_ms, turn.end_ms or turn.start_ms
        if turn.start_ms < from_ms:
            continue
        # A padding that was cut off at the turn before, or at zero, does not tell where the speech began.
        padding_ms = 0 if turn.vad is None or cut_off else turn.vad.prefix_padding_ms
        silence_ms = 0 if turn.vad is None or turn.committed else turn.vad.silence_duration_ms
        speech_ms = first_ms + turn.start_ms + padding_ms
        end_ms = None if turn.end_ms is None else first_ms + turn.end_ms
        yield HeardTurn(
            speech_ms,
            None if end_ms is None else max(speech_ms, end_ms - silence_ms),
            first_ms + turn.start_ms,
            end_ms,
            turn.started_s,
            turn.decided_s,
            _within(turn.started_s, spoken),
        )


class _Sent:
    """When audio was sent. A whole file may go in one piece: before that, nobody could decide over it."""

    def __init__(self, events: Sequence[Event]) -> None:
        pieces = [event for event in events if event.direction == "sent" and event.audio_samples]
        self._times_s = [piece.t_s for piece in pieces]
        self._ends = list(accumulate(piece.audio_samples for piece in pieces))

    def session_s(self, at_ms: float) -> float | None:
        """Return when the audio up to there had been sent; None where none was."""
        index = min(bisect_left(self._ends, at_ms * SAMPLES_PER_MS), len(self._ends) - 1)
        return self._times_s[index] if self._times_s else None

    def check(self, given_s: float) -> None:
        """Refuse audio that lasts plainly longer or shorter."""
        sent_s = self._ends[-1] / SAMPLE_RATE_HZ if self._ends else 0.0
        if abs(given_s - sent_s) > max(_OFF_S, _OFF * sent_s):
            raise ConfigError(
                f"The audio lasts {given_s:.1f} s, and {sent_s:.1f} s were sent in the session.",
                "Give all that was sent in it, at 24 kHz: audio=...",
            )


def _spoken(events: Sequence[Event]) -> list[tuple[float, float]]:
    """When the assistant sounded; without a speaker that reported, when it would have."""
    spans = fold_segments(events).spans
    played = [(span.start_s, span.end_s) for span in spans if span.kind == "played"]
    return played or [(span.start_s, span.end_s) for span in spans if span.kind == "received"]


def _within(t_s: float | None, stretches: Sequence[tuple[float, float]]) -> bool:
    return t_s is not None and any(start <= t_s < end for start, end in stretches)


def _changes(recorded: Sequence[HeardTurn], turns: Sequence[HeardTurn]) -> list[ChangedTurn]:
    """Group the turns of both sides that share speech; both are in order of time."""
    forever = 10**12
    marks = sorted(
        (turn.speech_start_ms, turn.speech_end_ms or forever, side, number)
        for side, those in enumerate((recorded, turns))
        for number, turn in enumerate(those)
    )
    groups: list[tuple[list[int], list[int]]] = []
    end_ms = -1
    for start_ms, stop_ms, side, number in marks:
        if start_ms >= end_ms:
            groups.append(([], []))
        groups[-1][side].append(number)
        end_ms = max(end_ms, stop_ms)
    found = []
    for old, new in groups:
        members = [recorded[i] for i in old] + [turns[i] for i in new]
        ends = [turn.audio_end_ms for turn in members]
        found.append(
            ChangedTurn(
                _kind([recorded[i] for i in old], [turns[i] for i in new]),
                " ".join(map(str, old)),
                " ".join(map(str, new)),
                min(turn.audio_start_ms for turn in members),
                None if None in ends else max(end for end in ends if end is not None),
            )
        )
    return found


def _kind(old: Sequence[HeardTurn], new: Sequence[HeardTurn]) -> Change:
    if not new:
        return "vanished"
    if not old:
        return "new"
    if len(old) == len(new) == 1:
        same = (old[0].audio_start_ms, old[0].audio_end_ms) == (new[0].audio_start_ms, new[0].audio_end_ms)
        return "same" if same else "moved"
    if len(new) == 1:
        return "merged"
    return "split" if len(old) == 1 else "rearranged"
