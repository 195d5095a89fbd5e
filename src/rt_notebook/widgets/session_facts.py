"""What the playground says about a session: settings as asked for and applied, what runs behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rt_notebook.core.config import ServerVad

if TYPE_CHECKING:
    from rt_notebook.core.config import SessionConfig

__all__ = ["applied_settings", "components_line", "own_settings"]

_DIALS = ("threshold", "prefix_padding_ms", "silence_duration_ms")


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
