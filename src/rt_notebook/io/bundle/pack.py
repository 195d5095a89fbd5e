"""Put a bundle together: the same content gives the same bytes."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from rt_notebook.core.audio import SAMPLE_RATE_HZ
from rt_notebook.errors import BundleError
from rt_notebook.io.bundle.files import HeldFile, create_file, publish
from rt_notebook.io.bundle.lines import pack
from rt_notebook.io.bundle.manifest import EVENTS, MANIFEST, TRACKS, Manifest, MemberFacts, Side
from rt_notebook.io.bundle.zip import write_zip

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

__all__ = ["PACKED", "pack_bundle", "write_bundle"]

PACKED = "packed.tmp"
"""The bundle until it is complete."""

_BLOCK_SAMPLES = 1 << 19


def pack_bundle(
    folder: Path,
    target: Path,
    manifest: Manifest,
    lines: Iterable[bytes],
    audio: dict[Side, tuple[Callable[[int, int], bytes], int]],
    *,
    overwrite: bool,
) -> Manifest:
    """Compress events and audio and write the bundle.

    Parameters
    ----------
    folder
        Where temporary files may be made.
    target
        The bundle's path.
    lines
        The events.
    audio
        By side, what gives PCM16 from one sample to another, and the number of samples.

    Raises
    ------
    BundleError
        The bundle cannot be written.
    """
    try:
        packed = pack(lines)
        contents: dict[str, Callable[[], Iterator[bytes]]] = {EVENTS: lambda: iter((packed,))}
        for side, (pcm, samples) in audio.items():
            if samples:
                contents[TRACKS[side]] = _encoded(folder / TRACKS[side], pcm, samples)
        facts = {name: _facts(give) for name, give in contents.items()}
        manifest = msgspec.structs.replace(
            manifest, members=facts, samples={side: n for side, (_, n) in audio.items() if n}
        )
        raw = manifest.encode()
        write_bundle(folder, target, contents | {MANIFEST: lambda: iter((raw,))}, overwrite=overwrite)
    except OSError as error:
        raise BundleError(
            f"{target.name!r} cannot be written ({error.strerror}).", "Make room, or choose another place."
        ) from None
    return manifest


def write_bundle(
    folder: Path, target: Path, contents: dict[str, Callable[[], Iterator[bytes]]], *, overwrite: bool
) -> None:
    """Write members into a new file and give it its name when it is complete and on the disk."""
    temporary = folder / PACKED
    temporary.unlink(missing_ok=True)
    fd = create_file(temporary)
    try:
        with os.fdopen(fd, "wb") as file:
            write_zip(file, contents)
            file.flush()
            os.fsync(file.fileno())
        publish(temporary, target, overwrite=overwrite)
    finally:
        temporary.unlink(missing_ok=True)


def _facts(give: Callable[[], Iterator[bytes]]) -> MemberFacts:
    digest, size = hashlib.sha256(), 0
    for piece in give():
        digest.update(piece)
        size += len(piece)
    return MemberFacts(size, digest.hexdigest())


def _encoded(path: Path, pcm: Callable[[int, int], bytes], samples: int) -> Callable[[], Iterator[bytes]]:
    """Write a track as FLAC beside the recording; return what reads it."""
    import soundfile

    path.unlink(missing_ok=True)
    with os.fdopen(create_file(path), "w+b") as raw:
        flac: Any
        with soundfile.SoundFile(
            raw, "w", SAMPLE_RATE_HZ, channels=1, subtype="PCM_16", format="FLAC"
        ) as flac:
            for start in range(0, samples, _BLOCK_SAMPLES):
                stop = min(samples, start + _BLOCK_SAMPLES)
                block = np.frombuffer(pcm(start, stop), dtype="<i2", count=stop - start)
                flac.write(block.astype(np.int16, copy=False))
    # Held open and without a name: it goes when it is not needed any more, whatever happens.
    file = HeldFile(path)
    path.unlink()
    return lambda: file.pieces(0, file.size)
