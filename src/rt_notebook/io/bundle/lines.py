"""Events as JSON lines, packed and unpacked with limits."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import structs

from rt_notebook.core.events import data_left_out
from rt_notebook.errors import BundleError
from rt_notebook.io.bundle.manifest import MAX_EVENTS_BYTES, MAX_LINE_BYTES
from rt_notebook.log.event_line import EventLine, encode_event

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rt_notebook.core.events import Event

__all__ = ["decode_line", "encode_line", "pack", "split_lines", "unpack"]

_MAX_RATIO = 40
_FREE_BYTES = 4 << 20
"""Up to here any ratio is allowed: it is no danger, and short logs pack well."""
_BYTES_A_LINE = 4
_FREE_LINES = 20_000
"""Every line becomes an object: so many may be packed into nothing, and each further one costs this much."""

_GZIP = 31
_PIECE_BYTES = 1 << 18
_MAX_EVENT_SAMPLES = 1 << 24


class _BoundedLine(EventLine, omit_defaults=True):
    """A line that anybody may have written."""

    t_s: Annotated[float, msgspec.Meta(ge=-1e9, le=1e9)]
    audio_samples: Annotated[int, msgspec.Meta(ge=0, le=_MAX_EVENT_SAMPLES)] = 0
    level_dbfs: Annotated[float, msgspec.Meta(ge=-1e3, le=1e3)] | None = None


_decoder = msgspec.json.Decoder(_BoundedLine)


def encode_line(event: Event) -> bytes:
    """Return one event as a line with its line feed."""
    line = encode_event(event)
    if len(line) >= MAX_LINE_BYTES:
        line = encode_event(structs.replace(event, data=data_left_out(event, f"{len(line)} bytes")))
    return line + b"\n"


def decode_line(line: bytes) -> Event:
    """Read one line.

    Raises
    ------
    BundleError
        It is no event.
    """
    try:
        return _decoder.decode(line).event()
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BundleError(
            f"The bundle holds something that is no event ({error}).", "Use the original file."
        ) from None


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
