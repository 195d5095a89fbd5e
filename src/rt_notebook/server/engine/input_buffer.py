"""The input audio buffer: appended audio on the detector's frame grid, and the turns cut from it.

The clock counts all audio that was ever appended; neither a commit nor a clear sets it back. Audio is kept as
it came over the wire, in the session's input format.
"""

from __future__ import annotations

from rt_notebook.core.audio_format import AudioFormat
from rt_notebook.core.turn_detection import FRAME_MS

__all__ = ["InputBuffer"]


class InputBuffer:
    """Audio of one session. Positions are bytes of the present format since the session began."""

    def __init__(self) -> None:
        self.format = AudioFormat()
        self._audio = bytearray()
        self._first = 0
        self._framed = 0
        self._begin = 0

    @property
    def _end(self) -> int:
        return self._first + len(self._audio)

    @property
    def end_ms(self) -> int:
        """Audio appended since the session began."""
        return self._end // self.format.bytes_per_ms

    @property
    def buffered_ms(self) -> float:
        """Audio that a commit would take."""
        return (self._end - self._begin) / self.format.bytes_per_ms

    @property
    def kept_bytes(self) -> int:
        """What is held in memory."""
        return len(self._audio)

    def change_format(self, audio_format: AudioFormat) -> None:
        """Take audio in another format from now on. What was not committed is dropped with its rate."""
        if audio_format == self.format:
            return
        # The clock goes on in whole frames, so that the grid stays where it is.
        frames = self._end // self._frame_bytes
        self.format = audio_format
        self._audio.clear()
        self._first = self._framed = self._begin = frames * self._frame_bytes

    @property
    def _frame_bytes(self) -> int:
        return FRAME_MS * self.format.bytes_per_ms

    def append(self, data: bytes) -> list[bytes]:
        """Take audio; return the frames that it completed, as PCM16 at the format's rate."""
        self._audio.extend(data)
        frames = []
        while self._end - self._framed >= self._frame_bytes:
            frames.append(self.format.to_pcm(self._slice(self._framed, self._framed + self._frame_bytes)))
            self._framed += self._frame_bytes
        return frames

    def turn(self, start_ms: int, end_ms: int) -> bytes:
        """Return the audio of a turn, as it came; samples that are not there (any more) are left out."""
        per_ms = self.format.bytes_per_ms
        return self._slice(max(start_ms * per_ms, self._begin), min(end_ms * per_ms, self._end))

    def take_all(self) -> bytes:
        """Return everything that is buffered, as a commit by the client wants it."""
        sample = self.format.bytes_per_sample
        end = self._end // sample * sample
        data = self._slice(self._begin, end)
        self._begin = end
        self._trim()
        return data

    def forget_before(self, at_ms: int) -> None:
        """Drop what no turn can reach back to any more."""
        self._begin = max(self._begin, min(at_ms * self.format.bytes_per_ms, self._end))
        self._trim()

    def _slice(self, start: int, end: int) -> bytes:
        return bytes(self._audio[start - self._first : max(start, end) - self._first])

    def _trim(self) -> None:
        # Never past the frame grid: those samples have still to be judged.
        start = min(self._begin, self._framed)
        if start > self._first:
            del self._audio[: start - self._first]
            self._first = start
