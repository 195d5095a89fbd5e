"""The working folder of a recording: made, read (also while it is written, or left over), packed, removed."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from rt_notebook.core.audio import BYTES_PER_SAMPLE
from rt_notebook.errors import BundleError
from rt_notebook.io.bundle.files import HeldFile
from rt_notebook.io.bundle.lines import decode_line, split_lines
from rt_notebook.io.bundle.manifest import (
    MANIFEST,
    MAX_EVENTS_BYTES,
    MAX_MANIFEST_BYTES,
    MAX_TRACK_SAMPLES,
    TRACKS,
    Manifest,
    side_of,
)
from rt_notebook.io.bundle.pack import PACKED, pack_bundle
from rt_notebook.io.bundle.track import RawPcm

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from rt_notebook.core.events import Event
    from rt_notebook.io.bundle.manifest import Side

__all__ = ["PART_EVENTS", "PART_TRACKS", "Part", "make_part", "pack_part", "part_of", "remove_part"]

PART_EVENTS = "events.jsonl"
PART_TRACKS: dict[Side, str] = {"user": "user.pcm", "assistant": "assistant.pcm"}
_PART_NAMES = (MANIFEST, PART_EVENTS, *PART_TRACKS.values(), *TRACKS.values(), PACKED)


def part_of(target: Path) -> Path:
    """Return the folder that a recording is written to before it is packed into `target`."""
    return target.with_name(target.name + ".part")


def make_part(target: Path, *, overwrite: bool) -> Path:
    """Make the folder (0700) for a recording.

    Raises
    ------
    BundleError
        The target or a left-over folder is there and must not be replaced, or the place cannot be written to.
    """
    part = part_of(target)
    if not overwrite:
        for there in (target, part):
            if os.path.lexists(there):
                raise BundleError(
                    f"{there.name!r} is there already.",
                    "Choose another name, or pass overwrite=True; rt_notebook.load opens what is there.",
                )
    try:
        if overwrite:
            remove_part(part)
        part.mkdir(mode=0o700)
    except OSError as error:
        raise BundleError(
            f"Nothing can be recorded to {str(target)!r} ({error.strerror}).",
            "Give a path in a folder that exists and may be written to.",
        ) from None
    return part


class Part:
    """A working folder. What was being written when it was left is left out."""

    def __init__(self, folder: Path) -> None:
        if folder.is_symlink() or not folder.is_dir():
            raise BundleError(f"{folder.name!r} is no folder of a recording.", "Check the path.")
        manifest = HeldFile(folder / MANIFEST)
        self.manifest = Manifest.decode(manifest.read(0, MAX_MANIFEST_BYTES))
        manifest.close()
        self._events = HeldFile(folder / PART_EVENTS)
        self.tracks: dict[Side, tuple[RawPcm, int]] = {}
        for side, name in PART_TRACKS.items():
            if (folder / name).exists():
                file = HeldFile(folder / name)
                self.tracks[side] = (
                    RawPcm(file),
                    min(file.size // BYTES_PER_SAMPLE, MAX_TRACK_SAMPLES),
                )

    def lines(self) -> Iterator[bytes]:
        """Return the events' lines, with their line feeds."""
        size = min(self._events.size, MAX_EVENTS_BYTES)
        return (line + b"\n" for line in split_lines(self._events.pieces(0, size)))

    def events(self) -> tuple[list[Event], dict[Side, int]]:
        """Return the events that are whole, and by side the length of their audio.

        Audio is written before the events that tell of it; what no event tells of is left out.
        """
        events: list[Event] = []
        used: dict[Side, int] = dict.fromkeys(self.tracks, 0)
        for line in self.lines():
            event = decode_line(line)
            side = side_of(event)
            if side in used:
                if used[side] + event.audio_samples > self.tracks[side][1]:
                    break
                used[side] += event.audio_samples
            events.append(event)
        return events, used


def pack_part(folder: Path, target: Path, manifest: Manifest, *, overwrite: bool) -> None:
    """Pack a working folder into a bundle."""
    part = Part(folder)
    audio: dict[Side, tuple[Callable[[int, int], bytes], int]] = {
        side: (track.pcm, samples) for side, (track, samples) in part.tracks.items()
    }
    pack_bundle(folder, target, manifest, part.lines(), audio, overwrite=overwrite)


def remove_part(part: Path) -> None:
    """Delete a working folder and the files that are its own; anything else in it stays, and so does it."""
    if part.is_symlink():
        part.unlink()
        return
    for name in _PART_NAMES:
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            (part / name).unlink()
    with contextlib.suppress(FileNotFoundError):
        part.rmdir()
