"""What a log tells of the user's turns: settings and commits by their place in the audio, turns by theirs.

Each session with the endpoint counts its audio from zero, so everything is kept by connection.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from rt_notebook.core.audio import BYTES_PER_SAMPLE, SAMPLES_PER_MS
from rt_notebook.core.config import ServerVad
from rt_notebook.core.turn_detection import TurnDetector
from rt_notebook.errors import ConfigError
from rt_notebook.log.fields import as_dict, as_number
from rt_notebook.vad.traces.simulate import SimulatedTurn
from rt_notebook.vad.traces.trace import Trace, trace

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rt_notebook.core.events import Event
    from rt_notebook.core.turn_detection import Reset

__all__ = [
    "RecordedConnection",
    "RecordedTurn",
    "known_from_ms",
    "read_connections",
    "recorded_from",
    "replayed",
    "traces_of",
]


@dataclass(frozen=True, slots=True)
class RecordedTurn:
    """A turn as the endpoint told it, in ms of its connection's audio.

    Attributes
    ----------
    end_ms, decided_s
        None while it is open, or if the recording ends before it does.
    committed
        The client ended it by a commit; `end_ms` is then where the audio stood.
    vad
        The settings at its beginning; None: they were not told.
    """

    start_ms: int
    end_ms: int | None
    started_s: float
    decided_s: float | None
    committed: bool
    vad: ServerVad | None


@dataclass(slots=True)
class RecordedConnection:
    """One session with the endpoint.

    Attributes
    ----------
    first_sample
        Where its audio begins in the user's track.
    settings
        From which place on (ms) which turn detection was on; None: none, or one that is no ``server_vad``.
    commits
        Places at which the client ended a turn, or cleared its audio.
    """

    first_sample: int
    settings: list[tuple[int, ServerVad | None]] = field(default_factory=list)
    commits: list[int] = field(default_factory=list)
    turns: list[RecordedTurn] = field(default_factory=list)

    @property
    def first_ms(self) -> int:
        """Where its audio begins, in whole ms."""
        return self.first_sample // SAMPLES_PER_MS

    def vad_at(self, at_ms: float) -> ServerVad | None:
        """Return the settings at a place."""
        found = bisect_right(self.settings, at_ms, key=lambda setting: setting[0])
        return self.settings[found - 1][1] if found else None


class _Reader:
    def __init__(self) -> None:
        self.connections = [RecordedConnection(0)]
        self._sent = 0
        self._session_id: object = None
        self._updates: deque[tuple[object, int]] = deque()
        self._commits: deque[tuple[object, int]] = deque()
        self._stopped: set[object] = set()
        self._open: tuple[int, float, ServerVad | None] | None = None

    def read(self, event: Event) -> None:
        connection, at_ms = self.connections[-1], self._at_ms
        if event.direction == "sent":
            self._sent += event.audio_samples
            if event.type == "session.update" and "turn_detection" in _input(event):
                self._updates.append((event.data.get("event_id"), at_ms))
            elif event.type in {"input_audio_buffer.commit", "input_audio_buffer.clear"}:
                self._commits.append((event.data.get("event_id"), at_ms))
            return
        match event.type:
            case "session.created" | "session.updated":
                self._told(event)
            case "error":
                refused = as_dict(event.data.get("error")).get("event_id")
                for waiting in (self._updates, self._commits):
                    for each in [each for each in waiting if each[0] is not None and each[0] == refused]:
                        waiting.remove(each)
            case "input_audio_buffer.speech_started":
                self.close()
                start_ms = int(as_number(event.data.get("audio_start_ms")) or 0)
                self._open = start_ms, event.t_s, connection.vad_at(at_ms)
            case "input_audio_buffer.speech_stopped":
                self._stopped.add(event.item_id)
                self.close(int(as_number(event.data.get("audio_end_ms")) or 0), event.t_s)
            case "input_audio_buffer.committed" if event.item_id not in self._stopped:
                self._cut(event.t_s)
            case "input_audio_buffer.cleared":
                self._cut(event.t_s)

    @property
    def _at_ms(self) -> int:
        return (self._sent - self.connections[-1].first_sample) // SAMPLES_PER_MS

    def _told(self, event: Event) -> None:
        session = as_dict(event.data.get("session"))
        created = event.type == "session.created"
        if created and self._session_id not in {None, session.get("id")}:
            self.close()
            self.connections.append(RecordedConnection(self._sent))
            self._updates.clear()
            self._commits.clear()
        self._session_id = session.get("id", self._session_id)
        at_ms = self._updates.popleft()[1] if self._updates and not created else self._at_ms
        self.connections[-1].settings.append((at_ms, _server_vad(_input(event).get("turn_detection"))))

    def _cut(self, t_s: float) -> None:
        # What the endpoint itself commits after a time-out is no request of the client.
        if self._commits:
            at_ms = self._commits.popleft()[1]
            self.connections[-1].commits.append(at_ms)
            self.close(at_ms, t_s, committed=True)

    def close(self, end_ms: int | None = None, t_s: float | None = None, *, committed: bool = False) -> None:
        """End the turn that is open, if one is; its end is not known where the log does not tell of one."""
        if self._open is not None:
            start_ms, started_s, vad = self._open
            turn = RecordedTurn(start_ms, end_ms, started_s, t_s, committed, vad)
            self.connections[-1].turns.append(turn)
            self._open = None


def read_connections(events: Iterable[Event]) -> list[RecordedConnection]:
    """Read a log; there is at least one connection."""
    reader = _Reader()
    for event in events:
        reader.read(event)
    reader.close()
    return reader.connections


def _input(event: Event) -> dict[str, Any]:
    session = as_dict(event.data.get("session"))
    return as_dict(as_dict(session.get("audio")).get("input"))


def _server_vad(told: object) -> ServerVad | None:
    """Return the settings that were told; None: there are none that can be simulated."""
    found = as_dict(told)
    if found.get("type") != "server_vad":
        return None
    try:
        return ServerVad(**{name: found[name] for name in ServerVad.NUMBERS if name in found})
    except ConfigError:
        return None


def recorded_from(events: Iterable[Event]) -> int:
    """Return where the user's audio begins to be held, in samples: earlier audio is silence in the track."""
    sent = 0
    for event in events:
        if event.type == "local.recording" and event.data.get("state") == "started":
            return sent
        sent += event.audio_samples if event.direction == "sent" else 0
    return 0


def known_from_ms(connection: RecordedConnection, known_from_samples: int) -> int:
    """Return from where on a connection's turns can be decided again: not in the middle of one."""
    from_ms = max(0, -(-(known_from_samples - connection.first_sample) // SAMPLES_PER_MS))
    for turn in connection.turns:
        if turn.start_ms < from_ms:
            # Its beginning was not recorded.
            from_ms = max(from_ms, turn.end_ms or from_ms)
    return from_ms


def traces_of(connections: Sequence[RecordedConnection], audio: bytes | Trace, detector: str) -> list[Trace]:
    """Return one trace a connection: each endpoint's detector began anew with it."""
    firsts = [connection.first_sample for connection in connections]
    found = []
    for first, end in pairwise([*firsts, None]):
        assert first is not None  # noqa: S101 - only the last is
        if isinstance(audio, Trace):
            hop = audio.hop_ms * SAMPLES_PER_MS
            part = audio.probabilities[round(first / hop) : None if end is None else round(end / hop)]
            found.append(Trace(part, audio.hop_ms, audio.source, audio.detector))
        else:
            size = BYTES_PER_SAMPLE
            found.append(trace(audio[first * size : None if end is None else end * size], detector))
    return found


def replayed(
    connection: RecordedConnection,
    heard: Trace,
    vad: ServerVad | None = None,
    *,
    from_ms: int = 0,
    exit_threshold: float | None = None,
    reset: Reset = "high",
) -> list[SimulatedTurn]:
    """Decide the turns of a connection again.

    Parameters
    ----------
    vad
        The settings for the whole of it; commits that were made without any turn detection are then not
        made. None: the recorded ones, each from its place on.
    from_ms
        Before it the audio is not known, and nothing is decided.
    """
    detector = TurnDetector(
        vad or ServerVad(), exit_threshold=exit_threshold, reset=reset, frame_ms=heard.hop_ms
    )
    earlier = [turn.end_ms or 0 for turn in connection.turns if turn.start_ms < from_ms]
    detector.stop(max(earlier, default=0))  # no padding reaches back over a turn that was recorded before
    commits = deque(at for at in connection.commits if vad is None or connection.vad_at(at) is not None)
    turns: list[SimulatedTurn] = []

    def commit(before_ms: float) -> None:
        while commits and commits[0] < before_ms:
            at_ms = commits.popleft()
            if detector.speaking:
                turns[-1] = _ended(turns[-1], at_ms, at_ms - detector.silence_ms)
            detector.stop(at_ms)

    for frame, probability in enumerate(np.asarray(heard.probabilities, np.float64).tolist()):
        end_ms = (frame + 1) * heard.hop_ms
        # What was asked for while a frame was still being recorded acts on it: it is judged when it is whole.
        commit(end_ms)
        asked = vad or connection.vad_at(end_ms - 1e-6)
        if asked is None or frame * heard.hop_ms < from_ms:
            detector.skip()
            continue
        detector.vad = asked
        found = detector.push(probability)
        if found is None:
            continue
        start = SimulatedTurn(
            found.onset_ms, found.decision_ms, None, None, found.audio_start_ms, None, open=True
        )
        if found.kind == "started":
            turns.append(start)
        else:
            turns[-1] = _ended(turns[-1], found.audio_end_ms or 0, found.speech_end_ms)
    commit(float("inf"))
    return turns


def _ended(turn: SimulatedTurn, end_ms: int, speech_end_ms: int | None) -> SimulatedTurn:
    return SimulatedTurn(
        turn.onset_ms, turn.started_ms, speech_end_ms, end_ms, turn.audio_start_ms, end_ms, open=False
    )
