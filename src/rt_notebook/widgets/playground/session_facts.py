"""What the playground says about a session: settings as asked for and applied, what runs behind it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from rt_notebook.core.config import ServerVad

if TYPE_CHECKING:
    from rt_notebook.core.config import SessionConfig
    from rt_notebook.core.events import Event

__all__ = ["applied_settings", "components_line", "own_settings", "trouble"]


def trouble(event: Event, now_s: float | None = None) -> str | None:
    """Return the sentence to show after an event: empty when trouble is over, None to leave what is shown.

    `now_s` is the session's time, for a wait that is counted down; None for that of the event.
    """
    match event.type:
        case "error" | "local.error" | "local.gave_up" | "local.limit":
            return event.text or None
        case "local.reconnecting":
            return _waiting(event, event.t_s if now_s is None else now_s)
        case "local.gap":
            return ""
    return None


def _waiting(event: Event, now_s: float) -> str:
    cause, delay_s, code = (event.data.get(name) for name in ("cause", "delay_s", "code"))
    cause = str(cause or "").rstrip(".")
    left_s = event.t_s + delay_s - now_s if isinstance(delay_s, int | float) else 0.0
    wait = f" in {math.ceil(left_s)} s" if left_s >= 0.5 else ""
    refused = isinstance(code, int) and 400 <= code < 600  # by a status of HTTP: nothing was there to be lost
    why = f"{cause}." if refused else f"The connection was lost ({cause})."
    return f"{why} Connecting again{wait} …"


def own_settings(config: SessionConfig) -> dict[str, Any]:
    """Return the playground's settings as in `config`, without those of other turn detections."""
    detection = config.turn_detection
    settings: dict[str, Any] = {
        "instructions": config.instructions or "",
        "voice": config.voice,
        "temperature": config.temperature,
        "turn_detection": None if detection is None else detection.to_wire()["type"],
    }
    if isinstance(detection, ServerVad):
        settings |= detection.numbers()
    return settings


def applied_settings(info: dict[str, Any]) -> dict[str, Any]:
    """Return what the endpoint says it applied, from its session object in GA form."""
    audio = info.get("audio") or {}
    detection = (audio.get("input") or {}).get("turn_detection") or {}
    applied = {name: detection[name] for name in ServerVad.NUMBERS if detection.get(name) is not None}
    voice = (audio.get("output") or {}).get("voice")
    return applied | ({"voice": voice} if isinstance(voice, str) else {})


def components_line(info: dict[str, Any]) -> str:
    """Return a sentence on the components of a local server, fallbacks said; empty for other endpoints."""
    components = (info.get("rt_notebook") or {}).get("components") or {}
    parts, notes = [], []
    for role, component in components.items():
        fallback = " (fallback)" if component.get("fallback") else ""
        parts.append(f"{role}: {component.get('name')}{fallback}")
        if component.get("note"):
            notes.append(str(component["note"]))
    return ". ".join([" · ".join(parts), *notes]) if parts else ""
