"""The log of a session between a page, a kernel and an endpoint, with every delay planted.

Time is a number here: the page's clock may be off and drift, messages take as long as the plan says, and the
user's last word ends at a known sample. What a fold finds can be compared with what was planted, exactly.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import numpy as np

from rt_notebook.core.audio import SAMPLE_RATE_HZ, to_pcm
from rt_notebook.core.dialects import DIALECTS
from rt_notebook.core.events import Event
from rt_notebook.core.protocol import ClientProtocol
from rt_notebook.core.recorded_pcm import RecordedPcm
from rt_notebook.log.event_log import EventLog

CHUNK = 960
MICROPHONE_S = 0.3
"""When the first sample was recorded."""
CLIENT = "page-1"


@dataclass
class Plan:
    """Delays in seconds; positions in samples.

    `ways_s` are the shortest and the longest way of a message about clocks, each way drawn by itself.
    """

    speech: tuple[int, int] = (20_000, 70_011)
    silence_ms: int = 500
    page_s: float = 0.004
    mic_carrier_s: float = 0.030
    queue_s: float = 0.002
    round_trip_s: float | None = 0.040
    decision_s: float = 0.015
    commit_s: float = 0.003
    response_s: float = 0.020
    first_audio_s: float = 0.250
    speaker_carrier_s: float = 0.025
    jitter_buffer_s: float = 0.060
    base_latency_s: float = 0.005
    output_latency_s: float = 0.030
    offset_s: float = 0.0
    drift: float = 0.0
    ways_s: tuple[float, float] = (0.001, 0.006)
    noise: float = 0.001
    seed: int = 0
    turns: int = 1
    page: bool = True
    truth: list[dict[str, float]] = field(default_factory=list)
    """The parts of each turn, in milliseconds, as planted; filled by `log`."""

    def on_page(self, t_s: float) -> float:
        return t_s * (1 + self.drift) + self.offset_s

    def log(self) -> EventLog:
        rng = np.random.default_rng(self.seed)
        self.truth.clear()
        events: list[Event] = []
        detection = {
            "type": "server_vad",
            "prefix_padding_ms": 300,
            "silence_duration_ms": self.silence_ms,
        }
        session = {"id": "sess_1", "audio": {"input": {"turn_detection": detection}}}

        def add(t_s: float, direction, type_: str, *, samples: int = 0, **data) -> None:
            data = {"type": type_} | data
            if direction == "received":
                data["event_id"] = f"event_{len(events)}"
            events.append(Event(t_s, direction, type_, data, samples, -20.0 if samples else None))

        add(0.1, "received", "session.created", session=session)
        length = self.speech[1] + 4 * SAMPLE_RATE_HZ
        audio = rng.normal(0, self.noise, length * self.turns)
        for turn in range(self.turns):
            begin, end = (turn * length + edge for edge in self.speech)
            audio[begin:end] += 0.3 * np.sin(np.arange(end - begin) * 0.05)
        protocol = ClientProtocol(DIALECTS["ga"])
        pcm = to_pcm(audio.astype(np.float32))
        sent_s: list[float] = []
        for start in range(0, len(audio), CHUNK):
            chunk = pcm[2 * start : 2 * (start + CHUNK)]
            recorded_s = MICROPHONE_S + (start + len(chunk) // 2) / SAMPLE_RATE_HZ
            if self.page:
                page_sent_s = recorded_s + self.page_s
                arrived_s = page_sent_s + self.mic_carrier_s
                chunk = RecordedPcm(chunk, self.on_page(recorded_s), self.on_page(page_sent_s), arrived_s)
            else:
                arrived_s = recorded_s
            sent_s.append(arrived_s + self.queue_s)
            events.append(protocol.send_audio([chunk], sent_s[-1])[0][1])
        if self.page:
            add(0.2, "local", "local.mic_opened", client=CLIENT, input_latency_s=0.0)
            self._exchange(add, MICROPHONE_S + len(audio) / SAMPLE_RATE_HZ)
        for turn in range(self.turns):
            self._turn(add, turn, turn * length, sent_s)
        return EventLog(sorted(events, key=lambda event: event.t_s))

    def _exchange(self, add, end_s: float) -> None:
        rng = random.Random(self.seed)
        asked_s = 0.15
        while asked_s < end_s:
            received_s = asked_s + rng.uniform(*self.ways_s)
            answered_s = received_s + 0.0002
            arrived_s = answered_s + rng.uniform(*self.ways_s)
            there = {"received_s": self.on_page(received_s), "answered_s": self.on_page(answered_s)}
            add(
                arrived_s,
                "local",
                "local.clock",
                client=CLIENT,
                asked_s=asked_s,
                arrived_s=arrived_s,
                **there,
            )
            asked_s += 0.1 if asked_s < 0.5 else 2.0

    def _turn(self, add, turn: int, origin: int, sent_s: list[float]) -> None:
        begin, end = (origin + edge for edge in self.speech)
        item, answer, response = f"user_{turn}", f"answer_{turn}", f"resp_{turn}"
        begin_s = MICROPHONE_S + begin / SAMPLE_RATE_HZ
        add(begin_s + 0.2, "received", "input_audio_buffer.speech_started", item_id=item,
            audio_start_ms=max(0, round(begin / 24) - 300))  # fmt: skip
        if self.round_trip_s is not None:
            add(begin_s + 0.3, "local", "local.round_trip", round_trip_s=self.round_trip_s)
        # The detector decides on a grid of 32 ms.
        decided = -(-(end + self.silence_ms * 24) // 768) * 768
        way_s = self.round_trip_s or 0.0
        last_s, chunk_s = sent_s[(end - 1) // CHUNK], sent_s[(decided - 1) // CHUNK]
        stopped_s = chunk_s + way_s + self.decision_s
        add(stopped_s, "received", "input_audio_buffer.speech_stopped", item_id=item,
            audio_end_ms=decided // 24)  # fmt: skip
        t_s = stopped_s + self.commit_s
        add(t_s, "received", "input_audio_buffer.committed", item_id=item, previous_item_id=None)
        t_s += self.response_s
        resp = {"id": response, "conversation_id": "conv_1", "status": "in_progress", "output": []}
        add(t_s, "received", "response.created", response=resp)
        first_s = t_s + self.first_audio_s
        where = {"response_id": response, "item_id": answer, "output_index": 0, "content_index": 0}
        add(first_s, "received", "response.output_audio.delta", samples=24_000, **where)
        add(first_s + 0.05, "received", "response.done", response=resp | {"status": "completed"})
        arrived_s = first_s + self.speaker_carrier_s
        started_s = arrived_s + self.jitter_buffer_s
        heard_s = started_s + self.base_latency_s + self.output_latency_s
        times = {
            "client": CLIENT,
            "page_arrived_s": self.on_page(arrived_s),
            "page_started_s": self.on_page(started_s),
            "base_latency_s": self.base_latency_s,
            "output_latency_s": self.output_latency_s,
        }
        if self.page:
            report = {"item_id": answer, "state": "playing", "played_samples": 128, "dropped_samples": 0}
            add(started_s + 0.02, "local", "local.playback", **report, **times)
        recorded_s = MICROPHONE_S + end / SAMPLE_RATE_HZ
        moments = {
            "mic_carrier_ms": last_s - self.queue_s,
            "socket_ms": last_s + way_s,
            "vad_wait_ms": stopped_s,
            "commit_ms": stopped_s + self.commit_s,
            "response_ms": t_s,
            "first_audio_ms": first_s,
        }
        if self.page:
            moments = {"capture_ms": last_s - self.queue_s - self.mic_carrier_s} | moments
            moments |= {
                "speaker_carrier_ms": arrived_s,
                "jitter_buffer_ms": started_s,
                "output_ms": heard_s,
            }
        else:
            del moments["mic_carrier_ms"]
        parts, before_s = {}, recorded_s
        for part, moment_s in moments.items():
            parts[part] = 1000 * (moment_s - before_s)
            before_s = moment_s
        self.truth.append(parts | {"total_ms": 1000 * (before_s - recorded_s)})
