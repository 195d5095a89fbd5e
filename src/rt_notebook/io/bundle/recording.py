"""`Recording`: a session that was written down, as a file that can be given away.

::

    await session.record("demo.rtlog", purpose="a demonstration")
    ...
    await session.stop_recording()

    recording = rt_notebook.load("demo.rtlog")
    recording.log.turns()
    recording.item_audio(item_id, heard=True)

An ``.rtlog`` bundle is a zip file of ``manifest.json``, the events as gzipped JSON lines, and both sides'
audio as FLAC. Opening one runs no code and believes nothing that the file says about itself before it has
been checked; a changed bit is noticed.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import zlib
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from rt_notebook.errors import BundleError, ConfigError
from rt_notebook.io.bundle.files import HeldFile
from rt_notebook.io.bundle.index import AudioIndex
from rt_notebook.io.bundle.lines import decode_line, encode_line, split_lines, unpack
from rt_notebook.io.bundle.manifest import (
    EVENTS,
    MANIFEST,
    MAX_MANIFEST_BYTES,
    MEMBERS,
    TRACKS,
    Manifest,
    components_of,
)
from rt_notebook.io.bundle.pack import pack_bundle, write_bundle
from rt_notebook.io.bundle.part import Part, part_of, remove_part
from rt_notebook.io.bundle.redact import placeholder, redacted
from rt_notebook.io.bundle.track import FlacPcm, NoPcm, Track
from rt_notebook.io.bundle.zip import read_layout
from rt_notebook.log.event_log import EventLog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy.typing as npt

    from rt_notebook.io.bundle.manifest import Side
    from rt_notebook.io.bundle.zip import Member

__all__ = ["Recording", "load"]


class Recording:
    """A recorded session. Made by `load`, and by `redact`.

    Attributes
    ----------
    log : EventLog
        All events, with every fold and plot.
    user_audio, assistant_audio : Track
        What was sent and what was received: mono, 24 kHz, float32 when read. Decoded only where it is read.
    manifest : Manifest
        Purpose, who takes part, when, with which endpoint, and what is held.
    path : Path or None
        Where it lies; None while it is in memory only.
    recovered : bool
        Whether it was read from the working folder of a recording that runs or was killed.
    """

    def __init__(
        self,
        log: EventLog,
        tracks: dict[Side, Track],
        manifest: Manifest,
        *,
        path: Path | None = None,
        recovered: bool = False,
        _file: HeldFile | None = None,
        _layout: dict[str, Member] | None = None,
    ) -> None:
        self.log = log
        self.user_audio = tracks.get("user") or Track(NoPcm(), 0)
        self.assistant_audio = tracks.get("assistant") or Track(NoPcm(), 0)
        self.manifest = manifest
        self.path = path
        self.recovered = recovered
        self._file = _file
        self._layout = _layout or {}
        self._index: AudioIndex | None = None

    @property
    def index(self) -> AudioIndex:
        """Where each item's audio lies in the tracks."""
        if self._index is None:
            self._index = AudioIndex(self.log)
        return self._index

    def item_audio(self, item_id: str, *, heard: bool = False) -> npt.NDArray[np.float32]:
        """Return the audio of one item, of either side: float32, shape (n,), 24 kHz; empty if none is held.

        Parameters
        ----------
        heard
            Only what left the speaker, of the assistant's item.
        """
        if item_id in self.index.user_items:
            start, stop = self.index.user_items[item_id]
            return np.asarray(self.user_audio[start:stop], dtype=np.float32)
        stretches = self.index.assistant_items.get(item_id, [])
        parts = [self.assistant_audio[start:stop] for start, stop in stretches]
        audio = np.concatenate([np.zeros(0, dtype=np.float32), *parts])
        return audio[: self.index.played_samples.get(item_id, 0)] if heard else audio

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write the bundle. One that was loaded is written with the very same bytes.

        Raises
        ------
        BundleError
            Something is there already, or the place cannot be written to.
        """
        target = bundle_path(path)
        try:
            with tempfile.TemporaryDirectory(
                prefix=".rtlog-", dir=target.parent, ignore_cleanup_errors=True
            ) as name:
                self._write(Path(name), target, overwrite=overwrite)
        except OSError as error:
            raise BundleError(
                f"{str(target)!r} cannot be written ({error.strerror}).",
                "Give a path in a folder that exists.",
            ) from None
        return target

    def _write(self, folder: Path, target: Path, *, overwrite: bool) -> None:
        if self._file is not None and self._layout:
            file = self._file
            contents: dict[str, Callable[[], Iterator[bytes]]] = {
                name: lambda member=member: file.pieces(member.offset, member.size)  # type: ignore[misc]
                for name, member in self._layout.items()
            }
            write_bundle(folder, target, contents, overwrite=overwrite)
            return
        audio: dict[Side, tuple[Callable[[int, int], bytes], int]] = {
            "user": (self.user_audio.pcm, len(self.user_audio)),
            "assistant": (self.assistant_audio.pcm, len(self.assistant_audio)),
        }
        lines = (encode_line(event) for event in self.log)
        pack_bundle(folder, target, self.manifest, lines, audio, overwrite=overwrite)

    def redact(self) -> Recording:
        """Return a recording without words and audio: placeholders of the same length, times, structure.

        It is in memory; `save` it and give that away.
        """
        manifest = msgspec.structs.replace(
            self.manifest,
            who=tuple(placeholder(name) for name in self.manifest.who),
            samples={},
            members={},
            redacted=True,
        )
        return Recording(EventLog(redacted(self.log)), {}, manifest)

    def purge(self) -> None:
        """Delete the bundle and what a killed recording left beside it. The log in memory stays.

        One that was read from a working folder is deleted alone: a bundle beside it is another recording.

        Raises
        ------
        BundleError
            It is in memory only, or cannot be deleted.
        """
        if self.path is None:
            raise BundleError("This recording is in memory only.", "There is nothing to delete.")
        if self._file is not None:
            self._file.close()
        try:
            remove_part(self.path if self.recovered else part_of(self.path))
            if not self.recovered:
                self.path.unlink(missing_ok=True)
        except OSError as error:
            raise BundleError(
                f"{str(self.path)!r} cannot be deleted ({error.strerror}).", "Delete it yourself."
            ) from None

    @property
    def _state(self) -> str:
        if not self.manifest.ended_at:
            return "cut off: the recording runs or was killed; the last second may be missing"
        return "redacted" if self.manifest.redacted else ""

    def __repr__(self) -> str:
        name = "in memory" if self.path is None else self.path.name
        parts = [f"{len(self.log)} events", f"you {self.user_audio.duration_s:.1f} s"]
        parts += [f"assistant {self.assistant_audio.duration_s:.1f} s", self._state]
        return f"<Recording {name}: {', '.join(part for part in parts if part)}>"

    def _repr_html_(self) -> str:
        manifest = self.manifest
        audio = (
            f"you {self.user_audio.duration_s:.1f} s, assistant {self.assistant_audio.duration_s:.1f} s"
            if manifest.samples
            else "none"
        )
        rows = {
            "Purpose": manifest.purpose,
            "Who": ", ".join(manifest.who),
            "Recorded": " to ".join(part for part in (manifest.began_at, manifest.ended_at) if part),
            "Endpoint": f"{manifest.endpoint} ({manifest.dialect})",
            "Components": ", ".join(f"{role}: {name}" for role, name in manifest.components.items()),
            "Audio": audio,
            "State": self._state,
        }
        cells = "".join(
            f"<tr><th style='text-align:left;padding-right:1em'>{escape(name)}</th>"
            f"<td style='text-align:left'>{escape(value)}</td></tr>"
            for name, value in rows.items()
            if value
        )
        title = "Recording" if self.path is None else self.path.name
        return (
            f"<div class='rt-notebook-recording'><b>{escape(title)}</b>"
            f"<table style='color:inherit;font:inherit'>{cells}</table>{self.log._repr_html_()}</div>"
        )


def bundle_path(path: str | Path) -> Path:
    """Return the path of a bundle.

    Raises
    ------
    ConfigError
        It is no path of a file.
    """
    if "\0" in str(path) or not Path(path).name:
        raise ConfigError(f"{str(path)!r} is no path of a file.", "Give one such as demo.rtlog.")
    return Path(path)


def load(path: str | Path) -> Recording:
    """Open a recorded session.

    Parameters
    ----------
    path
        An ``.rtlog`` bundle. Where there is none, but the working folder of a recording that runs or was
        killed (``demo.rtlog.part``), that is opened; the recording then says so.

    Raises
    ------
    BundleError
        There is no such file, it is no bundle, it was changed, or it holds more than a bundle may.
    """
    file = bundle_path(path)
    part = file if file.name.endswith(".part") else part_of(file)
    there = os.path.isdir(part)  # noqa: PTH112 - pathlib's raises for a name that is too long
    if there and not part.is_symlink() and (part == file or not os.path.lexists(file)):
        return _load_part(part)
    return _load_file(file)


def _load_part(folder: Path) -> Recording:
    part = Part(folder)
    events, used = part.events()
    tracks = {side: Track(source, used[side]) for side, (source, _) in part.tracks.items()}
    began = [e.t_s for e in events if e.type == "local.recording" and e.data.get("state") == "started"]
    manifest = msgspec.structs.replace(
        part.manifest,
        events=len(events),
        samples=used,
        components=components_of(events),
        from_s=began[-1] if began else 0.0,
    )
    return Recording(EventLog(events), tracks, manifest, path=folder, recovered=True)


def _load_file(path: Path) -> Recording:
    file = HeldFile(path)
    layout = read_layout(file, MEMBERS)
    if MANIFEST not in layout or EVENTS not in layout:
        raise BundleError(f"{path.name!r} lacks its manifest or its events.", "Use the original file.")
    if layout[MANIFEST].size > MAX_MANIFEST_BYTES:
        raise BundleError(f"The manifest of {path.name!r} is too long.", "Do not open it.")
    where = layout[MANIFEST]
    raw = file.read(where.offset, where.size)
    if zlib.crc32(raw) != where.crc:
        raise BundleError(f"The manifest of {path.name!r} was changed.", "Use the original file.")
    manifest = Manifest.decode(raw)
    _check_hashes(file, layout, manifest)

    def lines() -> Iterator[bytes]:
        return split_lines(unpack(file.pieces(layout[EVENTS].offset, layout[EVENTS].size)))

    for _ in lines():
        pass  # once only to see how much it is: nothing is kept of what turns out to be too much
    log = EventLog([decode_line(line) for line in lines()])
    if len(log) != manifest.events:
        raise BundleError(
            f"{path.name!r} holds {len(log)} events, and its manifest tells of {manifest.events}.",
            "Use the original file.",
        )
    index = AudioIndex(log)
    tracks: dict[Side, Track] = {}
    for side, name in TRACKS.items():
        if name in layout:
            source = FlacPcm(file, layout[name].offset, layout[name].size)
            if not source.frames() == index.samples[side] == manifest.samples.get(side):
                raise BundleError(
                    f"{name} is not as long as the events and the manifest say.", "Use the original file."
                )
            tracks[side] = Track(source, index.samples[side])
    return Recording(log, tracks, manifest, path=path, _file=file, _layout=layout)


def _check_hashes(file: HeldFile, layout: dict[str, Member], manifest: Manifest) -> None:
    if set(manifest.members) != set(layout) - {MANIFEST}:
        raise BundleError("The manifest does not list what the bundle holds.", "Use the original file.")
    for name, facts in manifest.members.items():
        digest = hashlib.sha256()
        for piece in file.pieces(layout[name].offset, layout[name].size):
            digest.update(piece)
        if digest.hexdigest() != facts.sha256 or layout[name].size != facts.bytes:
            raise BundleError(f"{name} was changed after it was written.", "Use the original file.")
