"""What the events of the last turns show about turn detection, whatever the endpoint says of it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

from rt_notebook.core.audio import SAMPLES_PER_MS, SILENCE_DBFS
from rt_notebook.log.fields import as_dict, as_number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rt_notebook.core.events import Event

__all__ = ["Observed", "observe"]

TURNS = 5
"""So many of the last turns count."""

VOICE_DBFS = -50.0
"""What is quieter is no voice, however silent the room."""

BELOW_PEAK_DB = 30.0
ABOVE_FLOOR_DB = 10.0

DEAF_S = 5.0
"""So much sound without a turn says that nothing listens; coughs and doors are shorter."""

PATIENCE_S = 5.0
"""An answer that has not been begun by then was not given unasked."""


@dataclass(slots=True)
class Observed:
    """What was seen; None is "nothing".

    Attributes
    ----------
    silence_ms, padding_ms
        Medians: from the end of the voice to the end of the turn, from its beginning to that of the voice.
    answered, interrupted
        Whether the last turn that ended was answered unasked, and whether the last answer that was spoken
        into was cancelled by the endpoint.
    found
        Turns that were found.
    deaf_s
        Sound in which none was found; 0 when there was too little to tell.
    """

    silence_ms: float | None = None
    padding_ms: float | None = None
    answered: bool | None = None
    interrupted: bool | None = None
    found: int = 0
    deaf_s: float = 0.0


@dataclass(slots=True)
class _Microphone:
    """Levels of what was sent, by its place in the stream."""

    starts_ms: list[float] = field(default_factory=list)
    ends_ms: list[float] = field(default_factory=list)
    levels_dbfs: list[float] = field(default_factory=list)

    def add(self, event: Event) -> None:
        start_ms = self.ends_ms[-1] if self.ends_ms else 0.0
        self.starts_ms.append(start_ms)
        self.ends_ms.append(start_ms + event.audio_samples / SAMPLES_PER_MS)
        self.levels_dbfs.append(SILENCE_DBFS if event.level_dbfs is None else event.level_dbfs)

    def voice_ms(self, start_ms: float, end_ms: float) -> tuple[float, float] | None:
        """Return where the voice in a turn begins and ends; None if none is to be seen."""
        first = bisect_right(self.ends_ms, start_ms)
        last = bisect_left(self.starts_ms, end_ms)
        levels = self.levels_dbfs[first:last]
        if not levels:
            return None
        threshold = self._threshold(first, last)
        loud = [index for index in range(first, last) if self.levels_dbfs[index] >= threshold]
        if not loud:
            return None
        onset = loud[0]
        if onset == first:  # without padding, a turn begins inside of the voice
            while onset > 0 and self.levels_dbfs[onset - 1] >= threshold:
                onset -= 1
        return self.starts_ms[onset], self.ends_ms[loud[-1]]

    def _threshold(self, first: int, last: int) -> float:
        levels = self.levels_dbfs[first:last]
        return max(VOICE_DBFS, max(levels) - BELOW_PEAK_DB, min(levels) + ABOVE_FLOOR_DB)

    def loud_s(self) -> float:
        """How long something is to be heard in all of it."""
        spans = zip(self.starts_ms, self.ends_ms, self.levels_dbfs, strict=True)
        return sum(end - start for start, end, level in spans if level >= VOICE_DBFS + ABOVE_FLOOR_DB) / 1000


def observe(events: Sequence[Event], since: int = 0) -> Observed:
    """Look at the events of one connection, from its beginning: the endpoint counts audio from there.

    Parameters
    ----------
    since
        Place of the first event that counts as evidence: where the settings came into force.
    """
    microphone = _Microphone()
    seen = Observed()
    turns: dict[str, list[float | None]] = {}
    running: dict[str, bool] = {}  # responses, and whether the user began to speak into them
    ended_s: float | None = None
    before_s = 0.0
    for index, event in enumerate(events):
        if event.type == "input_audio_buffer.append":
            microphone.add(event)
        if index < since:
            before_s = microphone.loud_s() if index == since - 1 else before_s
            continue
        match event.type:
            case "input_audio_buffer.speech_started":
                seen.found += 1
                ended_s = None
                running = dict.fromkeys(running, True)
                if event.item_id is not None:
                    turns[event.item_id] = [as_number(event.data.get("audio_start_ms")), None]
            case "input_audio_buffer.speech_stopped":
                ended_s = event.t_s
                if event.item_id in turns:
                    turns[event.item_id][1] = as_number(event.data.get("audio_end_ms"))
            case "response.create":
                ended_s = None
            case "response.cancel":
                running = dict.fromkeys(running, False)
            case "response.created" if event.response_id is not None:
                running[event.response_id] = False
                if ended_s is not None:
                    seen.answered, ended_s = True, None
            case "response.done" if running.pop(event.response_id or "", False):
                status = as_dict(event.data.get("response")).get("status")
                seen.interrupted = status == "cancelled"
        if ended_s is not None and event.t_s - ended_s > PATIENCE_S:
            seen.answered, ended_s = False, None
    _measure(seen, microphone, list(turns.values())[-TURNS:])
    loud_s = microphone.loud_s() - before_s
    if not seen.found and loud_s >= DEAF_S:
        seen.deaf_s = loud_s
    return seen


def _measure(seen: Observed, microphone: _Microphone, turns: Sequence[Sequence[float | None]]) -> None:
    silences_ms, paddings_ms = [], []
    for start_ms, end_ms in turns:
        if start_ms is None or end_ms is None:
            continue
        voice = microphone.voice_ms(start_ms, end_ms)
        if voice is None:
            continue
        silences_ms.append(end_ms - voice[1])
        if start_ms > 0:  # the beginning of the stream cuts padding off
            paddings_ms.append(voice[0] - start_ms)
    seen.silence_ms = median(silences_ms) if silences_ms else None
    seen.padding_ms = median(paddings_ms) if paddings_ms else None
