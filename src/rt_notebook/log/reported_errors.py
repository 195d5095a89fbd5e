"""The errors that a log tells of, each with the event that caused it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from rt_notebook.log.fields import as_dict, as_text
from rt_notebook.log.frames import frame_of

if TYPE_CHECKING:
    import pandas as pd

    from rt_notebook.log.records import Incident
    from rt_notebook.log.turns import Turns

__all__ = ["ReportedError", "errors_of", "errors_table"]

ErrorKind = Literal["request", "response", "transcription", "connection", "limit", "frame", "session"]

_KINDS: dict[str, ErrorKind] = {
    "error": "request",
    "response.done": "response",
    "conversation.item.input_audio_transcription.failed": "transcription",
    "local.closed": "connection",
    "local.gave_up": "connection",
    "local.limit": "limit",
    "local.invalid_frame": "frame",
    "local.error": "session",
    "local.recording": "session",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedError:
    """One error. It says what happened; it is not raised.

    Attributes
    ----------
    t_s
        Session seconds at which it was told.
    kind
        ``"request"`` (the endpoint objects to an event), ``"response"`` (an answer failed or is incomplete),
        ``"transcription"``, ``"connection"``, ``"limit"``, ``"frame"`` (what came was no event), or
        ``"session"`` (a sentence of this side).
    code, message, param
        As they were told; None where nothing was.
    turn
        Number of the turn, where the error names one of its items or responses.
    item_id, response_id, event_id
        What it is about, and the id of the event that told it.
    cause_event_id, cause_type, cause_s
        The client's event that caused it: its id, its type, and when it was sent; None if the error names
        none, or one that is not in the log.
    """

    t_s: float
    kind: str
    code: str | None
    message: str | None
    param: str | None
    turn: int | None
    item_id: str | None
    response_id: str | None
    event_id: str | None
    cause_event_id: str | None
    cause_type: str | None
    cause_s: float | None


def errors_of(turns: Turns) -> list[ReportedError]:
    """Return the errors that a ledger knows of, in the order of the log."""
    turns.fold()
    failed = {incident.response_id for incident in turns.ledger.incidents if incident.type == "response.done"}
    errors = []
    for incident in turns.ledger.incidents:
        kind = _KINDS.get(incident.type)
        # This side puts a failed answer into a sentence of its own: it is the same error.
        again = incident.type == "local.error" and incident.response_id in failed - {None}
        if kind is not None and not again:
            errors.append(_error(turns, incident, kind))
    return errors


def _error(turns: Turns, incident: Incident, kind: ErrorKind) -> ReportedError:
    ledger, data = turns.ledger, incident.data
    told = as_dict(data.get("error"))
    status = as_dict(as_dict(data.get("response")).get("status_details"))
    if kind == "response":
        told = as_dict(status.get("error"))
    code = (
        told.get("code") or told.get("type") or data.get("code") or status.get("reason") or data.get("limit")
    )
    cause_id = as_text(told.get("event_id"))
    response = ledger.responses.get(incident.response_id or "")
    if kind == "response" and response is not None:
        cause_id = response.request_id
    cause = ledger.sent.get(cause_id or "")
    message = as_text(told.get("message")) or as_text(data.get("message")) or as_text(data.get("reason"))
    return ReportedError(
        t_s=incident.t_s,
        kind=kind,
        code=None if code is None else str(code),
        message=message,
        param=as_text(told.get("param")),
        turn=turns.number(incident.item_id, incident.response_id),
        item_id=incident.item_id,
        response_id=incident.response_id,
        event_id=as_text(data.get("event_id")),
        cause_event_id=cause_id,
        cause_type=None if cause is None else cause[1],
        cause_s=None if cause is None else cause[0],
    )


def errors_table(errors: list[ReportedError]) -> pd.DataFrame:
    """Return one row an error. The columns are the fields of `ReportedError`."""
    return frame_of(ReportedError, errors)
