"""Azure Voice Live's dialect: the preview dialect's shapes, with settings of its own.

Source: a recorded session. Its user items have ``conversation.item.done`` as in GA, its assistant's have not.
Settings that only Voice Live knows (avatars, echo cancellation, sampling rates and others) are taken and have
no effect here.
"""

from __future__ import annotations

from typing import Any

from rt_notebook.core.preview import client_from_preview, server_to_preview

__all__ = ["client_from_voice_live", "server_to_voice_live"]

Json = dict[str, Any]

_OWN_SETTINGS = (
    *("input_audio_sampling_rate", "input_audio_echo_cancellation", "animation", "avatar"),
    *("output_audio_timestamp_types", "truncation_strategy"),
)
_OWN_DETECTION = (
    *("speech_duration_ms", "end_of_utterance_detection", "auto_truncate"),
    *("appended_text_after_truncation", "remove_filler_words"),
)


def client_from_voice_live(event: Json) -> Json:
    """Turn a Voice Live client's event into GA's."""
    session = event.get("session")
    if isinstance(session, dict):
        session = {key: value for key, value in session.items() if key not in _OWN_SETTINGS}
        if isinstance(session.get("voice"), dict):
            session["voice"] = session["voice"].get("name")
        if isinstance(session.get("turn_detection"), dict):
            detection = session["turn_detection"]
            session["turn_detection"] = {k: v for k, v in detection.items() if k not in _OWN_DETECTION}
        event = event | {"session": session}
    return client_from_preview(event)


def server_to_voice_live(event: Json) -> Json | None:
    """Turn a GA server event into Voice Live's; None where that has none."""
    if event["type"] == "conversation.item.done" and event["item"].get("role") == "user":
        return event | {"item": {"object": "realtime.item"} | event["item"]}
    return server_to_preview(event)
