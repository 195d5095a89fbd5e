"""What the timeline shows: stretches of time, moments and levels, on the session clock."""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from rt_notebook.core.audio import SAMPLE_RATE_HZ, SILENCE_DBFS
from rt_notebook.log.ledger import Ledger
from rt_notebook.log.records import AudioPiece, Item
from rt_notebook.log.turns import Turn, turns_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rt_notebook.core.events import Event

__all__ = ["Mark", "Segments", "Span", "fold_segments"]

SpanKind = Literal["padding", "speech", "silence", "received", "played"]
MarkKind = Literal["speech_started", "speech_stopped", "committed", "typed", "interrupted"]

PAUSE_S = 0.1
"""Audio of the microphone that comes so much later than the audio before it comes after a pause."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of session time.

    Attributes
    ----------
    kind
        Of the user: ``"padding"`` is kept from before the speech, ``"speech"`` is the speech itself,
        ``"silence"`` is the wait that ended it. Padding that was sent before a pause is not shown, since the
        endpoint knows no pauses. Of the assistant: ``"received"`` is how long the answer would have sounded,
        from its first sample on; ``"played"`` is when the speaker sounded.
    """

    kind: SpanKind
    start_s: float
    end_s: float
    item_id: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment: a decision of the turn detection, a typed message, or the cut of an answer."""

    kind: MarkKind
    t_s: float
    item_id: str


@dataclass(frozen=True, slots=True)
class Segments:
    """All that the timeline shows.

    Attributes
    ----------
    spans, marks
        In the order of their items.
    user_level, assistant_level
        Levels piece by piece. The assistant's are laid out as they sounded, or from their arrival on if no
        speaker reported.
    turns
        The turns, for their words.
    start_s, end_s
        Session seconds of the first and the last thing.
    """

    spans: tuple[Span, ...]
    marks: tuple[Mark, ...]
    user_level: tuple[AudioPiece, ...]
    assistant_level: tuple[AudioPiece, ...]
    turns: tuple[Turn, ...]
    start_s: float
    end_s: float


def fold_segments(events: Iterable[Event]) -> Segments:
    """Fold events into what the timeline shows."""
    ledger = Ledger(events)
    spans: list[Span] = []
    marks: list[Mark] = []
    resumed_s = [b.start_s for a, b in pairwise(ledger.microphone) if b.start_s - a.end_s > PAUSE_S]
    for item in ledger.items.values():
        if item.is_user:
            spans += _user_spans(item, resumed_s)
            marks += _user_marks(item)
    levels: list[AudioPiece] = []
    answers = sorted((i for i in ledger.items.values() if i.deltas), key=_anchor_s)
    limits_s = [*(_anchor_s(item) for item in answers[1:]), math.inf]
    for item, limit_s in zip(answers, limits_s, strict=False):
        spans += _assistant_spans(item, limit_s)
        levels += _assistant_levels(item, limit_s)
        marks += _cuts(item)
    ends_s = [span.end_s for span in spans] + [mark.t_s for mark in marks] + [ledger.end_s]
    return Segments(
        spans=tuple(span for span in spans if span.end_s > span.start_s),
        marks=tuple(marks),
        user_level=tuple(ledger.microphone),
        assistant_level=tuple(levels),
        turns=tuple(turns_of(ledger)),
        start_s=ledger.start_s,
        end_s=max(ends_s),
    )


def _user_spans(item: Item, resumed_s: list[float]) -> list[Span]:
    edges: list[tuple[SpanKind, float | None, float | None]] = [
        ("padding", _padding_start_s(item, resumed_s), item.speech_start_s),
        ("speech", item.speech_start_s, item.speech_end_s),
        ("silence", item.speech_end_s, item.speech_stopped_s),
    ]
    if item.speech_start_s is None or item.speech_end_s is None:
        # Push-to-talk, or a turn detection that tells no padding and no silence.
        start_s = item.push_to_talk_start_s if item.speech_started_s is None else item.speech_started_s
        end_s = item.sent_s if item.speech_stopped_s is None else item.speech_stopped_s
        edges = [("speech", start_s, end_s)] if item.spoken else []
    return [Span(kind, a, b, item.id) for kind, a, b in edges if a is not None and b is not None]


def _padding_start_s(item: Item, resumed_s: list[float]) -> float | None:
    if item.padding_start_s is None or item.speech_start_s is None:
        return None
    pauses = bisect_right(resumed_s, item.speech_start_s)
    return max([item.padding_start_s, *resumed_s[:pauses][-1:]])


def _user_marks(item: Item) -> list[Mark]:
    moments: list[tuple[MarkKind, float | None]] = [
        ("speech_started", item.speech_started_s),
        ("speech_stopped", item.speech_stopped_s),
        ("committed", item.committed_s if item.spoken else None),
        ("typed", item.sent_s if item.typed else None),
    ]
    return [Mark(kind, t_s, item.id) for kind, t_s in moments if t_s is not None]


def _anchor_s(item: Item) -> float:
    """Where the first sample of an answer lies: when it sounded, or when it arrived if nothing was played."""
    return next((t_s for t_s in (item.playback_started_s, item.first_audio_s) if t_s is not None), 0.0)


def _position_s(item: Item, position_samples: int) -> float:
    anchor_s = _anchor_s(item)
    played_s = item.playback.session_s(position_samples)
    return anchor_s + position_samples / SAMPLE_RATE_HZ if played_s is None else max(anchor_s, played_s)


def _assistant_spans(item: Item, limit_s: float) -> list[Span]:
    # What was not heard of an answer must not run into the next one.
    end_s = min(limit_s, _position_s(item, item.audio_samples))
    spans = [Span("received", _anchor_s(item), end_s, item.id)]
    return spans + [Span("played", start_s, stop_s, item.id) for start_s, stop_s in item.played]


def _assistant_levels(item: Item, limit_s: float) -> list[AudioPiece]:
    edges = [0]
    for samples, _ in item.deltas:
        edges.append(edges[-1] + samples)
    times_s = [min(limit_s, _position_s(item, edge)) for edge in edges]
    levels = (SILENCE_DBFS if level is None else level for _, level in item.deltas)
    return [AudioPiece(a, b, level) for (a, b), level in zip(pairwise(times_s), levels, strict=True) if b > a]


def _cuts(item: Item) -> list[Mark]:
    t_s = item.truncated_s if item.flushed_s is None else item.flushed_s
    return [Mark("interrupted", t_s, item.id)] if item.cut_short and t_s is not None else []
