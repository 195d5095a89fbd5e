"""Traces that are kept on disk: a model needs minutes for an hour of audio, a sweep a hundredth of a second.

A folder that cannot be written, a file that is damaged or gone: the trace is made again, nothing fails.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from rt_notebook.core.audio import Float32

__all__ = ["MAX_BYTES", "cache_folder", "keep", "kept"]

MAX_BYTES = 512 * 1024 * 1024
"""Bound of the folder: a thousand hours. What was not used for the longest time goes first."""

_SUFFIX = ".npy"


def cache_folder() -> Path:
    """Where traces are kept: ``RT_NOTEBOOK_CACHE``, else the system's place for what can be made again."""
    if named := os.environ.get("RT_NOTEBOOK_CACHE"):
        return Path(named)
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "rt_notebook" / "traces"


def kept(key: str) -> Float32 | None:
    """Return what is kept under `key`, and note that it was used; None where there is nothing sound."""
    path = cache_folder() / (key + _SUFFIX)
    try:
        with path.open("rb") as file:
            found = np.lib.format.read_array(file, allow_pickle=False)
        os.utime(path)
    except Exception:
        # Damage shows as errors of many kinds; a header that is wrong may ask for any amount of memory.
        return None
    sound = found.dtype == np.float32 and found.ndim == 1 and bool(((found >= 0) & (found <= 1)).all())
    return found if sound else None


def keep(key: str, probabilities: Float32) -> None:
    """Keep an array under `key`; only this user can read it: it tells when somebody spoke."""
    folder = cache_folder()
    with contextlib.suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # mkstemp makes it 0600. Renamed when it is whole, so that nobody reads half of it.
        descriptor, name = tempfile.mkstemp(dir=folder, suffix=".part")
        try:
            with os.fdopen(descriptor, "wb") as file:
                np.save(file, probabilities, allow_pickle=False)
            Path(name).replace(folder / (key + _SUFFIX))
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        _make_room(folder)


def _make_room(folder: Path) -> None:
    found = []
    for path in folder.glob("*" + _SUFFIX):
        with contextlib.suppress(OSError):
            state = path.stat()
            found.append((state.st_mtime, state.st_size, path))
    total = sum(size for _, size, _ in found)
    for _, size, path in sorted(found):
        if total <= MAX_BYTES:
            return
        path.unlink(missing_ok=True)
        total -= size
