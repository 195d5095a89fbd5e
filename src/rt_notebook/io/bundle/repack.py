"""Read the working folder of a recording, running, finished or left over, and pack it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rt_notebook.core.audio import BYTES_PER_SAMPLE
from rt_notebook.errors import BundleError
from rt_notebook.io.bundle.files import PART_EVENTS, PART_TRACKS, HeldFile
from rt_notebook.io.bundle.lines import decode_line, split_lines
from rt_notebook.io.bundle.manifest import (
    MANIFEST,
    MAX_EVENTS_BYTES,
    MAX_MANIFEST_BYTES,
    MAX_TRACK_SAMPLES,
    Manifest,
    Side,
)
from rt_notebook.io.bundle.pack import pack_bundle
from rt_notebook.io.bundle.track import RawPcm

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from rt_notebook.core.events import Event

__all__ = ["Part", "pack_part"]


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
            side: Side = "user" if event.direction == "sent" else "assistant"
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
