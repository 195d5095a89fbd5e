"""The tuner's session: told the settings when the user says so, recorded when the user says so."""

from __future__ import annotations

import contextlib
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rt_notebook.errors import ConfigError, RtNotebookError
from rt_notebook.io.bundle.recording import load
from rt_notebook.io.bundle.writer import FLUSH_S
from rt_notebook.vad.traces.trace import Trace
from rt_notebook.widgets.tuner.forms import server_vad
from rt_notebook.widgets.tuner.sound import Sound, built_in, hear

if TYPE_CHECKING:
    from rt_notebook.core.config import ServerVad
    from rt_notebook.io.runtime import Pending
    from rt_notebook.io.session.session import Session
    from rt_notebook.vad.detectors import Detector

__all__ = ["NOT_RECORDED", "TunedSession", "first_sound"]

_TRIES = 20
_NOTHING = Sound("nothing yet", Trace(np.zeros(0, np.float32)))

NOT_RECORDED = "This session is not recorded, so that nothing of it can be tried on. Record it from now on?"


class TunedSession:
    """A session, or a playground and the session that runs in it now.

    Parameters
    ----------
    given
        A `Session`, something that has one, or None.
    """

    def __init__(self, given: Any) -> None:
        self._given = given
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._own: Path | None = None

    @property
    def session(self) -> Session | None:
        """The session of now."""
        found: Session | None = getattr(self._given, "session", self._given)
        return found

    @property
    def state(self) -> str:
        """Its state; empty where there is none."""
        return "" if self.session is None else self.session.state

    @property
    def recording(self) -> Path | None:
        """Where it is written to, by the user or by the tuner."""
        session = self.session
        return None if session is None else session.recording or self._own

    @property
    def vad(self) -> ServerVad:
        """The settings that it was told; the API's defaults without one."""
        session = self.session
        return server_vad(None if session is None else session.config.turn_detection, {})

    def record(self) -> Pending[Path]:
        """Write it down from now on, into a folder that goes with the tuner.

        Raises
        ------
        ConfigError
            There is no session, or it is recorded already.
        """
        session = self.session
        if session is None or self.recording is not None:
            raise ConfigError("There is no session to record.", "Give an open one: VadTuner(session=...).")
        self._folder = self._folder or tempfile.TemporaryDirectory(prefix="rt_notebook-tuner-")
        self._own = Path(self._folder.name) / "session.rtlog"
        return session.record(self._own, purpose="tuning the turn detection")

    def hear(self, detector: str | Detector) -> Sound:
        """Judge what has been recorded so far; the disk is waited for, which is a moment behind.

        Raises
        ------
        BundleError, ConfigError
            The recording cannot be read, or nobody has spoken yet.
        """
        session, path = self.session, self.recording
        if session is None or path is None:
            raise ConfigError("This session is not recorded.", "Record it, then speak.")
        wanted, recording = len(session.log), load(path)
        for _ in range(_TRIES):
            if len(recording.log) >= wanted or session.recording is None:
                break
            time.sleep(FLUSH_S)
            recording = load(path)
        return hear(recording, detector, name="this session")

    def apply(self, vad: ServerVad) -> Pending[None] | None:
        """Tell it the settings; None where it is not open yet and will begin with them.

        Raises
        ------
        ConfigError
            There is no session, or it has ended.
        """
        session = self.session
        if session is None:
            raise ConfigError("There is no session to apply this to.", "Give one: VadTuner(session=...).")
        if session.state == "closed":
            raise ConfigError("The session has ended.", "Start another one, then apply again.")
        if session is not self._given:
            # A playground keeps settings of its own, for its sliders and for its next session.
            for name, value in vad.numbers().items():
                self._given.set_trait(name, value)
        if session.state in {"idle", "connecting"}:
            session.config = session.config.replace(turn_detection=vad)
            return None
        return session.update(turn_detection=vad)

    def close(self) -> None:
        """End the recording that was begun here, and delete it."""
        if self._folder is not None:
            if self.session is not None and self.session.recording == self._own:
                # A disk that is full keeps nobody from closing; what was recorded goes anyway.
                with contextlib.suppress(RtNotebookError):
                    self.session.stop_recording_blocking(10.0)
            self._folder.cleanup()
            self._folder, self._own = None, None


def first_sound(
    source: Any, tuned: TunedSession, detector: str | Detector, rate_hz: int
) -> tuple[Sound, str]:
    """Return what to listen to at first, and a sentence where there is nothing.

    A source that is given has to be there. Without one it is what was recorded of the session, else the
    built-in voice; if that is not installed, the widget says so and takes what the user gives it later.
    """
    if source is not None and not (isinstance(source, str) and source == "voice"):
        return hear(source, detector, rate_hz, progress=True), ""
    try:
        if source is not None or tuned.session is None:
            return built_in("pink", 20.0, detector), ""
        if tuned.recording is not None:
            return tuned.hear(detector), ""
    except RtNotebookError as error:
        return _NOTHING, str(error)
    return _NOTHING, NOT_RECORDED
