"""Events as JSON lines, packed and unpacked with limits."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from rt_notebook.core.events import Direction, Event
from rt_notebook.errors import BundleError
from rt_notebook.io.bundle.manifest import MAX_EVENTS_BYTES, MAX_LINE_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["decode_line", "encode_event", "pack", "split_lines", "unpack"]

_MAX_RATIO = 40
_FREE_BYTES = 4 << 20
"""Up to here any ratio is allowed: it is no danger, and short logs pack well."""
_BYTES_A_LINE = 4
_FREE_LINES = 20_000
"""Every line becomes an object: so many may be packed into nothing, and each further one costs this much."""

_GZIP = 31
_PIECE_BYTES = 1 << 18
_MAX_EVENT_SAMPLES = 1 << 24


class _Line(msgspec.Struct, omit_defaults=True):
    t_s: Annotated[float, msgspec.Meta(ge=-1e9, le=1e9)]
    direction: Direction
    type: str
    data: dict[str, Any] | None = None
    """None stands for an event that is nothing but its type: the many pieces of audio."""
    audio_samples: Annotated[int, msgspec.Meta(ge=0, le=_MAX_EVENT_SAMPLES)] = 0
    level_dbfs: Annotated[float, msgspec.Meta(ge=-1e3, le=1e3)] | None = None


def _plain(value: object) -> object:
    """Make something plain of what JSON does not have: users note what they like."""
    numbers = getattr(value, "tolist", None)
    return numbers() if callable(numbers) else str(value)


_encoder = msgspec.json.Encoder(enc_hook=_plain)
_decoder = msgspec.json.Decoder(_Line)


def encode_event(event: Event) -> bytes:
    """Return one event as a line with its line feed."""
    data = None if event.data == {"type": event.type} else event.data
    try:
        line = _encode(event, data)
        left_out = f"{len(line)} bytes" if len(line) >= MAX_LINE_BYTES else ""
    except (msgspec.MsgspecError, TypeError, ValueError, OverflowError, RecursionError) as error:
        left_out = type(error).__name__
    if left_out:
        # One event that cannot be written must not end the recording.
        line = _encode(event, {"type": event.type, "left_out": left_out})
    return line + b"\n"


def _encode(event: Event, data: dict[str, Any] | None) -> bytes:
    return _encoder.encode(
        _Line(event.t_s, event.direction, event.type, data, event.audio_samples, event.level_dbfs)
    )


def decode_line(line: bytes) -> Event:
    """Read one line.

    Raises
    ------
    BundleError
        It is no event.
    """
    try:
        read = _decoder.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BundleError(
            f"The bundle holds something that is no event ({error}).", "Use the original file."
        ) from None
    data = {"type": read.type} if read.data is None else read.data
    return Event(read.t_s, read.direction, read.type, data, read.audio_samples, read.level_dbfs)


def pack(lines: Iterable[bytes]) -> bytes:
    """Compress lines, the same way every time, and never to less than `unpack` takes."""
    parts, plain_bytes, count = _compressed(lines, 6)
    packed = b"".join(parts)
    if not _too_much(len(packed), plain_bytes, count):
        return packed
    return b"".join(_compressed(_decompressed(packed), 0)[0])


def _too_much(packed_bytes: int, plain_bytes: int, lines: int) -> bool:
    return (
        plain_bytes > _FREE_BYTES + _MAX_RATIO * packed_bytes
        or lines > _FREE_LINES + packed_bytes // _BYTES_A_LINE
    )


def _compressed(lines: Iterable[bytes], level: int) -> tuple[list[bytes], int, int]:
    packer = zlib.compressobj(level, zlib.DEFLATED, _GZIP)
    parts, plain_bytes, count = [], 0, 0
    for line in lines:
        parts.append(packer.compress(line))
        plain_bytes += len(line)
        count += 1
    return [*parts, packer.flush()], plain_bytes, count


def _decompressed(packed: bytes) -> Iterator[bytes]:
    """Decompress what was made here."""
    unpacker = zlib.decompressobj(_GZIP)
    while not unpacker.eof:
        yield unpacker.decompress(packed, _PIECE_BYTES)
        packed = unpacker.unconsumed_tail


def unpack(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Decompress piece by piece, and stop as soon as it becomes more than it may.

    Raises
    ------
    BundleError
        It is too much for what it was, too much altogether, damaged, or followed by something else.
    """
    unpacker = zlib.decompressobj(_GZIP)
    consumed = produced = lines = 0
    for piece in pieces:
        consumed += len(piece)
        rest = piece
        while True:
            try:
                out = unpacker.decompress(rest, _PIECE_BYTES)
            except zlib.error:
                raise BundleError("The events are damaged.", "Use the original file.") from None
            produced += len(out)
            lines += out.count(b"\n")
            if produced > MAX_EVENTS_BYTES or _too_much(consumed, produced, lines):
                raise BundleError("The events unpack to more than a bundle may hold.", "Do not open it.")
            if out:
                yield out
            rest = unpacker.unconsumed_tail
            if unpacker.unused_data:
                raise BundleError("Something follows the events.", "Use the original file.")
            if not rest and len(out) < _PIECE_BYTES:
                break
    if not unpacker.eof:
        raise BundleError("The events are cut off.", "Use the original file.")


def split_lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Cut pieces into lines, without their line feeds; what follows the last line feed is not given.

    Raises
    ------
    BundleError
        A line is longer than an event may be.
    """
    held: list[bytes] = []
    held_bytes = 0
    for piece in pieces:
        first, *others = piece.split(b"\n")
        held.append(first)
        held_bytes += len(first)
        if held_bytes > MAX_LINE_BYTES:
            raise BundleError("The bundle holds a line that is too long.", "Do not open it.")
        if others:
            yield b"".join(held)
            yield from others[:-1]
            held, held_bytes = [others[-1]], len(others[-1])
