"""Drive the server's engine in virtual time: results of components come when the test says so."""

from __future__ import annotations

import base64
import random

from rt_notebook.server.engine.effects import (
    CancelReply,
    CancelTranscribe,
    Close,
    Detect,
    JudgeEnd,
    MakeReply,
    Prepare,
    Send,
    Transcribe,
)
from rt_notebook.server.engine.engine import Engine

FRAME = bytes(768 * 2)


class Driver:
    """Answer the engine's effects from what the test has put into it."""

    def __init__(self, seed: int = 1, **options) -> None:
        self.engine = Engine(
            model="local", chance=random.Random(seed), expires_at_s=1_800_000_000, components={}, **options
        )
        self.events: list[dict] = []
        self.transcribing: list[Transcribe] = []
        self.replying: list[MakeReply] = []
        self.cancelled: list[str] = []
        self.preparing: list[Prepare] = []
        self.judging: list[JudgeEnd] = []
        self.closed: Close | None = None
        self.probabilities: list[float] = []
        self.take(self.engine.start())

    def take(self, effects) -> None:
        for effect in effects:
            match effect:
                case Send(event):
                    self.events.append(event)
                case Detect(frames):
                    judged = [self.probabilities.pop(0) if self.probabilities else 0.0 for _ in frames]
                    self.take(self.engine.detected(judged))
                case Transcribe():
                    self.transcribing.append(effect)
                case MakeReply():
                    self.replying.append(effect)
                case CancelTranscribe(job_id):
                    self.transcribing = [work for work in self.transcribing if work.job_id != job_id]
                    self.cancelled.append(job_id)
                case CancelReply(job_id):
                    self.replying = [work for work in self.replying if work.response_id != job_id]
                    self.cancelled.append(job_id)
                case Prepare():
                    self.preparing.append(effect)
                case JudgeEnd():
                    self.judging.append(effect)
                case Close():
                    self.closed = effect

    def send(self, type_: str, **fields) -> None:
        self.take(self.engine.receive({"type": type_} | fields))

    def hear(self, *probabilities: float) -> None:
        """Append one frame of audio for each probability."""
        self.probabilities = list(probabilities)
        audio = base64.b64encode(FRAME * len(probabilities)).decode()
        self.send("input_audio_buffer.append", audio=audio)

    def say_turn(self) -> None:
        """A spoken turn of 20 frames, with the 200 ms of silence that end it."""
        self.hear(*[0.9] * 20, *[0.0] * 7)

    def transcribe(self, text: str | None = "hello there", problem: str | None = None) -> None:
        self.take(self.engine.transcribed(self.transcribing.pop(0).job_id, text, problem))

    def call(self, name: str, *arguments: str, end: bool = True) -> None:
        work = self.replying.pop(0)
        self.take(self.engine.called(work.response_id, name, ""))
        for piece in arguments:
            self.take(self.engine.called(work.response_id, "", piece))
        if end:
            self.take(self.engine.finished(work.response_id))

    def reply(self, *sentences: str, end: bool = True) -> str:
        work = self.replying.pop(0)
        said = 0
        for sentence in sentences:
            said += len(sentence)
            self.take(self.engine.replied(work.response_id, sentence))
            if work.aloud:
                self.take(self.engine.spoke(work.response_id, bytes(48 * 1000), said))
        if end:
            self.take(self.engine.finished(work.response_id))
        return work.response_id

    def types(self) -> list[str]:
        return [event["type"] for event in self.events]

    def folded(self, since: int = 0) -> list[str]:
        """Types of the events, a run of one kind counted once."""
        types = self.types()[since:]
        return [kind for at, kind in enumerate(types) if at == 0 or kind != types[at - 1]]

    def last(self, type_: str) -> dict:
        return next(event for event in reversed(self.events) if event["type"] == type_)
