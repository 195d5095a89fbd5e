"""A track of audio that is read when it is asked for."""

from __future__ import annotations

import io
import os
import threading
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from rt_notebook.core.audio import BYTES_PER_SAMPLE, SAMPLE_RATE_HZ, to_float
from rt_notebook.errors import BundleError

if TYPE_CHECKING:
    import numpy.typing as npt

    from rt_notebook.io.bundle.files import HeldFile

__all__ = ["FlacPcm", "NoPcm", "RawPcm", "Track"]


class _Source(Protocol):
    """Gives PCM16 of a stretch that is inside the track."""

    def pcm(self, start: int, stop: int) -> bytes: ...


class Track:
    """Audio of one side of a session: mono, 24 kHz. Reading a stretch decodes that stretch only.

    It behaves like an array of shape (n,) of float32 in [-1, 1): ``len(track)``, ``track[24_000:48_000]``,
    ``np.asarray(track)``.

    Attributes
    ----------
    rate_hz
        24000.
    """

    rate_hz = SAMPLE_RATE_HZ
    dtype = np.dtype(np.float32)
    ndim = 1

    def __init__(self, source: _Source, samples: int) -> None:
        self._source = source
        self._samples = samples

    def __len__(self) -> int:
        return self._samples

    @property
    def shape(self) -> tuple[int]:
        """``(n,)``."""
        return (self._samples,)

    @property
    def duration_s(self) -> float:
        """How long it lasts."""
        return self._samples / SAMPLE_RATE_HZ

    def pcm(self, start: int = 0, stop: int | None = None) -> bytes:
        """Return PCM16 little-endian of the samples from `start` to `stop`, as slices are meant.

        Raises
        ------
        BundleError
            The audio cannot be decoded.
        """
        first, end, _ = slice(start, stop).indices(self._samples)
        return self._source.pcm(first, end) if end > first else b""

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            start, stop, step = index.indices(self._samples)
            if step == 1:
                return to_float(self.pcm(start, max(start, stop)))
            return self.__array__()[index]
        at = index + self._samples if index < 0 else index
        if not 0 <= at < self._samples:
            raise IndexError("The track is shorter than that.")
        return to_float(self.pcm(at, at + 1))[0]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:  # noqa: FBT001 - numpy's
        return np.asarray(to_float(self.pcm()), dtype=dtype)

    def __repr__(self) -> str:
        return f"<Track: {self.duration_s:.1f} s>"


class NoPcm:
    """No audio."""

    def pcm(self, start: int, stop: int) -> bytes:
        """Give nothing."""
        return b""


class RawPcm:
    """PCM16 in a file; what is not there is silence."""

    def __init__(self, file: HeldFile) -> None:
        self._file = file

    def pcm(self, start: int, stop: int) -> bytes:
        """Read a stretch."""
        size = (stop - start) * BYTES_PER_SAMPLE
        return self._file.read(start * BYTES_PER_SAMPLE, size).ljust(size, b"\0")


class FlacPcm:
    """FLAC at a place in a file.

    Decoding goes on where it stopped, so that reading from begin to end costs no seeking.
    """

    def __init__(self, file: HeldFile, offset: int, size: int) -> None:
        self._window = _Window(file, offset, size)
        self._file: Any = None
        self._lock = threading.Lock()

    def frames(self) -> int:
        """Return the length that the stream says it has.

        Raises
        ------
        BundleError
            It is no mono FLAC stream at 24 kHz.
        """
        import soundfile

        if self._file is None:
            try:
                file = soundfile.SoundFile(self._window)
            except (soundfile.SoundFileError, RuntimeError, OSError):
                raise _damaged() from None
            if (file.format, file.channels, file.samplerate) != ("FLAC", 1, SAMPLE_RATE_HZ):
                raise _damaged()
            self._file = file
        return int(self._file.frames)

    def pcm(self, start: int, stop: int) -> bytes:
        """Decode a stretch."""
        import soundfile

        with self._lock:
            self.frames()
            try:
                if self._file.tell() != start:
                    self._file.seek(start)
                samples = self._file.read(stop - start, dtype="int16")
            except (soundfile.SoundFileError, RuntimeError, OSError):
                raise _damaged() from None
        if samples.size != stop - start:
            raise _damaged()
        return bytes(samples.astype("<i2", copy=False).tobytes())


def _damaged() -> BundleError:
    return BundleError("The audio of the bundle cannot be decoded.", "Use the original file.")


class _Window(io.RawIOBase):
    """A stretch of a file as a file of its own."""

    def __init__(self, file: HeldFile, offset: int, size: int) -> None:
        self._file, self._offset, self._size, self._at = file, offset, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        wanted = max(0, min(len(buffer), self._size - self._at))
        try:
            piece = self._file.read(self._offset + self._at, wanted)
        except BundleError:
            piece = b""  # the library that reads this takes no errors; it finds too little, and that is told
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)
