"""Clients for load tests: each speaks its own sentence in real time and checks what comes back."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import json
import time
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

FRAME_MS = 20
BYTES_PER_MS = 48
FRAME_BYTES = FRAME_MS * BYTES_PER_MS
SILENCE = bytes(FRAME_BYTES)
PING_EVERY_FRAMES = 25


def digest(pcm: bytes) -> str:
    return hashlib.sha256(pcm).hexdigest()[:16]


@dataclass
class Turn:
    """What one spoken turn brought; times are of `time.perf_counter`."""

    start_ms: int
    sent: str = ""
    decided_s: float = 0.0
    stopped_s: float = 0.0
    first_audio_s: float = 0.0
    status: str = ""
    echoed: bytearray = field(default_factory=bytearray)

    @property
    def exact(self) -> bool:
        """Whether exactly the audio of the turn came back."""
        return self.status == "completed" and digest(bytes(self.echoed)) == self.sent


class Bot:
    """One session. It says its clip `rounds` times and waits for the reply each time.

    Parameters
    ----------
    url, key
        Of the server.
    clips
        What it says, in turn: PCM16, 24 kHz.
    forget
        Delete the items of each turn, so that a server that still grows keeps what it need not.
    """

    def __init__(self, url: str, key: str, clips: list[bytes], rounds: int, *, forget: bool = False) -> None:
        self.turns: list[Turn] = []
        self.errors: list[str] = []
        self.pings_s: list[float] = []
        self.late_s: list[float] = []
        self._url, self._key, self._clips, self._rounds = url, key, clips, rounds
        self._stream = bytearray()
        self._sent_s: list[float] = []
        self._forget = forget
        self._item_ids: list[str] = []
        self._pinging: set[asyncio.Task[None]] = set()
        self._answered = asyncio.Event()
        self._ready = asyncio.Event()

    async def run(self, begin_s: float) -> None:
        """Talk until all rounds are over; begin at `begin_s`."""
        headers = {"Authorization": f"Bearer {self._key}"}
        async with connect(self._url, additional_headers=headers, max_size=None, compression=None) as socket:
            receiving = asyncio.create_task(self._receive(socket))
            try:
                detection = {"type": "server_vad", "silence_duration_ms": 500, "interrupt_response": False}
                audio = {"input": {"turn_detection": detection, "transcription": None}}
                await socket.send(
                    json.dumps({"type": "session.update", "session": {"type": "realtime", "audio": audio}})
                )
                await self._ready.wait()
                await self._talk(socket, begin_s)
            finally:
                receiving.cancel()

    async def _talk(self, socket: ClientConnection, begin_s: float) -> None:
        clock = count()
        for round_number in range(self._rounds):
            clip = self._clips[round_number % len(self._clips)]
            frames = [
                clip[i : i + FRAME_BYTES].ljust(FRAME_BYTES, b"\0") for i in range(0, len(clip), FRAME_BYTES)
            ]
            self._answered.clear()
            for frame in [SILENCE] * 15 + frames:
                await self._frame(socket, frame, begin_s, next(clock))
            while not self._answered.is_set():
                await self._frame(socket, SILENCE, begin_s, next(clock))
            if self._forget:
                for item_id in self._item_ids:
                    await socket.send(json.dumps({"type": "conversation.item.delete", "item_id": item_id}))
                self._item_ids.clear()

    async def _frame(self, socket: ClientConnection, frame: bytes, begin_s: float, number: int) -> None:
        due_s = begin_s + number * FRAME_MS / 1000
        await asyncio.sleep(max(0.0, due_s - time.perf_counter()))
        self._stream += frame
        self._sent_s.append(time.perf_counter())
        self.late_s.append(self._sent_s[-1] - due_s)
        event = {"type": "input_audio_buffer.append", "audio": base64.b64encode(frame).decode()}
        await socket.send(json.dumps(event))
        if number % PING_EVERY_FRAMES == 0:
            ping = asyncio.create_task(self._ping(socket))
            self._pinging.add(ping)
            ping.add_done_callback(self._pinging.discard)

    async def _ping(self, socket: ClientConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            self.pings_s.append(await (await socket.ping()))

    async def _receive(self, socket: ClientConnection) -> None:
        async for message in socket:
            self._take(json.loads(message), time.perf_counter())

    def _take(self, event: dict[str, Any], now_s: float) -> None:
        turn = self.turns[-1] if self.turns else None
        match event["type"]:
            case "session.updated":
                self._ready.set()
            case "error":
                self.errors.append(event["error"]["message"])
            case "input_audio_buffer.speech_started":
                self.turns.append(Turn(event["audio_start_ms"]))
            case "input_audio_buffer.speech_stopped" if turn:
                end_ms = event["audio_end_ms"]
                turn.sent = digest(bytes(self._stream[turn.start_ms * BYTES_PER_MS : end_ms * BYTES_PER_MS]))
                # The frame that holds the last sample of the audio on which the decision fell.
                turn.decided_s = self._sent_s[-(-end_ms // FRAME_MS) - 1]
                turn.stopped_s = now_s
            case "input_audio_buffer.committed":
                self._item_ids.append(event["item_id"])
            case "response.output_item.done":
                self._item_ids.append(event["item"]["id"])
            case "response.output_audio.delta" if turn:
                turn.first_audio_s = turn.first_audio_s or now_s
                turn.echoed += base64.b64decode(event["delta"])
            case "response.done" if turn:
                turn.status = event["response"]["status"]
                self._answered.set()
