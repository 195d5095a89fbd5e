"""Fit what nobody tells about a server's detector to sessions that were recorded with it.

A recording holds the audio and what the server decided about it. Every rule that is thinkable decides over
the same audio again; what it reproduces, to the millisecond, is the evidence for it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from rt_notebook.core.audio import BYTES_PER_SAMPLE, SAMPLES_PER_MS
from rt_notebook.core.turn_detection import FRAME_MS, exit_of
from rt_notebook.errors import ConfigError
from rt_notebook.io.audio.sources import to_wire_audio
from rt_notebook.io.bundle.recording import Recording, load
from rt_notebook.log.frames import frame_of
from rt_notebook.vad.probing.read_off import RESETS, silent_frames
from rt_notebook.vad.recorded.told import known_from_ms, read_connections, recorded_from, traces_of
from rt_notebook.vad.traces.trace import Trace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import numpy.typing as npt
    import pandas as pd

    from rt_notebook.core.config import ServerVad
    from rt_notebook.core.turn_detection import Reset
    from rt_notebook.io.audio.sources import AudioSource
    from rt_notebook.log.event_log import EventLog
    from rt_notebook.vad.recorded.told import RecordedConnection

    Bundle = Recording | str | Path | tuple[EventLog, AudioSource | Trace]

__all__ = ["Calibration", "Rule", "calibrate"]

Rounding = Literal["up", "down", "nearest", "up and one more"]

_ROUNDINGS: tuple[Rounding, ...] = ("up", "down", "nearest", "up and one more")
_DROPS = (0.15, 0.0, 0.05, 0.1, 0.2, 0.25, 0.3, 0.35)
_LEVELS = (0.01, 0.05, 0.1, 0.2, 0.3, 0.35, 0.5)


@dataclass(frozen=True, slots=True)
class Rule:
    """How a detector may decide, and how well it explains the recorded turns.

    Attributes
    ----------
    exit_drop, exit_level
        A frame is silent so much below the threshold (at least 0.01), or below this level. One of them is
        given.
    reset
        What breaks a silence off, as for `simulate`.
    rounding
        How a silence in ms becomes whole frames; the last is Silero's own.
    phase_ms
        Where the detector's frames begin, on the clock of the audio.
    turns, exact
        Turns that there are, and those that it reproduces to the millisecond, given the turns before.
    start_offset_ms, end_offset_ms
        By how much the endpoint tells starts and ends later than they were decided, all of them alike.
    off_p90_ms
        What nine of ten turns are off by at the most, in the worse of start and end.
    """

    exit_drop: float | None
    exit_level: float | None
    reset: Reset
    rounding: Rounding
    phase_ms: int
    turns: int
    exact: int
    start_offset_ms: float
    end_offset_ms: float
    off_p90_ms: float

    @property
    def share(self) -> float:
        """Turns that it reproduces, 0 to 1."""
        return self.exact / self.turns

    def exit_threshold(self, threshold: float) -> float:
        """Return below what a frame is silent, as `simulate` and `sweep` take it."""
        if self.exit_level is not None:
            return exit_of(threshold, self.exit_level)
        return exit_of(threshold, max(threshold - (self.exit_drop or 0.0), 0.01))

    @property
    def leaves(self) -> str:
        """The exit threshold in words."""
        if self.exit_level is not None:
            return f"below {self.exit_level:g}"
        return f"{self.exit_drop:g} below the threshold"


@dataclass(frozen=True, slots=True)
class FittedTurn:
    """A recorded turn, and by how much the best rule is off, its offsets taken away."""

    recording: int
    audio_start_ms: int
    audio_end_ms: int
    start_off_ms: float
    end_off_ms: float
    exact: bool


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """Which rules explain the recorded turns.

    Attributes
    ----------
    best
        The rule that reproduces most turns; of several, the one without offsets, or the one nearest to what
        the local server does.
    ties
        All rules that reproduce as many: these recordings do not tell them apart.
    hypotheses
        One row a rule, the best first.
    turns
        One row a turn: how well the best rule reproduces it.
    """

    best: Rule
    ties: tuple[Rule, ...]
    hypotheses: pd.DataFrame
    turns: pd.DataFrame

    def __str__(self) -> str:
        best = self.best
        frames = f"rounded {best.rounding} to frames, which begin at {best.phase_ms} ms"
        late = f"starts are told {best.start_offset_ms:g} ms late and ends {best.end_offset_ms:g} ms"
        lines = [
            f"{best.exact} of {best.turns} turns ({best.share:.0%}) are reproduced to the millisecond.",
            f"A frame is silent {best.leaves}; silences are reset by {best.reset!r} and {frames}; {late}.",
        ]
        if best.share < 1:
            lines.append(f"Nine of ten turns are off by {best.off_p90_ms:g} ms at the most.")
        unknown: list[tuple[str, list[str]]] = [
            ("the exit threshold", [rule.leaves for rule in self.ties]),
            ("the reset", [str(rule.reset) for rule in self.ties]),
            ("the rounding", [str(rule.rounding) for rule in self.ties]),
            ("where frames begin", [f"{rule.phase_ms} ms" for rule in self.ties]),
            ("how late ends are told", [f"{rule.end_offset_ms:g} ms" for rule in self.ties]),
        ]
        values = [(name, list(dict.fromkeys(those))) for name, those in unknown]
        differ = [f"{name} ({', '.join(those)})" for name, those in values if len(those) > 1]
        if differ:
            lines.append(f"{len(self.ties)} rules explain as much; they differ in {'; '.join(differ)}.")
        return "\n".join(lines)

    __repr__ = __str__


def calibrate(bundles: Bundle | Iterable[Bundle], *, detector: str = "silero") -> Calibration:
    """Find the rules of a server's detector in sessions that were recorded with it.

    Exit threshold, reset rule, rounding, where frames begin, and constant offsets: 120 rules are compared.
    The threshold, the padding and the silence are taken as they were acknowledged; `probe` tells whether they
    are applied.

    Parameters
    ----------
    bundles
        Recordings (`rt_notebook.load`), their paths, or pairs of a log and the audio (or trace) that was
        sent in it. Turns of clear speech with sharp ends tell rules apart least; soft ends and pauses do.
    detector
        Of ours, which stands for the server's.

    Raises
    ------
    ConfigError
        No recording holds audio and an ended turn under a ``server_vad``.
    BundleError
        A path is no bundle.
    """
    given = [bundles] if isinstance(bundles, Recording | str | Path | tuple) else list(bundles)
    sessions = [session for bundle in given if (session := _session(bundle)).turn_count]
    if not sessions:
        raise ConfigError(
            "The recordings hold no turn that a server_vad ended, with its audio.",
            "Record a conversation: session.record(..., keep_audio=True).",
        )
    leaves: list[tuple[float | None, float | None]] = [(drop, None) for drop in _DROPS]
    leaves += [(None, level) for level in _LEVELS]
    found: list[tuple[Rule, list[FittedTurn]]] = []
    for phase_ms in _phases(sessions):
        parts = [
            part for number, each in enumerate(sessions) for part in each.parts(number, phase_ms, detector)
        ]
        found += [
            _tried(parts, drop, level, reset, rounding)
            for (drop, level), reset, rounding in product(leaves, RESETS, _ROUNDINGS)
        ]
    # Sorting is stable, and the local server's rule comes first of those that are alike.
    found.sort(key=lambda each: (-each[0].exact, _odd_ms(each[0])))
    rules = [rule for rule, _ in found]
    ties = tuple(rule for rule in rules if rule.exact == rules[0].exact)
    return Calibration(rules[0], ties, frame_of(Rule, rules), frame_of(FittedTurn, found[0][1]))


def _odd_ms(rule: Rule) -> float:
    return abs(rule.start_offset_ms) + abs(rule.end_offset_ms) + rule.phase_ms


@dataclass(frozen=True, slots=True)
class _Turn:
    start_ms: int
    end_ms: int
    floor_ms: int
    vad: ServerVad


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """A connection: what was heard, and the turns of which both ends are known."""

    recording: int
    phase_ms: int
    heard: npt.NDArray[np.float64]
    hop_ms: float
    turns: tuple[_Turn, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Session:
    """A recording: its connections, the usable turns of each, and the audio."""

    connections: list[RecordedConnection]
    turns: list[tuple[_Turn, ...]]
    audio: bytes | Trace

    @property
    def turn_count(self) -> int:
        return sum(map(len, self.turns)) if isinstance(self.audio, Trace) or self.audio else 0

    def parts(self, number: int, phase_ms: int, detector: str) -> Iterator[_Part]:
        heard = self.audio
        if phase_ms and isinstance(heard, bytes):
            heard = heard[phase_ms * SAMPLES_PER_MS * BYTES_PER_SAMPLE :]
        for turns, trace in zip(self.turns, traces_of(self.connections, heard, detector), strict=True):
            if turns:
                values = np.asarray(trace.probabilities, np.float64)
                yield _Part(number, phase_ms, values, trace.hop_ms, turns)


def _session(bundle: Bundle) -> _Session:
    known_from = 0
    if isinstance(bundle, tuple):
        log, audio = bundle
    else:
        recording = bundle if isinstance(bundle, Recording) else load(bundle)
        log, audio = recording.log, recording.user_audio.pcm()
        known_from = recorded_from(log)
    connections = read_connections(log)
    turns = [tuple(_turns(each, known_from_ms(each, known_from))) for each in connections]
    return _Session(connections, turns, audio if isinstance(audio, Trace) else to_wire_audio(audio))


def _phases(sessions: Sequence[_Session]) -> list[int]:
    """Return where frames may begin: at zero, or so that most ends lie at the end of a frame."""
    if any(isinstance(session.audio, Trace) for session in sessions):
        return [0]
    ends_ms = [turn.end_ms for session in sessions for turns in session.turns for turn in turns]
    values, counts = np.unique(np.array(ends_ms) % FRAME_MS, return_counts=True)
    return sorted({0, int(values[np.argmax(counts)])})


def _turns(connection: RecordedConnection, from_ms: int) -> Iterator[_Turn]:
    floor_ms = 0
    for turn in connection.turns:
        known = turn.end_ms is not None and not turn.committed and turn.start_ms >= from_ms
        if known and turn.vad is not None and turn.end_ms is not None:
            yield _Turn(turn.start_ms, turn.end_ms, floor_ms, turn.vad)
        floor_ms = turn.end_ms or turn.start_ms


def _tried(
    parts: Sequence[_Part], drop: float | None, level: float | None, reset: Reset, rounding: Rounding
) -> tuple[Rule, list[FittedTurn]]:
    rule = Rule(drop, level, reset, rounding, parts[0].phase_ms, 1, 0, 0.0, 0.0, 0.0)
    numbers, turns, start_off, end_off, cut_off = [], [], [], [], []
    for part in parts:
        silent: dict[float, npt.NDArray[np.int64]] = {}
        for turn in part.turns:
            threshold = turn.vad.threshold
            if threshold not in silent:
                leave = rule.exit_threshold(threshold)
                silent[threshold] = silent_frames(part.heard, threshold, leave, reset)
            start_ms, end_ms = _decided(part, turn, silent[threshold], _frames(turn, part.hop_ms, rounding))
            numbers.append(part.recording)
            turns.append(turn)
            start_off.append(turn.start_ms - part.phase_ms * (start_ms > 0) - start_ms)
            end_off.append(turn.end_ms - part.phase_ms - end_ms)
            cut_off.append(turn.start_ms <= turn.floor_ms)
    starts, ends = np.array(start_off, np.float64), np.array(end_off, np.float64)
    # Where a start was cut off at the turn before, no offset shows.
    free = ~np.array(cut_off)
    late_start, late_end = _mode(starts[free]), _mode(ends)
    starts = np.where(free, starts - late_start, starts)
    ends = ends - late_end
    exact = (starts == 0) & (ends == 0)
    off = np.maximum(np.abs(starts), np.abs(ends))
    fitted = [
        FittedTurn(number, turn.start_ms, turn.end_ms, float(start), float(end), exact=bool(right))
        for number, turn, start, end, right in zip(numbers, turns, starts, ends, exact, strict=True)
    ]
    p90 = float(np.quantile(off, 0.9, method="higher"))
    return Rule(
        drop,
        level,
        reset,
        rounding,
        rule.phase_ms,
        len(turns),
        int(exact.sum()),
        late_start,
        late_end,
        p90,
    ), fitted


def _decided(part: _Part, turn: _Turn, silent: npt.NDArray[np.int64], frames: int) -> tuple[float, float]:
    """Return start and end as this rule tells them, after the turn before has ended where it was told."""
    first = max(0, round((turn.floor_ms - part.phase_ms) / part.hop_ms))
    high = np.flatnonzero(part.heard[first:] >= turn.vad.threshold)
    if not high.size:
        return math.inf, math.inf
    onset = first + int(high[0])
    ended = np.flatnonzero(silent[onset:] >= frames)
    end_ms = (onset + int(ended[0]) + 1) * part.hop_ms if ended.size else math.inf
    start_ms = max(float(turn.floor_ms), round(onset * part.hop_ms) - turn.vad.prefix_padding_ms)
    return start_ms, float(round(end_ms)) if math.isfinite(end_ms) else end_ms


def _frames(turn: _Turn, hop_ms: float, rounding: Rounding) -> int:
    frames = turn.vad.silence_duration_ms / hop_ms
    match rounding:
        case "up":
            found = math.ceil(frames)
        case "down":
            found = math.floor(frames)
        case "nearest":
            found = math.floor(frames + 0.5)
        case _:
            found = math.ceil(frames) + 1
    return max(1, found)


def _mode(values: npt.NDArray[np.float64]) -> float:
    finite = values[np.isfinite(values)]
    if not finite.size:
        return 0.0
    found, counts = np.unique(finite, return_counts=True)
    most = found[counts == counts.max()]
    return float(most[np.argmin(np.abs(most))])
