"""The part of a session that writes it down: off until it is asked for."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from rt_notebook.errors import BundleError, SessionClosedError
from rt_notebook.io.bundle.manifest import Manifest
from rt_notebook.io.bundle.recording import bundle_path
from rt_notebook.io.bundle.writer import Recorder, utc_now
from rt_notebook.io.runtime import Pending
from rt_notebook.io.secrets.scrub import Scrubber

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rt_notebook.io.runtime import Runtime
    from rt_notebook.io.session.link import Link

__all__ = ["Recordable", "end_recording"]


class Recordable:
    """What a `Session` can do to be written down. Mixed into `Session`."""

    _link: Link
    _runtime: Runtime
    _recorder: Recorder | None = None
    _recorder_turn: asyncio.Lock
    """Held while a recording begins or ends: each waits for what was asked for before."""
    _end_is_told = False

    if TYPE_CHECKING:

        def _submit(self, work: Any, *, ends_with_waiter: bool = False) -> Pending[Any]: ...

    def record(
        self,
        path: str | Path,
        *,
        purpose: str,
        who: str | Sequence[str] = (),
        keep_audio: bool = True,
        overwrite: bool = False,
    ) -> Pending[Path]:
        """Write the session down from now on, until `stop_recording` or the end of the session.

        Of what was before, the bundle holds times and structure only: no words, no audio. Record before
        `connect` to have all of it. While it runs, the recording lies in a folder beside the bundle
        (``demo.rtlog.part``), which `rt_notebook.load` opens as well if the kernel was killed.

        Parameters
        ----------
        path
            The bundle's path, ``"demo.rtlog"``.
        purpose
            What the recording is for. It stands in the bundle.
        who
            Who takes part and has agreed to be recorded: a name, or several.
        keep_audio
            Whether both voices are kept, or only lengths and levels.
        overwrite
            Replace what is at the path. Another session's recording to it is ended first.

        Raises
        ------
        BundleError
            Something is at the path, it is recorded to by another session, it cannot be written to, or this
            session is being recorded already.
        SessionClosedError
            The session is closed.
        """
        target = bundle_path(path).absolute()
        names = (who,) if isinstance(who, str) else tuple(who)
        return self._submit(self._record(target, purpose, names, keep_audio=keep_audio, overwrite=overwrite))

    def record_blocking(
        self,
        path: str | Path,
        *,
        purpose: str,
        who: str | Sequence[str] = (),
        keep_audio: bool = True,
        overwrite: bool = False,
    ) -> Path:
        """Write the session down; the blocking twin of `record`."""
        return self.record(
            path, purpose=purpose, who=who, keep_audio=keep_audio, overwrite=overwrite
        ).result()

    def stop_recording(self) -> Pending[Path | None]:
        """End the recording and return the path of the bundle; None if the session was not recorded.

        Raises
        ------
        BundleError
            The bundle could not be written; what was recorded is in the folder beside it.
        """
        try:
            return self._submit(self._stop_recording())
        except SessionClosedError:  # `close` has ended it
            nothing: Future[Path | None] = Future()
            nothing.set_result(None)
            return Pending(nothing if self._recorder is None else self._recorder.finished)

    def stop_recording_blocking(self, timeout_s: float | None = None) -> Path | None:
        """End the recording; the blocking twin of `stop_recording`."""
        return self.stop_recording().result(timeout_s)

    @property
    def recording(self) -> Path | None:
        """The bundle that the session is being written to; None if it is not."""
        recorder = self._recorder
        return None if recorder is None or recorder.finished.done() else recorder.target

    async def _record(
        self, target: Path, purpose: str, who: tuple[str, ...], *, keep_audio: bool, overwrite: bool
    ) -> Path:
        async with self._recorder_turn:
            if self.recording is not None:
                raise BundleError("This session is being recorded already.", "Call stop_recording() first.")
            link, endpoint = self._link, self._link.endpoint
            scrubber = Scrubber(endpoint.secrets())
            purpose = scrubber.text(purpose)
            manifest = Manifest(
                made_by=f"rt_notebook {version('rt-notebook')}",
                purpose=purpose,
                who=who,
                endpoint=endpoint.label,
                dialect=endpoint.dialect,
                began_at=utc_now(),
            )

            # These hold no session: whoever has let go of it must not find it alive because it is recorded.
            runtime = self._runtime
            recorder = await asyncio.to_thread(
                Recorder,
                target,
                manifest,
                scrubber,
                keep_audio=keep_audio,
                overwrite=overwrite,
                on_problem=lambda problem: runtime.call_soon(_failed, link, problem),
            )
            # From here on without a pause, so that no event falls between the past and the present.
            self._recorder, self._end_is_told = recorder, False
            recorder.begin(list(link.log), link.clock_s())
            link.tap = recorder
            link.listeners.append(lambda event: _untap(link, recorder) if event is None else None)
            link.record("local.recording", state="started", purpose=purpose, audio=keep_audio)
            if link.life.state == "closed":  # meanwhile: nobody will say when it ends
                _untap(link, recorder)
            return target

    async def _stop_recording(self) -> Path | None:
        async with self._recorder_turn:
            link, recorder = self._link, self._recorder
            if recorder is None:
                return None
            self._end_is_told = True
            if link.tap is recorder:
                link.record("local.recording", state="stopped")
                _untap(link, recorder)
            return await _bundle(recorder)

    async def _recorded(self) -> None:
        """Wait until the bundle is complete; its failure is told here unless `stop_recording` tells it."""
        async with self._recorder_turn:
            if self._recorder is None:
                return
            _untap(self._link, self._recorder)
            try:
                await _bundle(self._recorder)
            except BundleError:
                if not self._end_is_told:
                    raise


async def _bundle(recorder: Recorder) -> Path | None:
    # Shielded: whoever stops waiting does not stop the recorder.
    return await asyncio.shield(asyncio.wrap_future(recorder.finished))


def end_recording(link: Link) -> None:
    """End the recording of a session that nobody holds any more, without waiting for it."""
    if isinstance(link.tap, Recorder):
        _untap(link, link.tap)


def _untap(link: Link, recorder: Recorder) -> None:
    if link.tap is recorder:
        link.tap = None
    recorder.stop()


def _failed(link: Link, problem: str) -> None:
    if isinstance(link.tap, Recorder) and link.tap.finished.done():
        link.tap = None
    link.record("local.recording", state="failed", message=problem)
