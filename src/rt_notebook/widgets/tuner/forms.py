"""The tuner's settings in the forms that others want: the API's JSON by dialect, and words. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from rt_notebook.core.config import ServerVad
from rt_notebook.core.dialects import DIALECTS

if TYPE_CHECKING:
    from rt_notebook.core.config import TurnDetection
    from rt_notebook.core.dialects import DialectName

__all__ = ["applied_words", "server_vad", "update_event", "update_json"]


def server_vad(detection: TurnDetection, dials: dict[str, Any]) -> ServerVad:
    """Return a session's turn detection with these dials: what else it is told stays."""
    return (detection if isinstance(detection, ServerVad) else ServerVad()).replace(**dials)


def update_event(vad: ServerVad, dialect: DialectName = "ga") -> dict[str, Any]:
    """Return the ``session.update`` that sets these, as it goes over the wire of a dialect."""
    session = {"type": "realtime", "audio": {"input": {"turn_detection": vad.to_wire()}}}
    return DIALECTS[dialect].client_to_wire({"type": "session.update", "session": session})


def update_json(vad: ServerVad) -> dict[str, str]:
    """Return that event as JSON for people, by dialect."""
    return {name: json.dumps(update_event(vad, name), indent=2) for name in ("ga", "preview")}


def applied_words(applied: dict[str, Any]) -> str:
    """Say what the endpoint has acknowledged."""
    if not set(ServerVad.NUMBERS) <= set(applied):
        return "The endpoint acknowledged the change without naming the settings."
    return (
        f"The endpoint acknowledged threshold {applied['threshold']:g}, "
        f"padding {applied['prefix_padding_ms']} ms, silence {applied['silence_duration_ms']} ms."
    )
