"""Logs of sessions that are written down as a script: who speaks when, what is answered, what is heard.

The times of all events follow from the script, as they would in a session with an endpoint: the microphone
sends 40 ms chunks from `MICROPHONE_S` on, turn detection decides after its silence, answers arrive faster
than they sound and the speaker reports every 100 ms. Tests know what must come out, because they know the
script.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from rt_notebook.core.audio import SAMPLE_RATE_HZ, to_pcm
from rt_notebook.core.envelope import STEP_SAMPLES, levels_and_envelopes
from rt_notebook.core.events import Event
from rt_notebook.log.event_log import EventLog

MICROPHONE_S = 0.2
CHUNK_S = 0.04
ONSET_DELAY_S = 0.1
"""From the onset of speech to the arrival of `speech_started`."""
WAY_S = 0.02
"""From a decision of the endpoint to its arrival."""
COMMIT_S = 0.005
RESPONSE_S = 0.05
SPEED = 4.0
"""How much faster than it sounds an answer arrives."""


class Script:
    def __init__(self, *, silence_ms: int = 500, padding_ms: int = 300) -> None:
        self.silence_ms, self.padding_ms = silence_ms, padding_ms
        self.events: list[tuple[float, int, Event]] = []
        self.speech: list[tuple[float, float]] = []
        self.end_s = 0.0
        self.last_item: str | None = None
        self.typed: list[dict[str, Any]] = []
        self.lives = 1
        self.count = 0
        detection = {"type": "server_vad", "prefix_padding_ms": padding_ms, "silence_duration_ms": silence_ms}
        session = {"id": "sess_1", "audio": {"input": {"turn_detection": detection}}}
        self.add(0.05, "received", "session.created", session=session)

    def add(self, t_s, direction, type_, *, samples=0, level_dbfs=None, **data: Any) -> None:
        if direction == "received":
            data["event_id"] = f"event_{len(self.events)}"
        event = Event(t_s, direction, type_, data, samples, level_dbfs)
        self.events.append((t_s, len(self.events), event))
        self.end_s = max(self.end_s, t_s)

    def say(self, text: str | None, start_s: float, end_s: float, *, transcribed_s: float = 0.4) -> str:
        """The user speaks; turn detection ends the turn. Returns the item's id."""
        self.count += 1
        item_id = f"item_user_{self.count}"
        self.speech.append((start_s, end_s))
        start_ms = round((start_s - MICROPHONE_S) * 1000) - self.padding_ms
        end_ms = round((end_s - MICROPHONE_S) * 1000) + self.silence_ms
        self.vad("speech_started", start_s + ONSET_DELAY_S, item_id=item_id, audio_start_ms=start_ms)
        stopped_s = end_s + self.silence_ms / 1000 + WAY_S
        self.vad("speech_stopped", stopped_s, item_id=item_id, audio_end_ms=end_ms)
        self.vad("committed", stopped_s + COMMIT_S, item_id=item_id, previous_item_id=self.last_item)
        content = [{"type": "input_audio", "transcript": None}]
        self.item(stopped_s + COMMIT_S, item_id, "user", content)
        if text is not None:
            kind = "conversation.item.input_audio_transcription.completed"
            self.add(
                stopped_s + transcribed_s, "received", kind, item_id=item_id, content_index=0, transcript=text
            )
        return item_id

    def vad(self, name: str, t_s: float, **data: Any) -> None:
        self.add(t_s, "received", f"input_audio_buffer.{name}", **data)

    def type(self, text: str, t_s: float) -> str:
        """The user sends a typed message and asks for an answer. Returns the item's id."""
        self.count += 1
        item_id = f"item_user_{self.count}"
        content = [{"type": "input_text", "text": text}]
        item = {"type": "message", "role": "user", "content": content}
        self.add(t_s, "sent", "conversation.item.create", item=item)
        self.add(t_s, "sent", "response.create")
        self.item(t_s + WAY_S, item_id, "user", content)
        self.typed.append({"id": item_id} | item)
        return item_id

    def call(self, t_s: float) -> str:
        """The model calls a function, from `t_s` on, and waits for its output. Returns the call's id."""
        n = len(self.events)
        call_id, response_id = f"call_{n}", f"resp_call_{n}"
        item = {"id": f"item_call_{n}", "type": "function_call", "call_id": call_id, "name": "look"}
        item["arguments"] = "{}"
        response = {"id": response_id, "conversation_id": "conv_1", "status": "in_progress", "output": []}
        where = {"response_id": response_id, "output_index": 0}
        self.add(t_s, "received", "response.created", response=response)
        self.add(t_s + 0.01, "received", "response.output_item.added", **where, item=item)
        self._added(t_s + 0.01, item)
        response = response | {"status": "completed", "output": [item]}
        self.add(t_s + 0.02, "received", "response.done", response=response)
        return call_id

    def output(self, call_id: str, t_s: float) -> None:
        """The client tells the output of a function, and asks for the answer."""
        item = {"id": f"item_output_{call_id}", "type": "function_call_output", "call_id": call_id}
        self.add(t_s, "sent", "conversation.item.create", item=item | {"output": "done"})
        self._added(t_s + WAY_S, item | {"output": "done"})
        self.add(t_s + WAY_S, "sent", "response.create")

    def lose(self, t_s: float) -> None:
        """The connection is lost; the next one is told what was typed, and nothing else."""
        self.lives += 1
        self.add(t_s, "local", "local.closed", by="loss", expected=False, generation=self.lives - 1)
        session = {"id": f"sess_{self.lives}"}
        self.add(t_s + 0.1, "local", "local.connected", generation=self.lives)
        self.add(t_s + 0.1, "received", "session.created", session=session)
        self.last_item = None
        for item in self.typed:
            self._added(t_s + 0.15, item)
        self.add(t_s + 0.2, "local", "local.gap", generation=self.lives, length_s=0.2)

    def item(self, t_s: float, item_id: str, role: str, content: list[dict[str, Any]]) -> None:
        item = {"id": item_id, "type": "message", "role": role, "content": content}
        self._added(t_s, item)
        if role == "user":
            self.add(t_s, "received", "conversation.item.done", item=item, previous_item_id=None)

    def _added(self, t_s: float, item: dict[str, Any]) -> None:
        self.add(t_s, "received", "conversation.item.added", item=item, previous_item_id=self.last_item)
        self.last_item = item["id"]

    def answer(
        self, text, t_s, lasting_s, *, first_audio_s=0.3, heard_s=None, speaker=True, status="completed"
    ):
        """The assistant answers from `t_s` on (its `response.created`). Returns the item's id.

        `heard_s` is after how much playing the user cut it short. `speaker=False` is a session without one.
        """
        n = self.count
        item_id, response_id = f"item_answer_{n}_{len(self.events)}", f"resp_{n}_{len(self.events)}"
        where = {"response_id": response_id, "item_id": item_id, "output_index": 0, "content_index": 0}
        response = {"id": response_id, "conversation_id": "conv_1", "status": "in_progress", "output": []}
        self.add(t_s, "received", "response.created", response=response)
        item = {"id": item_id, "type": "message", "role": "assistant", "content": []}
        self.add(
            t_s + 0.01,
            "received",
            "response.output_item.added",
            response_id=response_id,
            output_index=0,
            item=item,
        )
        self.item(t_s + 0.01, item_id, "assistant", [])
        begin_s = t_s + first_audio_s
        received_s = lasting_s if heard_s is None else min(lasting_s, max(heard_s * 1.6, heard_s + 0.5))
        words = text.split(" ")
        pieces = max(1, round(received_s / 0.2))
        for i in range(pieces):
            at_s = begin_s + i * 0.2 / SPEED
            share = words[i * len(words) // pieces : (i + 1) * len(words) // pieces]
            for word in share:
                delta = word if word is words[0] else " " + word
                kind = "response.output_audio_transcript.delta"
                self.add(at_s - 0.001, "received", kind, **where, delta=delta)
            level = -18.0 - 14.0 * abs(math.sin(1.7 * i + n))
            self.add(at_s, "received", "response.output_audio.delta", **where, samples=4800, level_dbfs=level)
        done_s = begin_s + pieces * 0.2 / SPEED
        if status == "completed":
            self.add(done_s, "received", "response.output_audio_transcript.done", **where, transcript=text)
        details = {"type": "cancelled", "reason": "turn_detected"} if status == "cancelled" else None
        response = response | {"status": status, "status_details": details}
        self.add(done_s + 0.01, "received", "response.done", response=response)
        if speaker:
            self._play(item_id, begin_s + 0.08, pieces * 0.2, heard_s)
        return item_id

    def _play(self, item_id: str, begin_s: float, audio_s: float, heard_s: float | None) -> None:
        stop_s = audio_s if heard_s is None else min(heard_s, audio_s)
        reports = int(stop_s / 0.1)
        for i in range(1, reports + 1):
            self.playback(begin_s + i * 0.1, item_id, i * 0.1, "playing")
        self.playback(begin_s + stop_s, item_id, stop_s, "ended" if heard_s is None else "flushed")
        if heard_s is not None:
            cut_ms = round(stop_s * 1000)
            self.add(
                begin_s + stop_s, "sent", "conversation.item.truncate", item_id=item_id, audio_end_ms=cut_ms
            )

    def playback(self, t_s: float, item_id: str, played_s: float, state: str) -> None:
        samples = round(played_s * SAMPLE_RATE_HZ)
        self.add(t_s, "local", "local.playback", item_id=item_id, played_samples=samples, state=state)

    def log(self, *, microphone: bool = True) -> EventLog:
        """The log, in the order of time."""
        events = list(self.events)
        if microphone:
            chunks = math.ceil((self.end_s + 0.5 - MICROPHONE_S) / CHUNK_S)
            for i in range(chunks):
                ((level, envelope),) = levels_and_envelopes([self._chunk(i)])
                samples = round(CHUNK_S * SAMPLE_RATE_HZ)
                event = Event(
                    MICROPHONE_S + (i + 1) * CHUNK_S,
                    "sent",
                    "input_audio_buffer.append",
                    {"envelope": envelope},
                    samples,
                    level,
                )
                # A chunk leaves ahead of what answers it.
                events.append((event.t_s, -1, event))
        return EventLog([event for _, _, event in sorted(events, key=lambda entry: entry[:2])])

    def _chunk(self, i: int) -> bytes:
        """A chunk of the microphone, 5 ms after 5 ms: noise, or somebody speaks."""
        steps = round(CHUNK_S / 0.005)
        noise_dbfs = -62.0 + 4.0 * math.sin(i)
        voice_dbfs = -20.0 - 16.0 * abs(math.sin(0.45 * i) * math.cos(0.13 * i))
        middles_s = [MICROPHONE_S + i * CHUNK_S + (step + 0.5) * 0.005 for step in range(steps)]
        spoken = [any(start <= t_s < end for start, end in self.speech) for t_s in middles_s]
        levels = np.where(spoken, voice_dbfs, noise_dbfs)
        return to_pcm(np.repeat(10 ** (levels / 20), STEP_SAMPLES))


def conversation() -> EventLog:
    """Three turns: answered, interrupted by the next, and typed."""
    script = Script()
    script.say("What's the weather like in Lisbon today?", 1.0, 2.9)
    script.answer(
        "It is sunny in Lisbon, with a light breeze from the sea and about twenty two degrees.",
        3.48,
        5.2,
        heard_s=2.6,
        status="cancelled",
    )
    script.say("And tomorrow?", 6.42, 7.3)
    script.answer("Tomorrow brings a few clouds, but it stays dry.", 7.88, 2.8, first_audio_s=0.42)
    script.type("Thanks!", 11.8)
    script.answer("You are welcome.", 11.87, 1.2, first_audio_s=0.25)
    return script.log()
