"""The probe's line to an endpoint: sounds out, and what is told of them back, on one clock of audio."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from rt_notebook.core.audio import BYTES_PER_SAMPLE, SAMPLES_PER_MS, to_pcm
from rt_notebook.core.turn_detection import FRAME_MS, FRAME_SAMPLES
from rt_notebook.errors import ConnectError
from rt_notebook.io.audio.sources import CHUNK_MS, chunks
from rt_notebook.io.session.session import Session
from rt_notebook.log.fields import as_dict, as_number, as_text
from rt_notebook.vad.probing.read_off import Told

if TYPE_CHECKING:
    from collections.abc import Callable

    from rt_notebook.core.audio import Float32
    from rt_notebook.core.config import ServerVad, SessionConfig
    from rt_notebook.core.events import Event
    from rt_notebook.io.endpoints.endpoint import Endpoint
    from rt_notebook.vad.detectors import DetectStream

__all__ = ["CapReached", "Line", "LostAudioError"]

BURST_MS = 400
"""Pieces that audio is sent in where it need not come in real time."""

PATIENCE_S = 1.0
MOST_SILENCE_MS = 11_000
"""An endpoint's longest silence is 10 s; whoever has not ended a turn by then does not end it."""

ANSWER_S = 20.0


class LostAudioError(ConnectError):
    """The endpoint did not take the audio as it came."""


class CapReached(Exception):  # noqa: N818 - not an error: what was found so far is told
    """No more audio may be sent."""


class Line:
    """One session with the endpoint under test.

    Parameters
    ----------
    real_time
        Send as a microphone would; else as fast as the endpoint reads.
    cap_ms
        Audio that may be sent.
    stream
        Hears what is sent, as the endpoint does.

    Attributes
    ----------
    turns
        What the endpoint told, in order.
    responses
        By id, the status; ``"in_progress"`` until it is over.
    talked_over
        Responses that were being made when a turn began.
    refusals
        Errors that the endpoint told.
    capped
        Audio was to be sent that was too much.
    """

    def __init__(
        self, endpoint: Endpoint, config: SessionConfig, stream: DetectStream, *, real_time: bool, cap_ms: int
    ) -> None:
        self._session = Session(endpoint, config)
        self._stream = stream
        self._real_time = real_time
        self._cap_ms = cap_ms
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()
        self._rest = b""
        self._heard: list[float] = []
        self._due_s = self._loop.time()
        self._reason = ""
        self.sent_ms = 0
        self.capped = False
        self.turns: list[Told] = []
        self.responses: dict[str, str] = {}
        self.talked_over: set[str] = set()
        self.reply_ms = 0.0
        self.timeouts: list[tuple[int, int]] = []
        self.refusals: list[str] = []

    async def __aenter__(self) -> Self:
        self._session.subscribe(lambda event: self._loop.call_soon_threadsafe(self._take, event))
        await self._session.connect()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    # -- what is known --------------------------------------------------------------------------------

    @property
    def heard(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Our own detector's probabilities of all that was sent, shape (n,)."""
        return np.array(self._heard)

    @property
    def ear(self) -> tuple[DetectStream, bytes]:
        """Our own detector as it is now, and the PCM16 that it has not heard yet."""
        return self._stream, self._rest

    @property
    def acknowledged(self) -> dict[str, Any]:
        """The turn detection that the endpoint says it uses."""
        found = as_dict(as_dict(self._session.info.get("audio")).get("input")).get("turn_detection")
        return as_dict(found)

    @property
    def active(self) -> set[str]:
        """Responses that are being made."""
        return {each for each, status in self.responses.items() if status == "in_progress"}

    def settled(self, spoken_until_ms: int) -> bool:
        """Whether the turn that holds this moment was told and is over."""
        ends = [turn.end_ms for turn in self.turns]
        return bool(ends) and ends[-1] is not None and ends[-1] >= spoken_until_ms

    # -- what is done ---------------------------------------------------------------------------------

    async def send(self, samples: Float32) -> None:
        """Send sound, floats at 24 kHz.

        Raises
        ------
        CapReached
            It would be too much.
        LostAudioError
            The connection has ended.
        """
        pcm = to_pcm(samples)
        ms = len(pcm) // BYTES_PER_SAMPLE // SAMPLES_PER_MS
        if self.sent_ms + ms > self._cap_ms:
            self.capped = True
            raise CapReached
        self.sent_ms += ms
        for chunk in chunks(pcm, CHUNK_MS if self._real_time else BURST_MS):
            self._check()
            self._session.append_audio(chunk)
            self._hear(chunk)
            self._due_s = max(self._due_s, self._loop.time() - 1)
            self._due_s += len(chunk) / BYTES_PER_SAMPLE / SAMPLES_PER_MS / 1000
            await asyncio.sleep(max(0.0, self._due_s - self._loop.time()) if self._real_time else 0)

    async def silence(self, ms: int) -> None:
        """Send silence."""
        await self.send(np.zeros(ms * SAMPLES_PER_MS, np.float32))

    async def settle(self, spoken_until_ms: int, silence_ms: int) -> bool:
        """Send silence until the turn that holds `spoken_until_ms` is over; return whether it ended."""
        await self.silence(silence_ms)
        more_ms = 0
        while not await self.wait(lambda: self.settled(spoken_until_ms), PATIENCE_S):
            if more_ms + silence_ms >= MOST_SILENCE_MS:
                return await self.wait(lambda: self.settled(spoken_until_ms), PATIENCE_S * 10)
            # Whether the endpoint is slow or waits for more, silence does no harm.
            await self.silence(1000)
            more_ms += 1000
        return True

    async def to_frame(self) -> int:
        """Send silence up to the next whole frame and return its number."""
        await self.silence(-self.sent_ms % FRAME_MS)
        return self.sent_ms // FRAME_MS

    async def update(self, vad: ServerVad) -> None:
        """Ask for other settings."""
        await self._session.update(turn_detection=vad)

    async def hush(self) -> None:
        """Cancel an answer that nobody wants to hear, and wait until it is over."""
        if self.active:
            await self._session.interrupt()
            await self.wait(lambda: not self.active, ANSWER_S)

    async def wait(self, done: Callable[[], bool], timeout_s: float) -> bool:
        """Wait until something is so; return whether it is."""
        try:
            async with asyncio.timeout(timeout_s):
                while not done():
                    self._check()
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            return done()
        return True

    # -- inside ---------------------------------------------------------------------------------------

    def _check(self) -> None:
        if self._reason:
            raise LostAudioError(self._reason, 'Try pace="real".')

    def _hear(self, pcm: bytes) -> None:
        self._rest += pcm
        size = FRAME_SAMPLES * BYTES_PER_SAMPLE
        while len(self._rest) >= size:
            self._heard.append(self._stream.push(self._rest[:size]))
            self._rest = self._rest[size:]

    def _take(self, event: Event | None) -> None:
        self._news.set()
        if event is None:
            self._reason = self._reason or "The session with the endpoint has ended."
            return
        data = event.data
        match event.type:
            case "input_audio_buffer.speech_started":
                self.turns.append(Told(int(as_number(data.get("audio_start_ms")) or 0), None))
                self.talked_over |= self.active
            case "input_audio_buffer.speech_stopped" if self.turns:
                self.turns[-1] = Told(self.turns[-1].start_ms, int(as_number(data.get("audio_end_ms")) or 0))
            case "input_audio_buffer.timeout_triggered":
                ends = (data.get("audio_start_ms"), data.get("audio_end_ms"))
                self.timeouts.append((int(as_number(ends[0]) or 0), int(as_number(ends[1]) or 0)))
            case "response.created" if event.response_id is not None:
                self.responses[event.response_id] = "in_progress"
                self.reply_ms = 0.0
            case "response.output_audio.delta":
                self.reply_ms += event.audio_samples / SAMPLES_PER_MS
            case "response.done" if event.response_id is not None:
                status = as_text(as_dict(data.get("response")).get("status"))
                self.responses[event.response_id] = status or "completed"
            case "error":
                self.refusals.append(event.text or "an error without words")
            case "local.reconnecting" | "local.gap" | "local.gave_up":
                self._reason = f"The connection was lost: {data.get('cause') or 'no reason given'}."
            case "local.mic_gap":
                self._reason = "Audio was lost on the way: the endpoint takes less than it is sent."
