"""Everything that was lost or stood still on the way between the microphone, the endpoint and the speaker."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from rt_notebook.core.audio import SAMPLES_PER_MS
from rt_notebook.log.fields import as_number, as_text
from rt_notebook.log.frames import frame_of

if TYPE_CHECKING:
    import pandas as pd

    from rt_notebook.log.records import Incident, Item
    from rt_notebook.log.turns import Turns

__all__ = ["Glitch", "glitches_of", "glitches_table"]

Place = Literal["microphone", "carrier", "outbox", "connection", "speaker"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Glitch:
    """One gap, drop or underrun.

    Attributes
    ----------
    t_s
        Session seconds: where it began, or where it was noticed if nobody knows.
    place
        Where: ``"microphone"`` (open, and gave nothing), ``"carrier"`` (between browser and kernel),
        ``"outbox"`` (waited too long to be sent), ``"connection"`` (there was none), ``"speaker"``.
    kind
        ``"stall"`` (nothing came for a while), ``"drop"`` (audio was lost), ``"gap"`` (both, between two
        connections), or ``"underrun"`` (the speaker ran dry in the middle of an answer).
    length_ms
        How long it lasted; None where it is no stretch of time.
    lost_ms
        Audio that was lost.
    doubtful_ms
        Audio that was sent while nobody knew whether it arrived.
    cause
        Why, where that is known.
    turn, item_id
        The answer that it happened in.
    """

    t_s: float
    place: str
    kind: str
    length_ms: float | None = None
    lost_ms: float = 0.0
    doubtful_ms: float = 0.0
    cause: str | None = None
    turn: int | None = None
    item_id: str | None = None


def glitches_of(turns: Turns) -> list[Glitch]:
    """Return the glitches that a ledger knows of, in the order of time."""
    turns.fold()
    found = [glitch for incident in turns.ledger.incidents if (glitch := _told(turns, incident)) is not None]
    for item in turns.ledger.items.values():
        found += _underruns(turns, item)
    return sorted(found, key=lambda glitch: glitch.t_s)


def _told(turns: Turns, incident: Incident) -> Glitch | None:
    data = incident.data
    match incident.type:
        case "microphone.stall":
            return Glitch(t_s=incident.t_s, place="microphone", kind="stall", length_ms=_ms(data))
        case "local.mic_gap":
            place: Place = "outbox" if data.get("where") == "outbox" else "carrier"
            return Glitch(t_s=incident.t_s, place=place, kind="drop", lost_ms=_audio_ms(data, "lost_samples"))
        case "local.gap":
            length_ms = _ms(data)
            return Glitch(
                t_s=incident.t_s - (length_ms or 0.0) / 1000,
                place="connection",
                kind="gap",
                length_ms=length_ms,
                lost_ms=_audio_ms(data, "lost_samples"),
                doubtful_ms=_audio_ms(data, "doubtful_samples"),
                cause=as_text(data.get("cause")),
            )
        case "local.playback":
            return Glitch(
                t_s=incident.t_s,
                place="speaker",
                kind="drop",
                lost_ms=_audio_ms(data, "dropped_samples"),
                turn=turns.number(incident.item_id),
                item_id=incident.item_id,
            )
    return None


def _underruns(turns: Turns, item: Item) -> list[Glitch]:
    return [
        Glitch(
            t_s=end_s,
            place="speaker",
            kind="underrun",
            length_ms=(start_s - end_s) * 1000,
            turn=turns.number(item.id),
            item_id=item.id,
        )
        for (_, end_s), (start_s, _) in pairwise(item.played)
        if start_s > end_s
    ]


def _ms(data: dict[str, object]) -> float | None:
    length_s = as_number(data.get("length_s"))
    return None if length_s is None else length_s * 1000


def _audio_ms(data: dict[str, object], key: str) -> float:
    return max(0.0, as_number(data.get(key)) or 0.0) / SAMPLES_PER_MS


def glitches_table(glitches: list[Glitch]) -> pd.DataFrame:
    """Return one row a glitch. The columns are the fields of `Glitch`."""
    return frame_of(Glitch, glitches)
