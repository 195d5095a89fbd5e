"""Where the conversation stands, in one word. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from rt_notebook.core.events import Event

__all__ = ["Phase", "next_phase"]

Phase = Literal["idle", "connecting", "listening", "hearing", "thinking", "speaking", "closed"]


def next_phase(phase: Phase, event: Event) -> Phase:
    """Return the phase after `event`."""
    match event.type:
        case "local.connected" | "local.reconnecting":
            return "connecting"
        case "local.resting":
            return "listening"
        case "local.closed":
            return "closed"
        case "session.updated" if phase == "connecting":
            return "listening"
        case "input_audio_buffer.speech_started":
            return "hearing"
        case "input_audio_buffer.speech_stopped" | "response.created":
            return phase if phase == "speaking" else "thinking"
        case "local.playback":
            return _after_playback(phase, event.data.get("state"))
        case "response.done" if phase == "thinking" and not _speaks(event):
            return "listening"
        case _:
            return phase


def _after_playback(phase: Phase, state: object) -> Phase:
    if state == "playing":
        return phase if phase == "hearing" else "speaking"
    return "listening" if phase in {"speaking", "thinking"} else phase


def _speaks(event: Event) -> bool:
    """Whether a finished response has audio, which is then still being played."""
    response = event.data.get("response", {})
    if response.get("status") != "completed":
        return False
    parts = [part for item in response.get("output") or () for part in item.get("content") or ()]
    return any(part.get("type") in {"output_audio", "audio"} for part in parts)
