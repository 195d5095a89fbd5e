"""What the playground says about a session: settings as asked for and applied, what runs behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rt_notebook.core.config import ServerVad

if TYPE_CHECKING:
    from rt_notebook.core.config import SessionConfig
    from rt_notebook.core.events import Event

__all__ = ["applied_settings", "components_line", "own_settings", "trouble"]

_DIALS = ("threshold", "prefix_padding_ms", "silence_duration_ms")


def trouble(event: Event) -> str | None:
    """Return the sentence to show after an event: empty when trouble is over, None to leave what is shown."""
    match event.type:
        case "error" | "local.error" | "local.gave_up" | "local.limit":
            return event.text or None
        case "local.reconnecting":
            cause, delay_s = str(event.data.get("cause") or "").rstrip("."), event.data.get("delay_s")
            wait = f" in {delay_s:.0f} s" if isinstance(delay_s, int | float) and delay_s >= 1 else ""
            return f"The connection was lost ({cause}). Connecting again{wait} …"
        case "local.gap":
            return ""
    return None


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
        settings |= {name: getattr(detection, name) for name in _DIALS}
    return settings


def applied_settings(info: dict[str, Any]) -> dict[str, Any]:
    """Return what the endpoint says it applied, from its session object in GA form."""
    audio = info.get("audio") or {}
    detection = (audio.get("input") or {}).get("turn_detection") or {}
    applied = {name: detection[name] for name in _DIALS if detection.get(name) is not None}
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
