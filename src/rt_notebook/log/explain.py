"""Why is it silent? The first step on the way to a spoken answer that is missing, in plain words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rt_notebook.log.fields import as_text
from rt_notebook.log.heard import ROUNDING_MS
from rt_notebook.log.reported_errors import errors_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rt_notebook.log.records import AudioPiece, Item
    from rt_notebook.log.turns import Turn, Turns

__all__ = ["Explanation", "explain_of"]

QUIET_DBFS = -60.0
"""A chunk below this is silence to any detector."""

SPEAKING_S = 1.5
"""Sound must last this long before it is odd that no speech was found in it."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """What is missing, or that nothing is.

    Attributes
    ----------
    step
        Its name: ``"connection"``, ``"microphone"``, ``"sound"``, ``"speech_started"``, ``"speech_stopped"``,
        ``"committed"``, ``"response"``, ``"response_done"``, ``"approval"``, ``"audio"``, ``"speaker"``,
        ``"interrupted"``, or ``"nothing"``.
    text
        One or two sentences: what happened, and what can be done.
    turn
        Number of the turn that it is about, or None.
    """

    step: str
    text: str
    turn: int | None = None

    def __str__(self) -> str:
        return self.text

    __repr__ = __str__


def explain_of(turns: Turns) -> Explanation:
    """Return the reason for the silence that a ledger ends in."""
    folded = turns.fold()
    lost = _connection(turns)
    if lost is not None:
        return lost
    found = _last_turn(turns, folded) or _input(turns, _pieces_since(turns, folded))
    event = turns.ledger.connection
    if found.step in {"nothing", "microphone"} and event is not None and event.type == "local.closed":
        text = f"The session was closed at {event.t_s:.1f} s, as it was asked to be."
        return Explanation("connection", text)
    return found


def _connection(turns: Turns) -> Explanation | None:
    event = turns.ledger.connection
    if event is None:
        return Explanation("connection", "No connection was opened. Call connect().")
    why = as_text(event.data.get("reason")) or as_text(event.data.get("cause")) or ""
    why = f" ({why})" if why else ""
    message = as_text(event.data.get("message"))
    at = f"at {event.t_s:.1f} s"
    texts = {
        "local.closed": f"The connection was lost {at}{why}. Open a new Session.",
        "local.reconnecting": f"The connection was lost{why}; another is tried since {event.t_s:.1f} s.",
        "local.resting": f"The endpoint closed the idle connection {at}{why}. The next word opens another.",
        "local.gave_up": f"No further connection is tried since {event.t_s:.1f} s. {message or why}".rstrip(),
        "local.limit": message or f"The session reached a limit {at}.",
    }
    if event.type == "local.closed" and event.data.get("expected"):
        return None
    text = texts.get(event.type)
    return None if text is None else Explanation("connection", text)


def _last_turn(turns: Turns, folded: Sequence[Turn]) -> Explanation | None:
    """Return what the last turn lacks; None if it lacks nothing and sound has come since."""
    if not folded:
        return None
    turn = max(folded, key=lambda turn: (turn.began_s or 0.0, turn.turn))
    user = turns.ledger.items.get(turn.user_item_id or "")
    step, text = _question(turns, turn, user) or _answer(turns, turn) or _sound(turn)
    if step == "nothing" and _sounding_s(_pieces_since(turns, folded)) >= SPEAKING_S:
        return None
    return Explanation(step, text, turn.turn)


def _question(turns: Turns, turn: Turn, user: Item | None) -> tuple[str, str] | None:
    ledger = turns.ledger
    if turn.status != "unanswered" or user is None:
        return None
    if user.speech_started_s is not None and user.speech_stopped_s is None and user.committed_s is None:
        silence_ms = ledger.turn_detection.get("silence_duration_ms")
        wait = f" {silence_ms} ms of silence end it." if isinstance(silence_ms, int) else ""
        last = ledger.microphone[-1].end_s if ledger.microphone else None
        if last is not None and last < ledger.end_s - 1.0:
            wait += f" No microphone audio was sent after {last:.1f} s, and silence has to be sent as well."
        return "speech_stopped", (
            f"Speech began at {user.speech_started_s:.1f} s and has not ended for the turn detection.{wait}"
        )
    if user.spoken and user.committed_s is None:
        return "committed", "Speech ended, but the endpoint has not made an item of it (no commit)."
    if ledger.turn_detection.get("create_response") is False and turn.sent_s is None:
        return "response", (
            "The turn is committed, and create_response is off: ask for the answer with response.create."
        )
    if user.spoken and not ledger.turn_detection:
        return "response", (
            "The turn is committed, and without turn detection an answer must be asked for (response.create)."
        )
    errors = [error for error in errors_of(turns) if error.t_s >= (turn.committed_s or turn.began_s or 0.0)]
    if errors:
        return (
            "response",
            f"No answer was begun. The last error says: {errors[-1].message or errors[-1].code}",
        )
    return "response", "The turn is committed, and the endpoint has not begun an answer."


def _answer(turns: Turns, turn: Turn) -> tuple[str, str] | None:
    why = f" ({turn.status_reason})" if turn.status_reason else ""
    if turn.status in {"failed", "incomplete"} or (turn.status == "cancelled" and not turn.audio_ms):
        errors = [error for error in errors_of(turns) if error.turn == turn.turn and error.message]
        said = f" {errors[-1].message}" if errors else ""
        return "response_done", f"The answer {_PAST[turn.status]}{why}.{said}"
    asked = _approval(turns, turn)
    if asked is not None:
        return "approval", asked
    if turn.audio_ms:
        return None
    call = _open_call(turns, turn)
    if call is not None:
        return "audio", f"The model calls {call} and waits for its output; nothing is said until it has it."
    if turn.status == "in_progress":
        began = "" if turn.response_created_s is None else f" at {turn.response_created_s:.1f} s"
        return "audio", f"The answer was begun{began}, and no audio of it has arrived."
    if turn.assistant is not None:
        modalities = turns.ledger.session.get("output_modalities")
        told = f" The session's output_modalities are {modalities}." if isinstance(modalities, list) else ""
        return "audio", f"The answer is text only.{told}"
    return "audio", f"The answer is {turn.status}{why}, and has neither words nor audio."


_PAST = {"failed": "failed", "incomplete": "is incomplete", "cancelled": "was cancelled before any audio"}


def _approval(turns: Turns, turn: Turn) -> str | None:
    """Return what a call of the turn waits for, if that is a yes."""
    if turn.status_reason != "function_call":
        return None
    for call_id, event in turns.ledger.calls.items():
        if event.data.get("state") == "pending" and turns.number(response_id=event.response_id) == turn.turn:
            name = as_text(event.data.get("name")) or "a function"
            return (
                f"The model wants to call {name}, which waits for a yes since {event.t_s:.1f} s: approve it "
                f"on its card, or with session.approve({call_id!r})."
            )
    return None


def _open_call(turns: Turns, turn: Turn) -> str | None:
    if turn.status_reason != "function_call":
        return None
    calls = [item for item in turns.ledger.items.values() if item.type == "function_call"]
    calls = [item for item in calls if turns.number(item.id) == turn.turn]
    return (calls[-1].name or "a function") if calls else "a function"


def _sound(turn: Turn) -> tuple[str, str]:
    """Tell what became of the audio that arrived."""
    arrived = f"{turn.audio_ms / 1000:.1f} s"
    if turn.heard_ms is None:
        return "speaker", (
            f"{arrived} of the answer arrived, and no speaker reported that it played any. "
            "Without a speaker, use reply_audio(); in the browser, click into the widget to allow sound."
        )
    heard = f"{turn.heard_ms / 1000:.1f} s"
    if turn.interrupted:
        why = f" ({turn.status_reason})" if turn.status_reason else ""
        return "interrupted", f"The answer was cut off after {heard} of {arrived}{why}."
    if turn.heard_ms <= 0:
        return "speaker", f"{arrived} of the answer arrived, and the speaker has played nothing of it."
    if turn.heard_ms < turn.audio_ms - ROUNDING_MS:
        return "speaker", f"The speaker has played {heard} of the {arrived} that arrived."
    if turn.status == "in_progress":
        return "audio", f"All {arrived} that arrived were heard; the answer is not complete."
    return "nothing", "Nothing is missing: the last answer was heard to its end."


def _pieces_since(turns: Turns, folded: Sequence[Turn]) -> list[AudioPiece]:
    """Return the microphone's audio since the last turn and its answer."""
    ends = [0.0]
    for turn in folded:
        times = (turn.committed_s, turn.speech_stopped_s, turn.response_done_s, turn.playback_started_s)
        ends += [t_s for t_s in times if t_s is not None]
        if turn.playback_started_s is not None:
            ends.append(turn.playback_started_s + (turn.heard_ms or 0.0) / 1000)
    return [piece for piece in turns.ledger.microphone if piece.start_s >= max(ends)]


def _sounding_s(pieces: Sequence[AudioPiece]) -> float:
    return sum(piece.end_s - piece.start_s for piece in pieces if piece.level_dbfs > QUIET_DBFS)


def _input(turns: Turns, pieces: Sequence[AudioPiece]) -> Explanation:
    """Tell what is missing before a turn begins."""
    ledger = turns.ledger
    since = " since the last turn" if turns.ledger.items else ""
    if not pieces:
        state = ledger.microphone_event
        if state is not None and state.type == "local.mic_closed":
            why = as_text(state.data.get("reason"))
            told = f" ({why})" if why else ""
            return Explanation("microphone", f"The microphone was closed at {state.t_s:.1f} s{told}.")
        if state is not None:
            return Explanation("microphone", f"The microphone is open, and no audio came from it{since}.")
        return Explanation("microphone", f"No microphone audio was sent and nothing was typed{since}.")
    loudest = max(piece.level_dbfs for piece in pieces)
    if loudest <= QUIET_DBFS:
        return Explanation(
            "sound",
            f"Only silence was sent{since} (the loudest piece has {loudest:.0f} dBFS). "
            "Check which microphone is chosen, and whether it is muted.",
        )
    if not ledger.turn_detection:
        return Explanation("committed", "Turn detection is off, and the audio was not committed.")
    threshold = ledger.turn_detection.get("threshold")
    lower = (
        f" Lower its threshold ({threshold})"
        if isinstance(threshold, int | float)
        else " Lower its threshold"
    )
    return Explanation(
        "speech_started",
        f"Sound was sent{since} (up to {loudest:.0f} dBFS), and turn detection found no speech.{lower}, "
        "or speak closer to the microphone.",
    )
