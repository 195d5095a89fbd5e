"""Replay a recorded session at the engine, in virtual time: the client's events as recorded, and component
results that stand for what the endpoint's model did.

The recording's own event order says when each result comes in. Its payloads are cut short, so the audio is
silence of `APPEND_MS` a piece; the detector's verdicts are computed from the recorded times of the turn.
"""

from __future__ import annotations

import base64
import math
from typing import TYPE_CHECKING, Any

from engine_driver import Driver
from wire_recordings import RECORDINGS

from rt_notebook.core.dialects import DIALECTS
from rt_notebook.server.engine.abilities import Abilities

if TYPE_CHECKING:
    from wire_recordings import Frame

__all__ = ["APPEND_MS", "FRAME_MS", "EngineReplay", "speech_frames"]

Json = dict[str, Any]

APPEND_MS = 100
FRAME_MS = 32
_DELTA_PCM = bytes(200 * 48)
_TRANSCRIPTION = "conversation.item.input_audio_transcription."
_WORDS = ("response.output_text.delta", "response.output_audio_transcript.delta")
_WORK = (*_WORDS, "response.output_audio.delta", "response.function_call_arguments.delta")


def speech_frames(events: list[Json]) -> list[tuple[int, int]]:
    """Return the spoken frames of each turn as (first, end): padding and silence are taken off the times.

    `events` are server events in GA form; the settings are those of the last session event.
    """
    vad: Json = {}
    found = []
    onset = 0
    for event in events:
        if event["type"] in {"session.created", "session.updated"}:
            vad = event["session"]["audio"]["input"]["turn_detection"] or {}
        elif event["type"] == "input_audio_buffer.speech_started":
            onset = (event["audio_start_ms"] + vad["prefix_padding_ms"]) // FRAME_MS
        elif event["type"] == "input_audio_buffer.speech_stopped":
            silence = math.ceil(vad["silence_duration_ms"] / FRAME_MS)
            found.append((onset, event["audio_end_ms"] // FRAME_MS - silence))
    return found


class EngineReplay:
    """One replay; afterwards `wire` holds what the server sent, in the recording's dialect.

    Parameters
    ----------
    frames, name
        The recording.
    needs_words
        Whether the model that answers reads what was said; otherwise it hears it, as the endpoints' do.
    """

    def __init__(self, frames: list[Frame], name: str, *, needs_words: bool = False) -> None:
        self._dialect = DIALECTS[RECORDINGS[name]]
        self._frames = frames
        self._received = [self._dialect.server_from_wire(f.event) for f in frames if not f.sent]
        self.driver = Driver(
            preview=self._dialect.name != "ga",
            azure=name.startswith("azure"),
            abilities=Abilities(needs_words=needs_words),
        )
        self._calls: list[str] = []
        self._work: dict[str, str] = {}
        self._said: dict[str, int] = {}
        self._begun: set[str] = set()
        self._probabilities()

    def _probabilities(self) -> None:
        frames = sum(f.event["type"] == "input_audio_buffer.append" for f in self._frames) * APPEND_MS
        verdicts = [0.0] * math.ceil(frames / FRAME_MS)
        for first, end in speech_frames(self._received):
            verdicts[first:end] = [0.9] * (end - first)
        self.driver.probabilities = verdicts

    @property
    def wire(self) -> list[Json]:
        """What the server sent, in the recording's dialect."""
        sent = (self._dialect.server_to_wire(event) for event in self.driver.events)
        return [event for event in sent if event is not None]

    def run(self) -> EngineReplay:
        """Replay the whole recording."""
        received = iter(self._received)
        for frame in self._frames:
            if frame.sent:
                self._client(frame.event)
            else:
                self._component(next(received))
        return self

    # -- the client -----------------------------------------------------------------------------------

    def _client(self, event: Json) -> None:
        if event["type"] == "input_audio_buffer.append":
            event = event | {"audio": base64.b64encode(bytes(APPEND_MS * 48)).decode()}
        if event.get("item", {}).get("type") == "function_call_output":
            event = event | {"item": event["item"] | {"call_id": self._our_call(event["item"]["call_id"])}}
        self.driver.take(self.driver.engine.receive(self._dialect.client_from_wire(event)))

    def _our_call(self, recorded: str) -> str:
        done = "response.function_call_arguments.done"
        theirs = [event["call_id"] for event in self._received if event["type"] == done]
        ours = [event["call_id"] for event in self.driver.events if event["type"] == done]
        return ours[theirs.index(recorded)]

    # -- the components -------------------------------------------------------------------------------

    def _component(self, event: Json) -> None:
        """Do what must have gone on behind the endpoint for it to send this event."""
        kind = event["type"]
        if kind in {f"{_TRANSCRIPTION}completed", f"{_TRANSCRIPTION}failed"}:
            if self.driver.transcribing:
                self._transcribe(event)
        elif kind in _WORK:
            self._reply(event)

    def _transcribe(self, event: Json) -> None:
        if event["type"].endswith("failed"):
            self.driver.transcribe(None, event["error"]["message"])
        else:
            self.driver.transcribe(event["transcript"])

    def _reply(self, event: Json) -> None:
        engine, take, recorded = self.driver.engine, self.driver.take, event["response_id"]
        ours = self._work.get(recorded) or self._begin(recorded)
        if event["type"] in _WORDS:
            self._said[ours] = self._said.get(ours, 0) + len(event["delta"])
            take(engine.replied(ours, event["delta"]))
        elif event["type"] == "response.output_audio.delta":
            take(engine.spoke(ours, _DELTA_PCM, self._said.get(ours, 0)))
        else:
            take(engine.called(ours, self._function(event["item_id"]), event["delta"]))
        if event is self._last_work(recorded):
            take(engine.finished(ours))

    def _begin(self, recorded: str) -> str:
        if not self.driver.replying:
            # Our reply reads words, so what is said comes first, however late the recording has it.
            ends = (f"{_TRANSCRIPTION}completed", f"{_TRANSCRIPTION}failed")
            for event in [event for event in self._received if event["type"] in ends]:
                if self.driver.transcribing:
                    self._transcribe(event)
        assert self.driver.replying, f"the engine asks for no reply where the endpoint gave {recorded}"
        self._work[recorded] = self.driver.replying.pop(0).response_id
        return self._work[recorded]

    def _function(self, item_id: str) -> str:
        """Return the function's name with the first piece of its arguments, and nothing after that."""
        if item_id in self._begun:
            return ""
        self._begun.add(item_id)
        added = (e["item"] for e in self._received if e["type"] == "response.output_item.added")
        return next(str(item["name"]) for item in added if item["id"] == item_id)

    def _last_work(self, recorded: str) -> Json:
        return [e for e in self._received if e["type"] in _WORK and e["response_id"] == recorded][-1]
