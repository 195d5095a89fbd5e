"""The input audio buffer: appended audio on the detector's frame grid, and the turns found in it.

The clock counts all audio that was ever appended; neither a commit nor a clear sets it back.
"""

from __future__ import annotations

from rt_notebook.core.audio import BYTES_PER_SAMPLE, SAMPLES_PER_MS, ms_to_samples
from rt_notebook.core.config import ServerVad
from rt_notebook.core.turn_detection import FRAME_SAMPLES, Transition, TurnDetector

__all__ = ["InputBuffer"]

_FRAME_BYTES = FRAME_SAMPLES * BYTES_PER_SAMPLE


class InputBuffer:
    """Audio of one session (PCM16, 24 kHz).

    Audio from before the beginning of a turn is dropped as soon as no turn can reach back to it.
    """

    def __init__(self) -> None:
        self.detector = TurnDetector(ServerVad())
        self._audio = bytearray()
        self._first_sample = 0
        self._framed_samples = 0
        self._turn_start_sample: int | None = None

    @property
    def end_ms(self) -> int:
        """Audio appended since the session began."""
        return self._end_sample // SAMPLES_PER_MS

    @property
    def _end_sample(self) -> int:
        return self._first_sample + len(self._audio) // BYTES_PER_SAMPLE

    @property
    def buffered_ms(self) -> int:
        """Audio that a commit would take."""
        return (self._end_sample - self._first_sample) // SAMPLES_PER_MS

    def append(self, pcm: bytes, *, detecting: bool) -> list[bytes]:
        """Take audio; return the frames that it completed, to be judged; none while not detecting."""
        self._audio.extend(pcm)
        frames = []
        while self._end_sample - self._framed_samples >= FRAME_SAMPLES:
            if detecting:
                start = (self._framed_samples - self._first_sample) * BYTES_PER_SAMPLE
                frames.append(bytes(self._audio[start : start + _FRAME_BYTES]))
            else:
                self.detector.skip()
            self._framed_samples += FRAME_SAMPLES
        return frames

    def judge(self, vad: ServerVad, probability: float) -> Transition | None:
        """Take the detector's probability for the next frame."""
        self.detector.vad = vad
        transition = self.detector.push(probability)
        if transition is not None and transition.kind == "started":
            self._turn_start_sample = ms_to_samples(transition.at_ms)
        if not self.detector.speaking and transition is None:
            judged_sample = ms_to_samples(self.detector.position_ms)
            self._forget_before(judged_sample - ms_to_samples(vad.prefix_padding_ms + 1000))
        return transition

    def take_turn(self, end_ms: int) -> bytes:
        """Return the audio of the turn that ends at `end_ms` and drop what lies before its end."""
        start = self._first_sample if self._turn_start_sample is None else self._turn_start_sample
        end_sample = min(ms_to_samples(end_ms), self._end_sample)
        pcm = self._slice(max(start, self._first_sample), end_sample)
        self._turn_start_sample = None
        self._forget_before(end_sample)
        return pcm

    def take_all(self) -> bytes:
        """Return everything that is buffered, as a commit by the client wants it, and close an open turn."""
        self.detector.stop(self.end_ms)
        self._turn_start_sample = None
        pcm = self._slice(self._first_sample, self._end_sample)
        self._forget_before(self._end_sample)
        return pcm

    def _slice(self, start_sample: int, end_sample: int) -> bytes:
        offset = self._first_sample
        return bytes(
            self._audio[(start_sample - offset) * BYTES_PER_SAMPLE : (end_sample - offset) * BYTES_PER_SAMPLE]
        )

    def _forget_before(self, sample: int) -> None:
        # Never past the frame grid: those samples have still to be judged.
        sample = min(sample, self._framed_samples)
        if sample > self._first_sample:
            del self._audio[: (sample - self._first_sample) * BYTES_PER_SAMPLE]
            self._first_sample = sample
