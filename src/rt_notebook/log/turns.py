"""Turns: one user item, spoken or typed, with what answered it."""

from __future__ import annotations

import dataclasses
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from rt_notebook.core.audio import SAMPLES_PER_MS
from rt_notebook.log.frames import frame_of
from rt_notebook.log.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd

    from rt_notebook.core.events import Event
    from rt_notebook.log.records import Item, Response
    from rt_notebook.log.store import EventStore

__all__ = ["Turn", "Turns", "fold_turns", "turns_of", "turns_table"]

TurnKind = Literal["spoken", "typed", "other"]

SHOWN_CHARS = 40
"""Of what was said, a turn that is displayed shows so much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One turn of the conversation. Times are seconds on the session clock; None is "has not happened".

    Attributes
    ----------
    turn
        Number of the turn, 1 for the first.
    kind
        ``"spoken"`` (ended by turn detection or by a commit), ``"typed"``, or ``"other"``: the assistant
        spoke unasked, or after the idle timeout.
    user, assistant
        What was said; the assistant's words as they were generated. None while there are none.
    status
        ``"completed"``, ``"cancelled"``, ``"failed"``, ``"incomplete"``, ``"in_progress"`` (also while a
        function's output is awaited) or ``"unanswered"``.
    status_reason
        The endpoint's reason for the status, such as ``"turn_detected"``.
    interrupted
        Whether the answer was cut short: cancelled, or silenced before its audio had been played.
    speech_start_s, speech_end_s
        Where the speech itself lies, as the endpoint saw it: prefix padding and silence wait are taken off.
        Under a semantic VAD, which names no silence, the end is where the voice ends in the audio that was
        sent, and the start is None. None without turn detection, where the audio does not tell, and in a
        slice of a log that lacks the session's beginning.
    speech_started_s, speech_stopped_s
        When the endpoint's decisions arrived.
    sent_s
        When the client sent the typed item, the commit, or the request for an answer without an item.
    committed_s
        When the item became part of the conversation.
    response_created_s, first_text_s, first_audio_s, playback_started_s, response_done_s
        When the answer was begun, its first words and its first audio arrived, its first sample left the
        speaker, and it was complete.
    transcribed_s
        When the words of the user were known. It may be at any time, or never.
    audio_ms, heard_ms
        Audio of the answer that arrived, and that left the speaker; the latter is None without a speaker.
    user_item_id, assistant_item_id, response_id
        Ids to find the turn's events by.
    """

    turn: int
    kind: TurnKind
    user: str | None
    assistant: str | None
    status: str
    status_reason: str | None
    interrupted: bool
    speech_start_s: float | None
    speech_end_s: float | None
    speech_started_s: float | None
    speech_stopped_s: float | None
    sent_s: float | None
    committed_s: float | None
    response_created_s: float | None
    first_text_s: float | None
    first_audio_s: float | None
    playback_started_s: float | None
    response_done_s: float | None
    transcribed_s: float | None
    audio_ms: float
    heard_ms: float | None
    user_item_id: str | None
    assistant_item_id: str | None
    response_id: str | None

    @property
    def began_s(self) -> float | None:
        """Session seconds at which the turn began; None if no event tells."""
        times = (
            self.speech_start_s,
            self.speech_started_s,
            self.sent_s,
            self.committed_s,
            self.response_created_s,
        )
        return next((t_s for t_s in times if t_s is not None), None)

    def __repr__(self) -> str:
        status = f"{self.status} ({self.status_reason})" if self.status_reason else self.status
        interrupted = ", interrupted" if self.interrupted else ""
        return f"<Turn {self.turn}: {_short(self.user)} -> {_short(self.assistant)}, {status}{interrupted}>"


def _short(text: str | None) -> str:
    """Show the beginning of what was said."""
    return repr(text if text is None or len(text) <= SHOWN_CHARS else f"{text[:SHOWN_CHARS].rstrip()}…")


def fold_turns(events: Iterable[Event]) -> list[Turn]:
    """Fold events into turns, in the order of the conversation."""
    return turns_of(Ledger(events))


def turns_of(ledger: Ledger) -> list[Turn]:
    """Return the turns of a ledger, in the order of the conversation."""
    return Turns(ledger).fold()


class Turns:
    """Turns that are kept current: only those are made again whose items or responses were touched."""

    def __init__(self, ledger: Ledger | None = None) -> None:
        self.ledger = Ledger() if ledger is None else ledger
        self._made: dict[str, Turn] = {}
        self._places: dict[str, tuple[int, int]] = {}
        self._written: dict[str | None, list[Item]] = {}
        self._insertions = 0
        self._numbers: dict[str, int] = {}

    def read(self, store: EventStore, stop: int) -> None:
        """Read on in a store, to before `stop`."""
        self.ledger.read(store, stop)

    def fold(self) -> list[Turn]:
        """Return the turns as they are now, in the order of the conversation."""
        ledger, places, made = self.ledger, self._places, self._made
        responses = ledger.answers
        users = {item_id: item for item_id, item in ledger.items.items() if item.role == "user"}
        written = _written_answers(ledger)
        alone = [answer.id for answer in written.get(None, ())]
        changed = self._changed(written)
        keys = list(dict.fromkeys([*users, *responses, *alone]))
        for key in [key for key in keys if key in changed or key not in places]:
            places[key] = _place(ledger, key, responses.get(key, ()))
        keys.sort(key=places.__getitem__)
        self._numbers = dict(zip(keys, range(1, len(keys) + 1), strict=True))
        for key, number in self._numbers.items():
            turn = made.get(key)
            if turn is None or key in changed:
                answered = responses.get(key, [])
                items = [ledger.items[i] for r in answered for i in _in_output_order(ledger, r)]
                items = written.get(key, []) + items
                if key not in users and not answered:
                    items = [ledger.items[key]]
                made[key] = _turn(number, users.get(key), answered, items)
            elif turn.turn != number:
                made[key] = dataclasses.replace(turn, turn=number)
        return [made[key] for key in keys]

    def number(self, item_id: str | None = None, response_id: str | None = None) -> int | None:
        """Return the number of the turn that an item or a response is part of, as of the last `fold`."""
        item = self.ledger.items.get(item_id or "")
        response = self.ledger.responses.get(response_id or (item.response_id if item else None) or "")
        key = response.turn_key if response is not None else item_id
        return self._numbers.get(key or "")

    def _changed(self, written: dict[str | None, list[Item]]) -> set[str | None]:
        """Return the keys of turns that have to be made again; what was touched is told once."""
        ledger = self.ledger
        changed: set[str | None] = set()
        for record_id in ledger.touched:
            item = ledger.items.get(record_id)
            for response_id in (record_id, None if item is None else item.response_id):
                response = None if response_id is None else ledger.responses.get(response_id)
                if response is not None:
                    changed.add(response.turn_key)
            changed.add(record_id)
        for key in {**self._written, **written}:
            now = written.get(key, [])
            if now != self._written.get(key) or any(item.id in ledger.touched for item in now):
                changed.add(key)
        if ledger.insertions != self._insertions:
            self._places.clear()
        ledger.touched.clear()
        self._written, self._insertions = written, ledger.insertions
        return changed


def _place(ledger: Ledger, key: str, responses: Sequence[Response]) -> tuple[int, int]:
    """Return where a turn stands: what is not in the conversation (yet) comes last, in the log's order."""
    records = [item for item in (ledger.items.get(key),) if item is not None]
    records += [ledger.items[i] for response in responses for i in response.item_ids]
    places = [ledger.places[item.id] for item in records if item.id in ledger.places]
    seen = [item.seen for item in records] + [response.seen for response in responses]
    return min(places, default=sys.maxsize), min(seen)


def _in_output_order(ledger: Ledger, response: Response) -> list[str]:
    return sorted(response.item_ids, key=lambda item_id: ledger.items[item_id].output_index)


def _written_answers(ledger: Ledger) -> dict[str | None, list[Item]]:
    """Return the assistant's messages that no response made: history, put in by the client, by user item."""
    answers: dict[str | None, list[Item]] = {}
    user_id: str | None = None
    for item_id in ledger.order:
        item = ledger.items[item_id]
        if item.role == "user":
            user_id = item_id
        elif item.response_id is None and item.role == "assistant":
            answers.setdefault(user_id, []).append(item)
    return answers


def _turn(number: int, user: Item | None, responses: Sequence[Response], items: Sequence[Item]) -> Turn:
    messages = [item for item in items if item.type == "message"]
    main = next((item for item in messages if item.deltas or item.text), next(iter(messages or items), None))
    response_id = main.response_id if main is not None else None
    if response_id is None and responses:
        response_id = responses[0].id
    status, reason = _status(responses, items)
    heard = [item.played_samples for item in items if item.played_samples is not None]
    sent_s = user.sent_s if user is not None else _first(response.requested_s for response in responses)
    return Turn(
        turn=number,
        kind=_kind(user),
        user=user.text if user is not None else None,
        assistant=" ".join(item.text for item in messages if item.text) or None,
        status=status,
        status_reason=reason,
        interrupted=status == "cancelled" or any(item.cut_short for item in items),
        speech_start_s=user.speech_start_s if user is not None else None,
        speech_end_s=user.speech_end_s if user is not None else None,
        speech_started_s=user.speech_started_s if user is not None else None,
        speech_stopped_s=user.speech_stopped_s if user is not None else None,
        sent_s=sent_s,
        committed_s=user.committed_s if user is not None else None,
        response_created_s=_first(response.created_s for response in responses),
        first_text_s=_first(item.first_text_s for item in items),
        first_audio_s=_first(item.first_audio_s for item in items),
        playback_started_s=_first(item.playback_started_s for item in items),
        response_done_s=responses[-1].done_s if responses else None,
        transcribed_s=user.transcribed_s if user is not None else None,
        audio_ms=sum(item.audio_samples for item in items) / SAMPLES_PER_MS,
        heard_ms=sum(heard) / SAMPLES_PER_MS if heard else None,
        user_item_id=user.id if user is not None else None,
        assistant_item_id=main.id if main is not None else None,
        response_id=response_id,
    )


def _first(times_s: Iterable[float | None]) -> float | None:
    return min((t_s for t_s in times_s if t_s is not None), default=None)


def _kind(user: Item | None) -> TurnKind:
    if user is None or user.timed_out:
        return "other"
    return "typed" if user.typed and not user.spoken else "spoken"


def _status(responses: Sequence[Response], items: Sequence[Item]) -> tuple[str, str | None]:
    if not responses:
        return ("completed" if items else "unanswered"), None
    last = responses[-1]
    calls = any(item.type == "function_call" and item.response_id == last.id for item in items)
    if last.status == "completed" and calls:
        return ("incomplete", "connection_closed") if last.lost else ("in_progress", "function_call")
    return last.status, last.reason


def turns_table(turns: Sequence[Turn]) -> pd.DataFrame:
    """Return one row a turn. The columns are the fields of `Turn`; a missing time is NaN, missing text NA."""
    return frame_of(Turn, turns)
