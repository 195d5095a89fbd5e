"""Events: the one record that everything else is computed from.

The vocabulary is the GA dialect's; `rt_notebook.core.dialects` translates others into it. An event type that
is not listed here is kept like any other.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

__all__ = [
    "CLIENT_EVENTS",
    "LOCAL_EVENTS",
    "SERVER_EVENTS",
    "Direction",
    "Event",
    "data_left_out",
    "id_in",
    "text_in",
]

Direction = Literal["sent", "received", "local"]
"""Who made the event: this client, the endpoint, or the session about itself (never on the wire)."""

TEXT_KEYS = ("transcript", "text", "delta", "message", "arguments")
"""Where an event has its words, the first that is there."""

CLIENT_EVENTS = frozenset(
    {
        "session.update",
        "input_audio_buffer.append",
        "input_audio_buffer.commit",
        "input_audio_buffer.clear",
        "conversation.item.create",
        "conversation.item.retrieve",
        "conversation.item.delete",
        "conversation.item.truncate",
        "response.create",
        "response.cancel",
    }
)

SERVER_EVENTS = frozenset(
    {
        "error",
        "session.created",
        "session.updated",
        "conversation.item.added",
        "conversation.item.done",
        "conversation.item.retrieved",
        "conversation.item.deleted",
        "conversation.item.truncated",
        "conversation.item.input_audio_transcription.delta",
        "conversation.item.input_audio_transcription.completed",
        "conversation.item.input_audio_transcription.failed",
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "input_audio_buffer.cleared",
        "input_audio_buffer.timeout_triggered",
        "response.created",
        "response.done",
        "response.output_item.added",
        "response.output_item.done",
        "response.content_part.added",
        "response.content_part.done",
        "response.output_text.delta",
        "response.output_text.done",
        "response.output_audio.delta",
        "response.output_audio.done",
        "response.output_audio_transcript.delta",
        "response.output_audio_transcript.done",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "rate_limits.updated",
    }
)

LOCAL_EVENTS = {
    "local.connected": "a socket is open; `endpoint`, `dialect`, `generation` (number of the connection)",
    "local.closed": "it is closed; `by` (local, server, expiry, loss, refused), `code`, `reason`, `expected` "
    "(asked for), `generation`, `interrupted` (responses that it ended)",
    "local.reconnecting": "another is tried; `attempt`, `delay_s`, `cause`, `code`",
    "local.resting": "the endpoint closed an idle connection, and the next word opens another; `cause`",
    "local.expiring": "the session's time is nearly over; `in_s`",
    "local.gap": "another connection serves; `generation`, `cause`, `length_s`, `lost_samples` (microphone), "
    "`doubtful_samples` (sent into silence), `dropped_events`, `interrupted`, `restored`, `restored_items`, "
    "`not_restored`",
    "local.gave_up": "no further connection is tried; `message`, `cause`, `why`",
    "local.limit": "the session ends at a limit; `limit`, `value`, `message`",
    "local.invalid_frame": "a frame was no event; `head` holds its first characters",
    "local.playback": "the speaker's report; `item_id`, `played_samples`, `dropped_samples`, `state` "
    "(playing, flushed, ended); the first of an item played by a page has `client`, `page_arrived_s`, "
    "`page_started_s` (its clock), `buffered_samples`, `base_latency_s`, `output_latency_s`",
    "local.clock": "a page told its clock; `client`, `asked_s`, `received_s`, `answered_s` (both on its "
    "clock), `arrived_s`",
    "local.round_trip": "the endpoint answered a ping; `round_trip_s`",
    "local.mic_opened": "a microphone was opened in the browser; `client`, `input_latency_s`",
    "local.mic_closed": "the microphone was closed; `reason`",
    "local.mic_gap": "chunks of the microphone were lost; `lost_samples`, `where` (outbox; else on the way "
    "to the kernel)",
    "local.replay_ignored": "a replay does not hear what is sent; `ignored` (a type), `message`",
    "local.tool_call": "a call of a tool moved on; `call_id`, `name`, `response_id`, `state` (pending, "
    "approved, running, done, failed, denied, timed_out, cancelled), `duration_ms`, `message`",
    "local.recording": "writing a bundle; `state` (started, stopped, failed), `audio`, `purpose`, `message`",
    "local.error": "a sentence for the user; `message`; `code` and `response_id` where an answer failed",
}
"""Events that the session records about itself, with their fields."""


class Event(msgspec.Struct, frozen=True):
    """One thing that happened. A struct, since making a frozen dataclass costs ten times as much.

    Parameters
    ----------
    t_s
        Seconds on the session's monotonic clock; 0 is when the session was made.
    direction
        ``"sent"``, ``"received"`` or ``"local"``.
    type
        The event's type in the GA vocabulary.
    data
        The event in the GA dialect, its audio taken out.
    audio_samples
        Length of the audio that it carried, at 24 kHz; 0 for none.
    level_dbfs
        RMS level of that audio; None for an event without audio.
    """

    t_s: float
    direction: Direction
    type: str
    data: dict[str, Any] = msgspec.field(default_factory=dict)
    audio_samples: int = 0
    level_dbfs: float | None = None

    @property
    def known(self) -> bool:
        """Whether this version knows the type. Unknown ones are kept, shown and otherwise left alone."""
        return self.type in SERVER_EVENTS or self.type in CLIENT_EVENTS or self.type in LOCAL_EVENTS

    @property
    def audio_ms(self) -> float:
        """Duration of the audio that the event carried."""
        return self.audio_samples / 24

    @property
    def item_id(self) -> str | None:
        """Id of the item that the event is about, wherever the event keeps it."""
        return id_in(self.data, "item_id", "item")

    @property
    def response_id(self) -> str | None:
        """Id of the response that the event is about, wherever the event keeps it."""
        return id_in(self.data, "response_id", "response")

    @property
    def text(self) -> str | None:
        """The words in the event: a delta, a transcript, a text or an error's message."""
        return text_in(self.data)


def id_in(data: dict[str, Any], key: str, nested: str) -> str | None:
    """Return the id that an event carries under `key`, or inside of `nested`."""
    value = data.get(key)
    if value is None:
        inner = data.get(nested)
        value = inner.get("id") if isinstance(inner, dict) else None
    return value if isinstance(value, str) else None


def text_in(data: dict[str, Any]) -> str | None:
    """Return the words that an event carries."""
    for key in TEXT_KEYS:
        value = data.get(key)
        if isinstance(value, str):
            return value
    error = data.get("error")
    if isinstance(error, dict) and isinstance(error.get("message"), str):
        return str(error["message"])
    return None


def data_left_out(event: Event, why: str) -> dict[str, Any]:
    """Return what stands for data that cannot be looked through or written."""
    return {"type": event.type, "left_out": why}
