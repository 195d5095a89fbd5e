"""Files of a recording: for their owner only, never through a link."""

from __future__ import annotations

import os
import stat
import weakref
from typing import TYPE_CHECKING

from rt_notebook.errors import BundleError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = [
    "HeldFile",
    "create_file",
    "publish",
    "write_all",
]

# What a platform does not have (Windows has no links that this guards against) is left out.
_SAFE = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_BLOCK_BYTES = 1 << 20


def create_file(path: Path) -> int:
    """Make a new file (0600, whatever the umask) and return its descriptor, open for reading and writing."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | _SAFE, 0o600)


class HeldFile:
    """A file that is open for reading as long as somebody holds this object.

    Parameters
    ----------
    path
        An ordinary file. A link, a folder, a pipe or a device is refused.

    Raises
    ------
    BundleError
        It is not there, or is no ordinary file.
    """

    def __init__(self, path: Path) -> None:
        try:
            # Not blocking: a pipe without a writer would wait for one.
            fd = os.open(path, os.O_RDONLY | _SAFE | getattr(os, "O_NONBLOCK", 0))
        except OSError as error:
            raise BundleError(
                f"{path.name!r} cannot be opened ({error.strerror}).",
                "Check the path; links are not followed.",
            ) from None
        except ValueError:
            raise BundleError("A path holds no NUL.", "Check the path.") from None
        self.fd = fd
        self.size = os.fstat(fd).st_size
        self._closing = weakref.finalize(self, os.close, fd)
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            self.close()
            raise BundleError(f"{path.name!r} is no file.", "Give the path of an .rtlog bundle.")

    def close(self) -> None:
        """Close it now; a second call does nothing. Reading then fails."""
        self.fd = -1
        self._closing()

    def read(self, offset: int, size: int) -> bytes:
        """Read a stretch; shorter where the file ends.

        Raises
        ------
        BundleError
            The file was closed, or cannot be read.
        """
        try:
            return os.pread(self.fd, size, offset)
        except OSError as error:
            raise BundleError(
                f"The bundle cannot be read any more ({error.strerror}).", "Load it again."
            ) from None

    def pieces(self, offset: int, size: int) -> Iterator[bytes]:
        """Read a stretch piece by piece; it ends early where the file does."""
        end = offset + size
        while offset < end:
            piece = self.read(offset, min(_BLOCK_BYTES, end - offset))
            if not piece:
                return
            offset += len(piece)
            yield piece


def publish(packed: Path, target: Path, *, overwrite: bool) -> None:
    """Give a finished file its name, at once. A link of that name is replaced, never followed.

    Raises
    ------
    BundleError
        Something has that name and must not be replaced.
    """
    try:
        if overwrite:
            packed.replace(target)
            return
        try:
            os.link(packed, target, follow_symlinks=False)
        except FileExistsError:
            raise
        except (OSError, NotImplementedError):
            # No hard links on this file system, or (NotImplementedError) a system that has none that leave
            # links alone: nearly as good.
            if os.path.lexists(target):
                raise FileExistsError from None
            packed.rename(target)
            return
        packed.unlink()
    except FileExistsError:
        raise BundleError(
            f"{target.name!r} is there already.", "Choose another name, or pass overwrite=True."
        ) from None
    except OSError as error:
        raise BundleError(
            f"{target.name!r} cannot be written ({error.strerror}).", "Give a path that may be written to."
        ) from None


def write_all(fd: int, data: bytes) -> None:
    """Write all of it: a write may stop half-way."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(fd, rest) :]
