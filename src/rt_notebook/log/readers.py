"""What each type of event adds to the ledger. A type that is not in `READERS` adds nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from rt_notebook.core.audio import SAMPLE_RATE_HZ, SAMPLES_PER_MS, SILENCE_DBFS
from rt_notebook.core.events import Event
from rt_notebook.log.audio_clock import AudioClock
from rt_notebook.log.records import AudioPiece, Item, Words, as_dict, as_number, as_text

if TYPE_CHECKING:
    from rt_notebook.log.ledger import Ledger

__all__ = ["READERS"]

PLAYBACK_GAP_S = 0.15
"""A silence of the speaker shorter than this is jitter of its reports, not a pause."""


# --- the session ----------------------------------------------------------------------------------------------


def _session(ledger: Ledger, event: Event) -> None:
    session = as_dict(event.data.get("session"))
    session_id = as_text(session.get("id"))
    if event.type == "session.created" and session_id != ledger.session_id:
        # Another session (after a reconnect) counts the audio from zero again.
        if ledger.session_id is not None:
            ledger.microphone_clock = AudioClock()
        ledger.session_id = session_id
    ledger.turn_detection = as_dict(as_dict(as_dict(session.get("audio")).get("input")).get("turn_detection"))


def _closed(ledger: Ledger, event: Event) -> None:
    for response in ledger.responses.values():
        if response.done_s is None:
            response.status, response.reason = "incomplete", "connection_closed"


# --- the user's audio -----------------------------------------------------------------------------------------


def _append(ledger: Ledger, event: Event) -> None:
    start_s, end_s = ledger.microphone_clock.advance(event.audio_samples, event.t_s)
    level_dbfs = SILENCE_DBFS if event.level_dbfs is None else event.level_dbfs
    ledger.microphone.append(AudioPiece(start_s, end_s, level_dbfs))
    if ledger.uncommitted_s is None:
        ledger.uncommitted_s = start_s


def _cleared(ledger: Ledger, event: Event) -> None:
    ledger.uncommitted_s = None


def _heard_s(ledger: Ledger, position_ms: float | None, event: Event) -> float | None:
    """Session seconds of a position that the endpoint names; it cannot name what it has not been sent yet."""
    t_s = None if position_ms is None else ledger.microphone_clock.session_s(position_ms * SAMPLES_PER_MS)
    return None if t_s is None else min(t_s, event.t_s)


def _speech_started(ledger: Ledger, event: Event) -> None:
    item = _item(ledger, event, "user")
    if item is None or item.speech_started_s is not None:
        return
    item.spoken, item.speech_started_s = True, event.t_s
    start_ms = as_number(event.data.get("audio_start_ms"))
    padding_ms = as_number(ledger.turn_detection.get("prefix_padding_ms"))
    item.padding_start_s = _heard_s(ledger, start_ms, event)
    if start_ms is not None and padding_ms is not None:
        item.speech_start_s = _heard_s(ledger, start_ms + padding_ms, event)


def _speech_stopped(ledger: Ledger, event: Event) -> None:
    item = _item(ledger, event, "user")
    if item is None or item.speech_stopped_s is not None:
        return
    item.spoken, item.speech_stopped_s = True, event.t_s
    end_ms = as_number(event.data.get("audio_end_ms"))
    silence_ms = as_number(ledger.turn_detection.get("silence_duration_ms"))
    if end_ms is not None and silence_ms is not None:
        item.speech_end_s = _heard_s(ledger, end_ms - silence_ms, event)


def _timed_out(ledger: Ledger, event: Event) -> None:
    item = _item(ledger, event, "user")
    if item is not None:
        item.timed_out = True


def _sent_commit(ledger: Ledger, event: Event) -> None:
    ledger.sent_commit_s = event.t_s


def _committed(ledger: Ledger, event: Event) -> None:
    item = _item(ledger, event, "user")
    if item is None:
        return
    item.spoken = True
    if item.committed_s is None:
        item.committed_s = event.t_s
        if item.speech_stopped_s is None and ledger.sent_commit_s is not None:
            item.sent_s, ledger.sent_commit_s = ledger.sent_commit_s, None
            item.push_to_talk_start_s = ledger.uncommitted_s
    ledger.uncommitted_s = None
    ledger.place(item, as_text(event.data.get("previous_item_id")))


# --- items ----------------------------------------------------------------------------------------------------


def _item(ledger: Ledger, event: Event, role: str | None = None) -> Item | None:
    return None if event.item_id is None else ledger.item(event.item_id, role)


def _sent_item(ledger: Ledger, event: Event) -> None:
    ledger.sent_items.append((event.t_s, as_dict(event.data.get("item"))))


def _added(ledger: Ledger, event: Event) -> None:
    item = _item(ledger, event)
    if item is None:
        return
    payload = as_dict(event.data.get("item"))
    _describe(item, payload)
    if not item.placed and item.sent_s is None and item.response_id is None:
        item.sent_s = _claim_sent(ledger, payload)
    if item.is_user and item.committed_s is None:
        item.committed_s = event.t_s
    if item.is_user or event.type.endswith(".done"):
        _read_content(item, payload)
    ledger.place(item, as_text(event.data.get("previous_item_id")))


def _describe(item: Item, payload: dict[str, object]) -> None:
    item.type = as_text(payload.get("type")) or item.type
    item.role = item.role or as_text(payload.get("role"))
    item.call_id = item.call_id or as_text(payload.get("call_id"))
    if item.type == "message" and item.role == "user":
        content = payload.get("content")
        kinds = [as_dict(part).get("type") for part in content] if isinstance(content, list) else []
        item.spoken = item.spoken or "input_audio" in kinds
        item.typed = item.typed or "input_text" in kinds


def _claim_sent(ledger: Ledger, payload: dict[str, object]) -> float | None:
    """When the client sent an item: by its id, or by what it says if the client left the id to the endpoint."""
    for index, (t_s, sent) in enumerate(ledger.sent_items):
        same_id = "id" in sent and sent["id"] == payload.get("id")
        if same_id or ("id" not in sent and _identity(sent) == _identity(payload)):
            del ledger.sent_items[index]
            return t_s
    return None


def _identity(payload: dict[str, object]) -> tuple[object, ...]:
    texts = [text for _, text in _content_texts(payload)]
    return payload.get("type"), payload.get("role"), payload.get("call_id"), texts


def _content_texts(payload: dict[str, object]) -> list[tuple[int, str]]:
    content = payload.get("content")
    parts = [as_dict(part) for part in content] if isinstance(content, list) else []
    texts = [as_text(part.get("transcript")) or as_text(part.get("text")) for part in parts]
    return [(index, text) for index, text in enumerate(texts) if text]


def _read_content(item: Item, payload: dict[str, object]) -> None:
    for index, text in _content_texts(payload):
        words = item.words.setdefault(index, Words())
        words.final = words.final or text


def _deleted(ledger: Ledger, event: Event) -> None:
    item = _item(ledger, event)
    if item is not None:
        item.deleted = True


def _truncated(ledger: Ledger, event: Event) -> None:
    item = _item(ledger, event)
    if item is not None and item.truncated_s is None:
        item.truncated_s = event.t_s
        item.truncated_ms = as_number(event.data.get("audio_end_ms"))


def _words(item: Item, event: Event) -> Words:
    index = event.data.get("content_index")
    return item.words.setdefault(index if isinstance(index, int) else 0, Words())


def _transcription(ledger: Ledger, event: Event) -> None:
    item = _item(ledger, event, "user")
    if item is None:
        return
    words = _words(item, event)
    if event.type.endswith(".delta"):
        words.deltas += as_text(event.data.get("delta")) or ""
    else:
        words.final = as_text(event.data.get("transcript"))
        item.transcribed_s = event.t_s if item.transcribed_s is None else item.transcribed_s


# --- responses ------------------------------------------------------------------------------------------------


def _requested(ledger: Ledger, event: Event) -> None:
    ledger.sent_request_s = event.t_s


def _response_created(ledger: Ledger, event: Event) -> None:
    response = ledger.response(event)
    if response is not None and response.created_s is None:
        response.created_s = event.t_s
        response.requested_s, ledger.sent_request_s = ledger.sent_request_s, None


def _response_done(ledger: Ledger, event: Event) -> None:
    response = ledger.response(event)
    if response is None or response.done_s is not None:
        return
    response.done_s = event.t_s
    payload = as_dict(event.data.get("response"))
    response.status = as_text(payload.get("status")) or "completed"
    details = as_dict(payload.get("status_details"))
    error = as_dict(details.get("error"))
    reasons = (details.get("reason"), error.get("code"), error.get("type"), error.get("message"))
    response.reason = next((text for text in map(as_text, reasons) if text), None)
    output = payload.get("output")
    for index, entry in enumerate(output if isinstance(output, list) else []):
        item_id = as_text(as_dict(entry).get("id"))
        if item_id is not None:
            item = ledger.item(item_id)
            _describe(item, as_dict(entry))
            _read_content(item, as_dict(entry))
            _belongs(item, response.id, response.item_ids, index)


def _belongs(item: Item, response_id: str, item_ids: list[str], output_index: int) -> None:
    if item.response_id is None:
        item.response_id = response_id
        item.output_index = output_index
        item_ids.append(item.id)


def _output_item(ledger: Ledger, event: Event) -> Item | None:
    """Return the item of a response that an event is about."""
    response = ledger.response(event)
    if response is None or event.item_id is None:
        return None
    item = ledger.item(event.item_id)
    index = event.data.get("output_index")
    _belongs(
        item, response.id, response.item_ids, index if isinstance(index, int) else len(response.item_ids)
    )
    return item


def _output(ledger: Ledger, event: Event) -> None:
    item = _output_item(ledger, event)
    if item is not None:
        payload = as_dict(event.data.get("item"))
        _describe(item, payload)
        if event.type.endswith(".done"):
            _read_content(item, payload)


def _output_text(ledger: Ledger, event: Event) -> None:
    item = _output_item(ledger, event)
    if item is None:
        return
    words = _words(item, event)
    if event.type.endswith(".delta"):
        words.deltas += as_text(event.data.get("delta")) or ""
        item.first_text_s = event.t_s if item.first_text_s is None else item.first_text_s
    else:
        words.final = as_text(event.data.get("transcript")) or as_text(event.data.get("text")) or words.final


def _output_audio(ledger: Ledger, event: Event) -> None:
    item = _output_item(ledger, event)
    if item is not None and event.audio_samples > 0:
        item.deltas.append((event.audio_samples, event.level_dbfs))
        item.first_audio_s = event.t_s if item.first_audio_s is None else item.first_audio_s


def _playback(ledger: Ledger, event: Event) -> None:
    """Take a report of the speaker: so many samples had left it by now."""
    item = _item(ledger, event)
    played = as_number(event.data.get("played_samples"))
    if item is None or played is None or played < 0:
        return
    before = item.played_samples or 0
    item.played_samples = max(before, int(played))
    new_samples = item.played_samples - before
    if new_samples > 0:
        # It cannot have sounded before it arrived, nor before what sounded earlier.
        earliest_s = item.played[-1][1] if item.played else item.first_audio_s
        start_s = event.t_s - new_samples / SAMPLE_RATE_HZ
        start_s = min(event.t_s, start_s if earliest_s is None else max(start_s, earliest_s))
        if item.played and start_s - item.played[-1][1] < PLAYBACK_GAP_S:
            item.played[-1] = (item.played[-1][0], event.t_s)
        else:
            item.played.append((start_s, event.t_s))
        item.playback.reach(item.played_samples, event.t_s)
    if event.data.get("state") == "flushed" and item.flushed_s is None:
        item.flushed_s = event.t_s


_Reader = Callable[["Ledger", Event], object]

READERS: Mapping[str, _Reader] = MappingProxyType(
    {
        "session.created": _session,
        "session.updated": _session,
        "local.closed": _closed,
        "local.playback": _playback,
        "input_audio_buffer.append": _append,
        "input_audio_buffer.commit": _sent_commit,
        "input_audio_buffer.cleared": _cleared,
        "input_audio_buffer.speech_started": _speech_started,
        "input_audio_buffer.speech_stopped": _speech_stopped,
        "input_audio_buffer.timeout_triggered": _timed_out,
        "input_audio_buffer.committed": _committed,
        "conversation.item.create": _sent_item,
        "conversation.item.added": _added,
        "conversation.item.done": _added,
        "conversation.item.deleted": _deleted,
        "conversation.item.truncate": _truncated,
        "conversation.item.input_audio_transcription.delta": _transcription,
        "conversation.item.input_audio_transcription.completed": _transcription,
        "response.create": _requested,
        "response.created": _response_created,
        "response.done": _response_done,
        "response.output_item.added": _output,
        "response.output_item.done": _output,
        "response.output_text.delta": _output_text,
        "response.output_text.done": _output_text,
        "response.output_audio_transcript.delta": _output_text,
        "response.output_audio_transcript.done": _output_text,
        "response.output_audio.delta": _output_audio,
        "response.function_call_arguments.delta": _output_item,
        "response.function_call_arguments.done": _output_item,
    }
)
"""Readers by event type, in the GA vocabulary."""
