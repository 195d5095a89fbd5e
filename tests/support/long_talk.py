"""A conversation of hours with a scripted endpoint on loopback, as fast as it goes: audio both ways."""

from __future__ import annotations

import base64
import hashlib
from contextlib import asynccontextmanager

import msgspec
import numpy as np
from websockets.asyncio.server import serve

from rt_notebook.core.audio import SAMPLE_RATE_HZ, SAMPLES_PER_MS

CHUNK_MS = 40
SPOKEN_S = 6.0
"""What the user says in a turn, silence included; every part of it is sent."""
ANSWERED_S = 4.0
DELTA_MS = 200
INTERRUPTED_EVERY = 8

encode, decode = msgspec.json.encode, msgspec.json.decode


class Track:
    """One direction's audio: how much, and a hash of all of it."""

    def __init__(self):
        self.samples, self._hash = 0, hashlib.sha256()
        self._noise = np.random.default_rng(1).integers(-9000, 9000, 4 * SAMPLE_RATE_HZ, dtype="<i2")

    def take(self, pcm):
        self.samples += len(pcm) // 2
        self._hash.update(pcm)
        return pcm

    def make(self, ms):
        """The next piece of sound: noise, no two pieces of which are alike."""
        length = ms * SAMPLES_PER_MS
        start = (self.samples * 7) % (self._noise.size - length)
        return self.take(
            np.uint32(self.samples).tobytes() + self._noise[start : start + length - 2].tobytes()
        )

    @property
    def told(self):
        return self.samples, self._hash.hexdigest()


class Talker:
    """The endpoint: hears a turn's length of audio, and answers with as many events as the vendors send."""

    def __init__(self):
        self.heard, self.said = Track(), Track()
        self.truncated = self.turns = 0

    async def __call__(self, socket):
        session = {"id": "sess_long", "audio": {"input": {"turn_detection": {"type": "server_vad"}}}}
        await self._send(socket, "session.created", session=session)
        due = 0
        async for frame in socket:
            event = decode(frame)
            match event["type"]:
                case "input_audio_buffer.append":
                    due += len(self.heard.take(base64.b64decode(event["audio"]))) // 2
                    if due >= SPOKEN_S * SAMPLE_RATE_HZ:
                        due = 0
                        await self._turn(socket)
                case "session.update":
                    await self._send(socket, "session.updated", session=session | event["session"])
                case "conversation.item.truncate":
                    self.truncated += 1

    async def _send(self, socket, type_, **fields):
        self._count = getattr(self, "_count", 0) + 1
        await socket.send(
            encode({"type": type_, "event_id": f"event_{self._count:022d}"} | fields), text=True
        )

    async def _turn(self, socket):
        self.turns += 1
        n, at_ms = self.turns, self.heard.samples // SAMPLES_PER_MS
        user_id, item_id, response_id = (f"{kind}_{n:021d}" for kind in ("user", "item", "resp"))
        where = {"item_id": item_id, "response_id": response_id, "output_index": 0, "content_index": 0}
        user = {"id": user_id, "type": "message", "role": "user", "content": [{"type": "input_audio"}]}
        item = {"id": item_id, "type": "message", "role": "assistant", "content": []}
        response = {"id": response_id, "object": "realtime.response", "conversation_id": "conv_1"}
        for type_, fields in (
            ("input_audio_buffer.speech_started", {"item_id": user_id, "audio_start_ms": at_ms - 5000}),
            ("input_audio_buffer.speech_stopped", {"item_id": user_id, "audio_end_ms": at_ms - 10}),
            ("input_audio_buffer.committed", {"item_id": user_id, "previous_item_id": None}),
            ("conversation.item.added", {"item": user}),
            ("conversation.item.done", {"item": user}),
            ("response.created", {"response": response | {"status": "in_progress", "output": []}}),
            ("response.output_item.added", {"response_id": response_id, "output_index": 0, "item": item}),
            ("conversation.item.added", {"item": item, "previous_item_id": user_id}),
            ("response.content_part.added", where | {"part": {"type": "audio", "transcript": ""}}),
        ):
            await self._send(socket, type_, **fields)
        words = f"input {n}"
        transcribed = "conversation.item.input_audio_transcription.completed"
        await self._send(socket, transcribed, item_id=user_id, content_index=0, transcript=words)
        pieces = round(ANSWERED_S * 1000 / DELTA_MS)
        for piece in range(pieces):
            audio = base64.b64encode(self.said.make(DELTA_MS)).decode()
            await self._send(
                socket, "response.output_audio_transcript.delta", **where, delta=f"word {piece} "
            )
            await self._send(socket, "response.output_audio.delta", **where, delta=audio)
            if n % INTERRUPTED_EVERY == 0 and piece == pieces // 2:
                started = {"item_id": f"user_{n + 1:021d}", "audio_start_ms": at_ms}
                await self._send(socket, "input_audio_buffer.speech_started", **started)
        done = item | {
            "status": "completed",
            "content": [{"type": "output_audio", "transcript": f"answer {n}"}],
        }
        await self._send(socket, "response.output_audio.done", **where)
        await self._send(socket, "response.output_audio_transcript.done", **where, transcript=f"answer {n}")
        await self._send(
            socket, "response.output_item.done", response_id=response_id, output_index=0, item=done
        )
        whole = response | {"status": "completed", "output": [done], "usage": {"total_tokens": 100}}
        await self._send(socket, "response.done", response=whole)


class Ear:
    """A speaker that plays at once, and reports as a page does."""

    def __init__(self):
        self._report, self._samples = None, {}

    def attach(self, report):
        self._report = report

    def play(self, item_id, pcm):
        first = item_id not in self._samples
        self._samples[item_id] = self._samples.get(item_id, 0) + len(pcm) // 2
        if first:
            self._report(item_id, self._samples[item_id], "playing")

    def end(self, item_id):
        self._report(item_id, self._samples.pop(item_id, 0), "ended")

    def flush(self):
        for item_id, samples in self._samples.items():
            self._report(item_id, samples // 2, "flushed")
        self._samples.clear()


@asynccontextmanager
async def talking():
    """Give an endpoint, and the address at which it is."""
    talker = Talker()
    async with serve(talker, "127.0.0.1", 0, max_size=None, compression=None, ping_interval=None) as server:
        yield talker, f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1/realtime"
