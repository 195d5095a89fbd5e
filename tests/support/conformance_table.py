"""What conformance to the Realtime API means: every event of both dialects, and every rule.

The events are those that openai-python knows. The rules are what documents and recorded sessions tell of
order, defaults, limits, errors and times; where those two differ, the recordings count. `docs/conformance.md`
is made from this table and the tests' outcomes; see `tests/support/conformance.py`.
"""

# ruff: noqa: E501 - a rule is a line, and reads best as one
from __future__ import annotations

from typing import Any, get_args

from openai.types.beta.realtime import RealtimeClientEvent as PreviewClientEvent
from openai.types.realtime import RealtimeClientEvent as GaClientEvent
from strict_models import MODELS

__all__ = ["CLIENT_EVENTS", "NOT_SERVED", "RULES", "SERVER_EVENTS", "ids"]


def _types(union: Any) -> list[str]:
    models = get_args(get_args(union)[0])
    return sorted(get_args(model.model_fields["type"].annotation)[0] for model in models)


CLIENT_EVENTS = {"ga": _types(GaClientEvent), "preview": _types(PreviewClientEvent)}
"""For each dialect, the events that a client may send."""

SERVER_EVENTS = {dialect: sorted(models) for dialect, models in MODELS.items()}
"""For each dialect, the events that a server may send."""

_WEBRTC = "over WebRTC and SIP only: over a WebSocket the client holds the audio that is to be played"
_MCP = "tools of MCP servers are not called: they would have to be reached over the network"

NOT_SERVED = {
    "client/*/output_audio_buffer.clear": _WEBRTC,
    "server/*/output_audio_buffer.*": _WEBRTC,
    "server/ga/input_audio_buffer.dtmf_event_received": "over SIP only: there are no telephones here",
    "server/ga/mcp_list_tools.*": _MCP,
    "server/ga/response.mcp_call*": _MCP,
    "server/*/conversation.created": "documented, but no recorded endpoint sends it",
    "server/ga/conversation.item.created": "the preview dialect's; in GA it is added and done",
    "server/ga/conversation.item.input_audio_transcription.segment": "the transcriber does not tell speakers apart",
    "rule/items.image": "no local component sees",
}
"""Patterns of what is not served, and why."""

RULES = {
    "connection": {
        "path-openai": "`/v1/realtime` speaks GA, and preview where the beta header or subprotocol asks for it.",
        "path-azure": "`/openai/v1/realtime` speaks GA, `/openai/realtime` with a deployment speaks preview.",
        "path-refused": "A GA path with an api-version is refused with 401, a missing deployment or path with 404.",
        "key": "The key is taken from bearer token, `api-key` header, query or subprotocol; a wrong one is 401.",
        "subprotocol": "`realtime` is selected where it is offered, and nothing is required where it is not.",
        "any-model": "Any name of a model or deployment is taken, and told in the session.",
        "ephemeral-ga": "`POST /v1/realtime/client_secrets` makes a key that opens sessions until it expires.",
        "ephemeral-preview": "The preview paths for ephemeral keys answer with a session and its `client_secret`.",
        "expiry": "A session ends at `expires_at`: error `session_expired`, then close 1001 with the same reason.",
        "survives-errors": "The socket stays open after an error, and the session is whole.",
    },
    "session": {
        "created-first": "`session.created` is the first event, with the session in full.",
        "defaults": "Defaults are the recorded ones: server VAD 0.5/300/200 that answers and interrupts, voice alloy.",
        "update-full": "An update is answered with one `session.updated` that holds the session in full.",
        "update-merge": "Only the keys that are present change, also below `audio`.",
        "update-clear": "`[]` clears tools, null turns off detection, transcription and noise reduction.",
        "update-instructions": 'Instructions of `""` bring the default ones back.',
        "update-whole": "A bad update changes nothing at all.",
        "type-required": "A GA update without `session.type` is refused: `missing_required_parameter`.",
        "unknown-parameter": "Settings of the other dialect, and unknown ones, are refused: `unknown_parameter`.",
        "one-modality": "GA has one output modality, audio or text; preview has text, or text and audio.",
        "temperature": "Only preview has a temperature, from 0.6 to 1.2.",
        "max-tokens": "The token limit is 1 to 4096 or `inf`.",
        "speed": "Speed is 0.25 to 1.5.",
        "vad-range": "A threshold is 0 to 1; paddings, silences and time-outs are whole numbers in their range.",
        "voice-lock": "The voice cannot change once the assistant has spoken: `cannot_update_voice`.",
        "tracing-lock": "Tracing cannot change once it is set.",
        "vad-none": "Azure's early `turn_detection` of type `none` turns detection off.",
        "transcription-ga": "A GA session with the intent `transcription` writes down, and answers nothing.",
        "kind-lock": "A conversation does not become a transcription session, nor the other way round.",
        "transcription-preview": "`transcription_session.update` does so in preview.",
    },
    "input": {
        "append-silent": "Appended audio is not answered.",
        "append-limit": "An append of more than 15 MiB is refused, and so is what is not base64.",
        "commit": "A commit is answered with `committed` and the item's events, and starts no response.",
        "commit-empty": "A commit of less than 100 ms is refused: `input_audio_buffer_commit_empty`.",
        "clear": "A clear is answered with `cleared`, and the audio is gone.",
        "vad-order": "A spoken turn: started, stopped, committed, the item's events, `response.created`.",
        "vad-one-item": "One item id runs through a turn.",
        "clock": "Times count all audio since the session began; no commit or clear sets them back.",
        "start-padding": "The start includes the prefix padding and, with it, lies on the 32 ms grid.",
        "end-silence": "The end includes the silence and lies on the 32 ms grid.",
        "turn-audio": "The committed audio is what lies between start and end.",
        "chunking": "However audio is cut into appends, the turns are the same.",
        "create-off": "With `create_response` off a turn is committed and not answered.",
        "interrupt-off": "With `interrupt_response` off speech does not cancel a response.",
        "no-vad": "Without turn detection there are no speech events; the client commits.",
        "semantic": "Semantic VAD finds turns; how long it waits at most depends on its eagerness.",
        "idle": "After `idle_timeout_ms` of nobody speaking: `timeout_triggered`, an empty turn, and a response.",
        "g711": "G.711 audio is taken and given in both laws, at 8 kHz.",
    },
    "transcription": {
        "asked": "Transcriptions are sent only where the session asks for them.",
        "by-item": "They name the item and part that they belong to; their place among other events is free.",
        "usage": "Their usage is the duration in whole seconds, rounded up.",
        "failed": "A transcription that fails says why, with a code, and does not end the session.",
    },
    "items": {
        "create": "A created item is told: added and done in GA, created in preview.",
        "place": "`previous_item_id`: absent puts it last, `root` first, an id after that item; an unknown one fails.",
        "id": "A client's id is kept; one that exists already is refused.",
        "parts": "Parts have the names of their role and dialect; others are refused.",
        "history": "Earlier turns can be put in as items, the assistant's as text; assistant audio is refused.",
        "audio-item": "A user's item may hold audio, which is written down like a spoken turn.",
        "image": "A user's item may hold an image.",
        "call-output": "A `function_call_output` has to answer a call of the conversation.",
        "retrieve": "A retrieved item comes with its audio.",
        "delete": "A deleted item is forgotten, also by the model.",
        "unknown-id": "Unknown ids are refused: `item_{retrieve,delete,truncate}_invalid_item_id`.",
        "truncate": "A truncation cuts speech at what was heard and takes the transcript away.",
        "truncate-past": "A truncation past the audio is refused: `already shorter than`.",
        "truncate-text": "What is no speech of the assistant cannot be truncated: `unsupported_content_type`.",
        "order": "Each item names the one before it.",
    },
    "response": {
        "created": "A response begins without output and usage, with the settings that it will have.",
        "text-order": "Text: item added, part added, deltas, text done, part done, item done, response done.",
        "audio-order": "Speech: the same, with transcript ahead of audio, and audio done ahead of transcript done.",
        "call-order": "A call: item added, deltas of its arguments, arguments done, item done; it has no parts.",
        "several-items": "A response may hold words and calls: each has an output index of its own.",
        "part-names": "Parts in part events are `audio` and `text` in both dialects.",
        "one-at-a-time": "One response at a time: `conversation_already_has_active_response`.",
        "overrides": "Settings of a `response.create` count for that response only.",
        "metadata": "Metadata is echoed; 16 pairs at most, keys up to 64 and values up to 512 characters.",
        "out-of-band": "With conversation `none` nothing enters the conversation, and several may run at once.",
        "input": "`input` takes the place of the conversation; it may refer to items of it, and be empty.",
        "cancel": "A cancel ends the response as cancelled by the client; its items are incomplete.",
        "cancel-none": "A cancel of nothing is refused: `response_cancel_not_active`.",
        "barge-in": "Speech cancels the response (`turn_detected`), after `speech_started`.",
        "max-tokens": "A response that reaches its token limit is incomplete: `max_output_tokens`.",
        "failed": "A response that fails says why in `status_details.error`.",
        "usage": "Usage adds up; speech of the assistant is a token for 50 ms, of the user one for 100 ms.",
        "tool-choice": "`none` calls no function, `required` some function, a name that one.",
        "call-answer": "The output of a function is read by the next response.",
        "call-early-output": "The output of a call may be sent before its response is done.",
        "rate-limits": "On OpenAI's paths the rate limits follow on `response.done`; on Azure's there are none.",
        "formats": "The audio of a response is in the session's output format, or its own.",
    },
    "errors": {
        "event-id": "An error names the id of the event that it answers.",
        "unknown-event": "An unknown event type is refused.",
        "no-event": "A frame that is not JSON, no object or without a type is refused: `invalid_event`.",
        "missing": "A missing field is named in `param`.",
    },
    "wire": {
        "strict-ga": "Every GA event is right for openai-python's models, to the last field.",
        "strict-preview": "Every preview event is right for openai-python's beta models, to the last field.",
        "recordings": "Recorded clients get, replayed, the events that the recorded endpoint sent.",
        "recordings-fields": "No field of the recorded endpoints is missing.",
        "recordings-times": "From the same speech, turns begin and end at the recorded times.",
        "spoken-turn": "openai-python finishes a spoken turn in both dialects.",
        "typed-turn": "openai-python finishes a typed turn in both dialects.",
        "tool-turn": "openai-python finishes a turn with a function in both dialects.",
        "interrupted-turn": "openai-python finishes an interrupted turn in both dialects.",
        "any-frames": "No frame raises anything but the declared errors, in either dialect.",
        "any-sequence": "No sequence of events, legal or not, breaks the order of what is sent.",
    },
}
"""By chapter: the name of each rule, and the rule."""


def ids() -> list[str]:
    """Return every id, in the order of the page: ``client/ga/response.cancel``, ``rule/input.commit``."""
    return [
        *(f"client/{dialect}/{kind}" for dialect, kinds in CLIENT_EVENTS.items() for kind in kinds),
        *(f"server/{dialect}/{kind}" for dialect, kinds in SERVER_EVENTS.items() for kind in kinds),
        *(f"rule/{chapter}.{name}" for chapter, rules in RULES.items() for name in rules),
    ]
