"""Write a session down while it runs.

The session thread only enqueues. A thread of the recorder's own appends to files in a folder beside the
target several times a second, audio before the events that tell of it, so that a kernel that is killed loses
less than a second. At the end the folder is packed into the bundle.
"""

from __future__ import annotations

import atexit
import contextlib
import itertools
import os
import threading
import weakref
from collections import deque
from concurrent.futures import Future
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from rt_notebook.core.audio import BYTES_PER_SAMPLE, pcm_samples
from rt_notebook.core.scrub import scrubbed
from rt_notebook.errors import BundleError, RtNotebookError
from rt_notebook.io.bundle.files import create_file, write_all
from rt_notebook.io.bundle.lines import encode_line
from rt_notebook.io.bundle.manifest import (
    MANIFEST,
    MAX_EVENTS_BYTES,
    MAX_TRACK_SAMPLES,
    Manifest,
    Side,
    components_of,
    side_of,
)
from rt_notebook.io.bundle.part import PART_EVENTS, PART_TRACKS, make_part, pack_part, remove_part
from rt_notebook.io.bundle.redact import redacted_event

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from rt_notebook.core.events import Event
    from rt_notebook.io.secrets.scrub import Scrubber

__all__ = ["Recorder", "utc_now"]

FLUSH_S = 0.25
"""How often what was said goes to the disk."""

_OWN_NAME = "Give every recording a name of its own."


def utc_now() -> str:
    """Date and time in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


_beginning = threading.Lock()
_recorders: weakref.WeakValueDictionary[str, Recorder] = weakref.WeakValueDictionary()
"""By place, who was the last in this process to record to it."""


def _place(target: Path) -> str:
    return os.path.join(os.path.realpath(target.parent), target.name)  # noqa: PTH118 - a link as target is replaced


class _Past(NamedTuple):
    events: Sequence[Event]
    length: int


class Recorder:
    """Writes events and audio. Call it with each of them; it never blocks.

    Parameters
    ----------
    target
        The bundle's path.
    manifest
        What is known before the first event.
    scrubber
        Takes keys out of every line.
    keep_audio
        Whether audio is kept; its lengths and levels are in any case.
    overwrite
        Replace what is at the path. What this process still records to it is ended and packed first.
    on_problem
        Called with a sentence, on the recorder's thread, when recording stops because it fails or has to give
        way to another.

    Attributes
    ----------
    finished : Future of Path
        Done when the bundle is there.

    Raises
    ------
    BundleError
        Nothing can be written to that path.
    """

    def __init__(
        self,
        target: Path,
        manifest: Manifest,
        scrubber: Scrubber,
        *,
        keep_audio: bool,
        overwrite: bool,
        on_problem: Callable[[str], object],
    ) -> None:
        self.target = target
        self.finished: Future[Path | None] = Future()
        self._manifest = manifest
        self._scrubber = scrubber
        self._overwrite = overwrite
        self._on_problem = on_problem
        self._queue: deque[tuple[Event, bytes] | _Past | None] = deque()
        self._wake = threading.Event()
        self._over = self._gives_way = False
        self._events = self._event_bytes = self._masked = 0
        with _beginning:
            self._end_other()
            self._part = make_part(target, overwrite=overwrite)
            manifest_fd = create_file(self._part / MANIFEST)
            write_all(manifest_fd, manifest.encode())
            os.close(manifest_fd)
            self._event_fd = create_file(self._part / PART_EVENTS)
            self._made = os.fstat(self._event_fd)
            self._audio_fds = {
                side: create_file(self._part / name) for side, name in PART_TRACKS.items() if keep_audio
            }
            self._samples: dict[Side, int] = dict.fromkeys(self._audio_fds, 0)
            self._thread = threading.Thread(target=self._run, name="rt_notebook recorder", daemon=True)
            self._thread.start()
            _recorders[_place(target)] = self
        # An interpreter that ends packs what it recorded; one that is killed leaves the folder.
        atexit.register(self._at_exit)

    def _end_other(self) -> None:
        """End what this process still records to the same place, or refuse."""
        other = _recorders.get(_place(self.target))
        if other is None or other.finished.done():
            return
        if not self._overwrite:
            raise BundleError(
                f"{self.target.name!r} is being recorded by another session.",
                "Stop that recording, choose another name, or pass overwrite=True, which ends it.",
            )
        other._gives_way = True
        other.stop()
        other.finished.result()

    # -- on the session thread ------------------------------------------------------------------------

    def begin(self, past: Sequence[Event], from_s: float) -> None:
        """Take what was before the recording began: its times and structure, no words and no audio."""
        self._manifest = msgspec.structs.replace(self._manifest, from_s=from_s)
        # It may be long and grows at its end: the recorder's thread reads up to here.
        self._queue.append(_Past(past, len(past)))

    def __call__(self, event: Event, audio: bytes) -> None:
        """Take one event and the audio that it carried."""
        self._queue.append((event, audio))

    def stop(self) -> None:
        """Finish the bundle; a second call does nothing."""
        self._queue.append(None)
        self._wake.set()

    # -- on the recorder's thread ---------------------------------------------------------------------

    def _run(self) -> None:
        try:
            try:
                while not self._over:
                    self._wake.wait(FLUSH_S)
                    self._flush()
                # Compared while the file is open: nothing else has its number as long as it is.
                if not self._is_there():
                    raise BundleError(f"{self._part.name!r} was deleted or replaced meanwhile.", _OWN_NAME)
            finally:
                for fd in (self._event_fd, *self._audio_fds.values()):
                    os.close(fd)
            self._finish()
        except Exception as error:  # whatever it is, somebody waits for the end
            match error:
                case RtNotebookError():
                    said = error.problem
                case OSError():
                    said = f"The disk says: {error.strerror}."
                case _:
                    said = f"{type(error).__name__}: {error}"
            problem = f"Recording to {self.target.name!r} has stopped. {said}"
            kept = f"What was recorded until then is in {self._part.name!r}; rt_notebook.load opens it."
            remedy = kept if self._is_there() else _OWN_NAME
            self.finished.set_exception(BundleError(problem, remedy))
            self._on_problem(f"{problem} {remedy}")
        else:
            if self._gives_way:
                problem = f"Recording to {self.target.name!r} has ended: another session records to it now."
                self._on_problem(f"{problem} {_OWN_NAME}")
        finally:
            atexit.unregister(self._at_exit)

    def _is_there(self) -> bool:
        """Whether the folder is still the one that was made: another process may have put its own there."""
        try:
            there = (self._part / PART_EVENTS).lstat()
        except OSError:
            return False
        return os.path.samestat(there, self._made)

    def _flush(self) -> None:
        lines: list[bytes] = []
        audio: dict[Side, list[bytes]] = {side: [] for side in self._audio_fds}
        while self._queue:
            entry = self._queue.popleft()
            if entry is None:
                self._over = True
                break
            if isinstance(entry, _Past):
                for event in itertools.islice(entry.events, entry.length):
                    lines.append(self._line(event, past=True))
                    if event.audio_samples and self._audio_fds:
                        self._leave_silence(side_of(event), event.audio_samples)
                continue
            event, pcm = entry
            lines.append(self._line(event))
            if event.audio_samples and self._audio_fds:
                # Exactly as long as the event says: the tracks are cut by the events' lengths.
                audio[side_of(event)].append(pcm[: event.audio_samples * BYTES_PER_SAMPLE])
        for side, pieces in audio.items():
            joined = b"".join(pieces)
            write_all(self._audio_fds[side], joined)
            self._samples[side] += pcm_samples(joined)
        joined = b"".join(lines)
        write_all(self._event_fd, joined)
        self._events += len(lines)
        self._event_bytes += len(joined)
        if self._event_bytes > MAX_EVENTS_BYTES - (1 << 20):
            raise BundleError("A bundle holds no more events.", "Record in parts.")
        if any(samples > MAX_TRACK_SAMPLES for samples in self._samples.values()):
            raise BundleError("A bundle holds no more than twelve hours of audio.", "Record in parts.")

    def _line(self, event: Event, *, past: bool = False) -> bytes:
        if event.type == "session.created":
            named = components_of((event,))
            self._manifest = msgspec.structs.replace(self._manifest, components=named)
        event = redacted_event(event) if past else event
        clean = scrubbed(event)
        line = encode_line(clean)
        safe = self._scrubber.json(line)
        self._masked += clean is not event or safe != line
        return safe

    def _leave_silence(self, side: Side, samples: int) -> None:
        """Leave a hole in the file, which reads as zeros and takes no room."""
        self._samples[side] += samples
        end = self._samples[side] * BYTES_PER_SAMPLE
        os.ftruncate(self._audio_fds[side], end)
        os.lseek(self._audio_fds[side], end, os.SEEK_SET)

    def _finish(self) -> None:
        manifest = msgspec.structs.replace(
            self._manifest, ended_at=utc_now(), masked=self._masked, events=self._events
        )
        pack_part(self._part, self.target, manifest, overwrite=self._overwrite)
        remove_part(self._part)
        self.finished.set_result(self.target)

    def _at_exit(self) -> None:
        self.stop()
        with contextlib.suppress(Exception):
            self.finished.result(60.0)
