"""The one zip layout that a bundle may have.

A bundle is an ordinary zip file that any tool opens, but only in one form: each member stored as it is, in
the order of the names, with fixed times and rights, and nothing between, before or behind. Thereby the
reader knows every byte that is not content: it builds the headers itself and compares. Compressed, encrypted,
overlapping, doubled, hidden, linked or renamed members have no place in that form, and a changed bit in a
header is noticed like one in the content.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from rt_notebook.errors import BundleError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from rt_notebook.io.bundle.files import HeldFile

__all__ = ["Member", "read_layout", "write_zip"]

_LOCAL = struct.Struct("<IHHHHHIIIHH")
_CENTRAL = struct.Struct("<IHHHHHHIIIHHHHHII")
_END = struct.Struct("<IHHHHIIH")
_VERSION = 20
_UNIX = 3 << 8
_DATE = 0x0021  # 1 January 1980, the first that a zip can tell
_MODE = (0o100600 << 16) & 0xFFFFFFFF
_MAX_BYTES = 0xFFFFFFFE
_MAX_MEMBERS = 16
_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Member:
    """A member's place in the file."""

    name: str
    crc: int
    size: int
    offset: int = 0


def _local(member: Member) -> bytes:
    name = member.name.encode("ascii")
    sizes = (member.crc, member.size, member.size)
    return _LOCAL.pack(0x04034B50, _VERSION, 0, 0, 0, _DATE, *sizes, len(name), 0) + name


def _directory(members: Sequence[Member]) -> bytes:
    entries = b""
    for member in members:
        name = member.name.encode("ascii")
        header_at = member.offset - _LOCAL.size - len(name)
        head = (0x02014B50, _UNIX | _VERSION, _VERSION, 0, 0, 0, _DATE, member.crc, member.size, member.size)
        entries += _CENTRAL.pack(*head, len(name), 0, 0, 0, 0, _MODE, header_at) + name
    start = members[-1].offset + members[-1].size if members else 0
    count = len(members)
    return entries + _END.pack(0x06054B50, 0, 0, count, count, len(entries), start, 0)


def _placed(members: Iterable[Member]) -> list[Member]:
    placed, at = [], 0
    for member in members:
        at += _LOCAL.size + len(member.name)
        placed.append(Member(member.name, member.crc, member.size, at))
        at += member.size
    return placed


def write_zip(file: BinaryIO, contents: dict[str, Callable[[], Iterator[bytes]]]) -> None:
    """Write members in the order of their names.

    Parameters
    ----------
    file
        An empty binary file.
    contents
        By name, what gives a member's content piece by piece. It is called twice, first to measure.

    Raises
    ------
    BundleError
        The whole would be longer than a zip file without extensions may be (4 GiB).
    """
    measured = []
    for name in sorted(contents):
        crc = size = 0
        for piece in contents[name]():
            crc, size = zlib.crc32(piece, crc), size + len(piece)
        measured.append(Member(name, crc, size))
    members = _placed(measured)
    if members and members[-1].offset + members[-1].size > _MAX_BYTES:
        raise BundleError("The recording is longer than a bundle may be (4 GiB).", "Record in parts.")
    for member in members:
        file.write(_local(member))
        for piece in contents[member.name]():
            file.write(piece)
    file.write(_directory(members))


def read_layout(file: HeldFile, names: Iterable[str]) -> dict[str, Member]:
    """Find the members of a bundle, without reading their content.

    Parameters
    ----------
    file
        The open file. Nothing that it says of itself is believed before it has been compared.
    names
        The names that a member may have.

    Raises
    ------
    BundleError
        The file has another form than the one that bundles have.
    """
    size = file.size
    end = file.read(max(0, size - _END.size), _END.size)
    if len(end) < _END.size or end[:4] != b"PK\x05\x06":
        raise _not_a_bundle("it does not end like a zip file")
    _, _, _, count, _, directory_bytes, directory_at, _ = _END.unpack(end)
    limit = _MAX_MEMBERS * (_CENTRAL.size + 64)
    if count > _MAX_MEMBERS or directory_bytes > limit or directory_at + directory_bytes + _END.size != size:
        raise _not_a_bundle("its directory is not where it should be")
    allowed = set(names)
    members = _placed(_claimed(file.read(directory_at, directory_bytes), count))
    found = [member.name for member in members]
    if found != sorted(set(found)) or not allowed.issuperset(found):
        raise _not_a_bundle("it has members that a bundle does not have, or has them twice")
    content_ends = members[-1].offset + members[-1].size if members else 0
    if content_ends != directory_at or file.read(directory_at, size - directory_at) != _directory(members):
        raise _not_a_bundle("its directory was changed")
    for member in members:
        head = _local(member)
        if file.read(member.offset - len(head), len(head)) != head:
            raise _not_a_bundle(f"the head of {member.name} was changed")
    return {member.name: member for member in members}


def _claimed(directory: bytes, count: int) -> Iterator[Member]:
    """Read name, checksum and size of each entry; all else is compared afterwards."""
    at = 0
    for _ in range(count):
        try:
            entry = _CENTRAL.unpack_from(directory, at)
        except struct.error:
            raise _not_a_bundle("its directory is too short") from None
        at += _CENTRAL.size
        name = directory[at : at + entry[10]]
        at += len(name)
        if not name.isascii():
            raise _not_a_bundle("it has members that a bundle does not have")
        yield Member(name.decode("ascii"), entry[7], entry[8])


def _not_a_bundle(why: str) -> BundleError:
    return BundleError(
        f"This is no .rtlog bundle, or was changed after it was written: {why}.", "Use the original file."
    )
