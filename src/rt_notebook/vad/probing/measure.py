"""What a probe plays, and what it makes of the answers: one request of settings at a time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rt_notebook.core.audio import SAMPLES_PER_MS
from rt_notebook.core.turn_detection import FRAME_MS
from rt_notebook.vad.probing.line import CapReached
from rt_notebook.vad.probing.read_off import Onsets, Range, read_onsets, read_silences
from rt_notebook.vad.probing.stimuli import rung_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rt_notebook.core.audio import Float32
    from rt_notebook.core.config import ServerVad
    from rt_notebook.vad.probing.line import Line
    from rt_notebook.vad.probing.read_off import Told

__all__ = ["Measured", "Switches", "audio_ms", "measure", "measure_idle", "measure_switches"]

TAIL_MS = 256
GAP_MS = 320
HALF_MS = 320
FINE = 0.06
NEAR = 0.02
STEP = 0.01
PHASE_MS = 11
EDGE_MS = 7 * FRAME_MS
"""A detector may hear a voice's end so much later than it was; a pause has to differ by more."""

_STEPS = 8
_RUNGS = {True: 8, False: 5}
_ANSWER_S = 15.0
_CANCEL_S = 10.0


@dataclass(frozen=True, slots=True)
class Measured:
    """What the endpoint did after one request.

    Attributes
    ----------
    settings
        By name, between what each lies; what could not be seen is missing.
    agreement
        The share of its turns' beginnings that our own detector explains to the millisecond; NaN where
        nothing was settled.
    deaf
        It heard nothing of what is clearly speech.
    lost
        It told of a turn, and not where the sound was.
    """

    requested: ServerVad
    acknowledged: dict[str, Any]
    settings: dict[str, Range]
    agreement: float
    deaf: bool = False
    lost: bool = False


@dataclass(slots=True)
class Switches:
    """What was seen of what is on or off; None: nothing."""

    answers_when_off: bool | None = None
    answers_when_on: bool | None = None
    interrupts: bool | None = None


def audio_ms(vad: ServerVad) -> int:
    """Return how much audio one measurement sends, at the usual number of steps."""
    say_ms = _lead_ms(vad) + 480 + vad.silence_duration_ms + TAIL_MS
    return 2 * say_ms + 4 * (say_ms + GAP_MS + 480) + 2 * (say_ms + HALF_MS + vad.silence_duration_ms)


def _lead_ms(vad: ServerVad) -> int:
    # With less of it the padding would reach back into the turn before, and could not be seen.
    return max(vad.prefix_padding_ms + 3 * FRAME_MS, GAP_MS)


class _Phase:
    """What is played under one request; `turns` and `end` (a frame) are those up to the last that settled."""

    def __init__(self, line: Line, vad: ServerVad, sound: Float32, begin: int) -> None:
        self.line = line
        self.vad = vad
        self.sound = sound
        self.begin = begin
        self.end = begin
        self.turns: list[Told] = []
        self._first_turn = len(line.turns)
        self.pauses: list[tuple[int, bool]] = []

    async def say(self, *parts: Float32 | int, lead_ms: int) -> bool:
        """Play sounds and pauses (ms), and silence until the last turn is over; return whether it is."""
        await self.line.silence(lead_ms)
        for part in parts:
            await (self.line.silence(part) if isinstance(part, int) else self.line.send(part))
        told = await self.line.settle(self.line.sent_ms, self.vad.silence_duration_ms + TAIL_MS)
        await self.line.hush()
        self.turns = self.line.turns[self._first_turn :]
        self.end = self.line.heard.size
        return told

    @property
    def ended(self) -> list[Told]:
        return [turn for turn in self.turns if turn.end_ms is not None]

    def onsets(self) -> Onsets:
        return read_onsets(self.line.heard, FRAME_MS, self.ended, self.begin, self.end)


async def measure(line: Line, vad: ServerVad, sound: Float32, *, thorough: bool) -> Measured:
    """Play sounds, levels and pauses; return between what the settings lie that explain the answers.

    Parameters
    ----------
    vad
        What was asked for: the first guess.
    thorough
        Also check the silence by pauses; else only as much as tells two requests apart.
    """
    phase = _Phase(line, vad, sound, await line.to_frame())
    lead_ms = _lead_ms(vad)
    heard = False
    try:
        for late_ms in (0, PHASE_MS)[: 1 + thorough]:
            heard = await phase.say(sound, lead_ms=lead_ms + late_ms)
            if not heard:
                break
        else:
            await _climb(phase, lead_ms, _RUNGS[thorough])
            if thorough:
                await _pause(phase, lead_ms)
    except CapReached:
        # A turn that did not end by then might have, with more silence.
        return _measured(phase, deaf=False, lost=False)
    return _measured(phase, deaf=not heard and not phase.turns, lost=not heard and bool(phase.turns))


async def _climb(phase: _Phase, lead_ms: int, most: int) -> None:
    """Play the sound at levels near the threshold, until it is known between which of them it lies."""
    wanted = phase.vad.threshold
    aims = [wanted - NEAR, wanted + NEAR]
    for _ in range(most):
        found = phase.onsets().threshold
        if found.high - found.low <= FINE:
            return
        aim = next((aim for aim in aims if found.low < aim < found.high), (found.low + found.high) / 2)
        aims = [each for each in aims if each != aim]
        stream, rest = phase.line.ear
        rung = rung_for(stream, rest, lead_ms, phase.sound, aim, found.low + STEP, found.high - STEP)
        if rung is None:
            return
        await phase.say(rung, GAP_MS, phase.sound, lead_ms=lead_ms)


async def _pause(phase: _Phase, lead_ms: int) -> None:
    """Play pauses a little shorter and a little longer than the silence that turns seem to end after.

    What an endpoint decides is proof, what it tells may be wrong: where the two disagree, pauses are halved.
    """
    told = read_silences(phase.line.heard, FRAME_MS, phase.ended, phase.onsets())
    about_ms = int(told.frames.estimate * FRAME_MS)
    if told.frames.estimate < 1:
        return
    shorter = await _splits(phase, about_ms - EDGE_MS, lead_ms) if about_ms > EDGE_MS else False
    longer = await _splits(phase, about_ms + EDGE_MS, lead_ms)
    if longer and not shorter:
        return
    low_ms, high_ms = (about_ms, about_ms * 4 + 500) if not longer else (0, about_ms)
    for _ in range(_STEPS):
        if high_ms - low_ms <= 2 * FRAME_MS:
            return
        middle_ms = (low_ms + high_ms) // 2
        if await _splits(phase, middle_ms, lead_ms):
            high_ms = middle_ms
        else:
            low_ms = middle_ms


async def _splits(phase: _Phase, pause_ms: int, lead_ms: int) -> bool:
    """Play two sounds with a pause between them; return whether they became two turns."""
    before = len(phase.turns)
    half = phase.sound[: HALF_MS * SAMPLES_PER_MS]
    await phase.say(half, pause_ms, half, lead_ms=lead_ms)
    splits = len(phase.turns) - before >= 2
    phase.pauses.append((pause_ms, splits))
    return splits


def _measured(phase: _Phase, *, deaf: bool, lost: bool) -> Measured:
    if phase.end == phase.begin:
        return Measured(phase.vad, phase.line.acknowledged, {}, math.nan)
    onsets = phase.onsets()
    settings = {"threshold": onsets.threshold}
    if phase.ended:
        settings["prefix_padding_ms"] = onsets.padding_ms
        silences = read_silences(phase.line.heard, FRAME_MS, phase.ended, onsets)
        settings["silence_duration_ms"] = _silence_ms(silences.frames, phase.pauses)
    return Measured(phase.vad, phase.line.acknowledged, settings, onsets.agreement, deaf, lost)


def _silence_ms(frames: Range, pauses: Sequence[tuple[int, bool]]) -> Range:
    """Return the silence in ms: rounded up to frames, as far as anybody knows, so it lies in the last one.

    Whether the endpoint rounds up, down or to the nearest is not known: the bounds allow for all of it.
    """
    hop = FRAME_MS
    found = Range(
        max(frames.estimate * hop - hop / 2, 0.0),
        (frames.low - 1) * hop + (frames.low > 1),
        (frames.high + 1) * hop - 1,
    )
    merged_ms = max((ms for ms, splits in pauses if not splits), default=0) - EDGE_MS
    split_ms = min((ms for ms, splits in pauses if splits), default=10_000) + hop
    if merged_ms <= found.high and split_ms >= found.low:
        return found
    return Range((merged_ms + split_ms) / 2, float(min(merged_ms, split_ms)), float(max(merged_ms, split_ms)))


async def measure_switches(line: Line, vad: ServerVad, sound: Float32, switches: Switches) -> None:
    """Let two answers be made: see whether turns are answered, and whether the next turn cancels one."""
    before = set(line.responses)
    await line.update(vad.replace(create_response=True, idle_timeout_ms=None))
    for pause_ms in (vad.silence_duration_ms + TAIL_MS, _lead_ms(vad) + vad.silence_duration_ms + TAIL_MS):
        await line.silence(_lead_ms(vad))
        await line.send(sound)
        # In one go: the answer must not be complete before the user goes on.
        await line.silence(pause_ms)
        await line.send(sound)
        await line.settle(line.sent_ms, vad.silence_duration_ms + TAIL_MS)
        await line.wait(lambda: bool(set(line.responses) - before), _ANSWER_S)
        made = set(line.responses) - before
        switches.answers_when_on = bool(made)
        over = made & line.talked_over
        if over:
            await line.wait(lambda: not over & line.active, _CANCEL_S)  # noqa: B023 - awaited at once
            switches.interrupts = any(line.responses[each] == "cancelled" for each in over)
        await line.hush()
        if not made or over:
            return


async def measure_idle(line: Line, vad: ServerVad, sound: Float32) -> Range | None:
    """Let an answer be made, say nothing more, and see after how long the user is prompted."""
    timeout_ms = vad.idle_timeout_ms or 0
    await line.update(vad.replace(create_response=True))
    before = set(line.responses)
    await line.silence(_lead_ms(vad))
    await line.send(sound)
    await line.settle(line.sent_ms, vad.silence_duration_ms + TAIL_MS)
    if not await line.wait(lambda: bool(set(line.responses) - before) and not line.active, _ANSWER_S * 4):
        return None
    await line.silence(int(line.reply_ms) + timeout_ms + 1000)
    await line.wait(lambda: bool(line.timeouts), (line.reply_ms + timeout_ms) / 1000 + _ANSWER_S)
    await line.hush()
    if not line.timeouts:
        return Range(math.inf, timeout_ms + 1000.0, math.inf)
    begin_ms, end_ms = line.timeouts[0]
    span_ms = float(end_ms - begin_ms)
    return Range(span_ms, span_ms - 2 * FRAME_MS, span_ms + 2 * FRAME_MS)
