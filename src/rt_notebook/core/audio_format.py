"""The audio formats of the wire: what a session's ``format`` object means, into PCM16 and out of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rt_notebook.core import g711
from rt_notebook.core.audio import BYTES_PER_SAMPLE, SAMPLE_RATE_HZ, to_float, to_pcm

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["AudioFormat", "OutputEncoder"]

_LAWS: dict[str, g711.Law] = {"audio/pcmu": "ulaw", "audio/pcma": "alaw"}


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """One of the three formats.

    Attributes
    ----------
    name
        ``"audio/pcm"`` (PCM16, little-endian, 24 kHz), ``"audio/pcmu"`` (G.711 mu-law, 8 kHz) or
        ``"audio/pcma"`` (G.711 A-law, 8 kHz); one channel.
    """

    name: str = "audio/pcm"

    @classmethod
    def from_wire(cls, wire: object) -> AudioFormat:
        """Read a GA format object.

        Parameters
        ----------
        wire
            ``{"type": "audio/pcm", "rate": 24000}``, ``{"type": "audio/pcmu"}``, ``{"type": "audio/pcma"}``;
            the rate of PCM may be left out.

        Raises
        ------
        ValueError
            It is none of them.
        """
        fields: Mapping[str, Any] = wire if isinstance(wire, dict) else {}
        name = fields.get("type")
        if name == "audio/pcm":
            rate = fields.get("rate", SAMPLE_RATE_HZ)
            if isinstance(rate, bool) or rate != SAMPLE_RATE_HZ:
                raise ValueError(f"the rate of audio/pcm is {SAMPLE_RATE_HZ}, not {rate!r}")
        elif not isinstance(name, str) or name not in _LAWS:
            raise ValueError(f"the format's type is audio/pcm, audio/pcmu or audio/pcma, not {name!r}")
        return cls(name)

    @property
    def law(self) -> g711.Law | None:
        """The G.711 law; None for PCM."""
        return _LAWS.get(self.name)

    @property
    def rate_hz(self) -> int:
        """Samples a second."""
        return SAMPLE_RATE_HZ if self.law is None else g711.RATE_HZ

    @property
    def bytes_per_sample(self) -> int:
        """Bytes of one sample on the wire."""
        return BYTES_PER_SAMPLE if self.law is None else 1

    @property
    def bytes_per_ms(self) -> int:
        """Bytes of one millisecond on the wire: 48 or 8."""
        return self.rate_hz // 1000 * self.bytes_per_sample

    def to_pcm(self, data: bytes) -> bytes:
        """Turn bytes of the wire into PCM16 at `rate_hz`; PCM comes back as it is."""
        return data if self.law is None else g711.decode(data, self.law)


class OutputEncoder:
    """Turn a stream of PCM16 at 24 kHz into the bytes of a format. Its chunks do not change the result.

    Resampling holds the last 43 ms back until more comes or `flush` says that nothing will.
    """

    def __init__(self, audio_format: AudioFormat) -> None:
        self._law = audio_format.law
        if self._law is not None:
            import soxr

            self._resampler = soxr.ResampleStream(
                SAMPLE_RATE_HZ, g711.RATE_HZ, 1, dtype="float32", quality="HQ"
            )

    def push(self, pcm: bytes) -> bytes:
        """Take whole samples of PCM16 at 24 kHz; return the bytes that are ready."""
        return self._encode(pcm, last=False)

    def flush(self) -> bytes:
        """Return what is held back; afterwards the next stream may begin."""
        return self._encode(b"", last=True)

    def _encode(self, pcm: bytes, *, last: bool) -> bytes:
        if self._law is None:
            return pcm
        samples = self._resampler.resample_chunk(to_float(pcm), last=last)
        if last:
            self._resampler.clear()
        return g711.encode(to_pcm(np.asarray(samples)), self._law)
