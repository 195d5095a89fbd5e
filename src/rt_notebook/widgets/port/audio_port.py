"""The microphone and speaker of a notebook page, for a session or for your own code."""

from __future__ import annotations

import itertools
import time
from concurrent.futures import CancelledError
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import anywidget
import traitlets

from rt_notebook.core.audio import SAMPLE_RATE_HZ, SILENCE_DBFS, level_dbfs
from rt_notebook.core.recorded_pcm import RecordedPcm
from rt_notebook.errors import RtNotebookError
from rt_notebook.io.audio.sources import to_wire_audio
from rt_notebook.widgets.port.clock_line import ClockLine, page_times
from rt_notebook.widgets.port.code_line import LOADER, CodeLine
from rt_notebook.widgets.port.mic_line import MicLine
from rt_notebook.widgets.port.speaker_line import SpeakerLine
from rt_notebook.widgets.port.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable

    from rt_notebook.io.audio.sources import AudioSource
    from rt_notebook.io.runtime import Pending
    from rt_notebook.io.session.session import Session

__all__ = ["AudioPort"]

_names = itertools.count(1)
_PLAY_PART_SAMPLES = 4800


class _Stream(traitlets.Bytes):
    """Bytes that are observed each time they are set, also when they are the same again: silence counts."""

    def set(self, obj: Any, value: bytes) -> None:
        new = self._validate(obj, value)
        old = obj._trait_values.get(self.name, b"")
        obj._trait_values[self.name] = new
        obj._notify_trait(self.name, old, new)


class _Ears(Protocol):
    """The part of a session that a port speaks to."""

    def append_audio(self, pcm: bytes) -> None: ...
    def clock_s(self) -> float: ...
    def note(self, type_: str, **data: Any) -> None: ...


class AudioPort(anywidget.AnyWidget):
    """The microphone and speaker of the page that shows this widget.

    The microphone opens only when the user presses *Start listening*. Give the port to a session as its
    speaker and connect its microphone::

        port = AudioPort()
        session = Session(speaker=port)
        port.connect(session)
        port

    or use it alone: observe `chunk`, call `play_audio`.

    Attributes
    ----------
    chunk : bytes
        The newest 40 ms of the microphone, PCM16 little-endian mono at 24 kHz (960 samples; the last chunk of
        a recording may be shorter). Observers are called for every chunk, in order, on a thread of the
        widget. It is never synchronised with the page nor saved.
    mic_state : str
        ``"off"``, ``"asking"``, ``"on"``, or what is wrong: ``"denied"``, ``"no-device"``, ``"busy"``,
        ``"lost"``, ``"insecure"``, ``"unsupported"``, ``"worklet"``, ``"link"``, ``"failed"``.
    level_dbfs : float
        RMS level of the newest chunk, at most ten changes a second; -100 while the microphone is off.
    speaking : bool
        Whether sound is leaving the speaker.
    muted : bool
        Record silence instead of the microphone. May be set.
    """

    _esm = LOADER

    kind = traitlets.Unicode("audio-port", read_only=True).tag(sync=True)
    mic_state = traitlets.Unicode("off").tag(sync=True)
    muted = traitlets.Bool(False).tag(sync=True)
    problem = traitlets.Unicode("").tag(sync=True)

    chunk = _Stream(b"")
    level_dbfs = traitlets.Float(SILENCE_DBFS)
    speaking = traitlets.Bool(False)

    def __init__(self) -> None:
        name = f"rt_notebook-widget-{next(_names)}"
        self._ears: _Ears | None = None
        self._item_numbers = itertools.count(1)
        self._code = CodeLine(self.send)
        self._mic = MicLine(self.send, self._on_chunk, self._on_gap)
        self._speaker = SpeakerLine(self.send, self._on_report)
        self._clocks = ClockLine(self.send, self._on_exchange)
        self._level_dbfs = SILENCE_DBFS
        # All of the carrier happens on the line; user code runs on the other thread and cannot hold it up.
        self._line = Worker(f"{name}-line", self._tick)
        self._observers = Worker(f"{name}-observers", self._publish)
        super().__init__()
        self.on_msg(self._enqueue)
        self._alive = True

    _report: Callable[..., None] | None = None

    # -- for a session, and for the user ---------------------------------------------------------------

    def connect(self, session: Session | None) -> None:
        """Send the microphone to `session`; None disconnects."""
        self._line.submit(partial(setattr, self, "_ears", session))

    def attach(self, report: Callable[..., None]) -> None:
        """Tell the session whose speaker this is what was heard. The session calls this."""
        self._report = report

    def play(self, item_id: str, pcm: bytes) -> None:
        """Play audio of an item: PCM16 mono at 24 kHz. Only enqueues."""
        self._line.submit(partial(self._speaker.play, item_id, pcm))

    def end(self, item_id: str) -> None:
        """Say that no more audio of the item will come. Only enqueues."""
        self._line.submit(partial(self._speaker.end, item_id))

    def flush(self) -> None:
        """Silence the speaker at once. Only enqueues; the page then reports what was heard."""
        self._line.submit(self._speaker.flush)

    def play_audio(self, audio: AudioSource, rate_hz: int = SAMPLE_RATE_HZ) -> str:
        """Play a recording and return the id of its item.

        Parameters
        ----------
        audio
            A path, PCM16 bytes, or an array of shape (n,) or (n, channels): int16, or floats in [-1, 1].
        rate_hz
            Sample rate of an array or of bytes.

        Raises
        ------
        AudioFileError
            The file cannot be read as audio.
        """
        pcm = to_wire_audio(audio, rate_hz)
        item_id = f"local_{next(self._item_numbers)}"
        part_bytes = 2 * _PLAY_PART_SAMPLES
        for start in range(0, len(pcm), part_bytes):
            self.play(item_id, pcm[start : start + part_bytes])
        self.end(item_id)
        return item_id

    def close(self) -> None:
        """Close the microphone and silence the speaker; the widget leaves the page."""
        if self._alive:
            self._alive = False
            self._line.submit(partial(self._mic.revoke, "This widget was closed: run the cell again."))
            self._line.submit(self._speaker.flush)
            for worker in (self._line, self._observers):
                worker.stop()
                worker.join(1.0)
            super().close()

    # -- the comm --------------------------------------------------------------------------------------

    @traitlets.observe("comm")
    def _comm_changed(self, change: dict[str, Any]) -> None:
        """Let each message go to the thread that its own header names.

        Since ipykernel 7.4 a comm's messages go where the kernel's last message on that comm came from; after
        any send from a cell the microphone would wait for that cell, or for a subshell that is gone.
        """
        super()._comm_changed(change)
        if hasattr(self.comm, "_reply_subshell_for"):
            self.comm._reply_subshell_for = None

    def _enqueue(self, _widget: object, content: dict[str, Any], buffers: list[memoryview]) -> None:
        """Handle a message of the front end: hand it to the line, nothing else."""
        content["arrived_s"] = time.monotonic()
        self._line.submit(partial(self._receive, content, bytes(buffers[0]) if buffers else b""))

    def _receive(self, message: dict[str, Any], pcm: bytes) -> None:
        handler = self._handlers().get(message.get("type", ""))
        if handler is not None:
            handler(message, pcm)

    def _handlers(self) -> dict[str, Callable[[dict[str, Any], bytes], None]]:
        return {
            "code.ask": lambda _m, _: self._code.asked(),
            "code.taken": lambda _m, _: self._code.taken(),
            "hello": self._on_hello,
            "mic.open": self._on_mic_open,
            "mic.chunks": self._mic.receive,
            "mic.close": self._on_mic_close,
            "mic.state": self._on_mic_state,
            "clock.answer": lambda m, _: self._clocks.answered(m),
            "speaker.report": self._on_speaker_report,
            "speaker.ack": lambda m, _: self._speaker.acknowledged(m["client"], m["seq"], again=m["again"]),
            "action": self._on_action,
        }

    # -- on the line -----------------------------------------------------------------------------------

    def _tick(self) -> None:
        self._code.offer()
        self._speaker.probe()
        if self._ears is not None and (self._mic.client is not None or self._speaker.sounding):
            for client in dict.fromkeys((self._mic.client, self._speaker.client)):
                self._clocks.ask(client)

    def _on_hello(self, message: dict[str, Any], _pcm: bytes) -> None:
        speaker_seq = self._speaker.choose(message["client"])
        self.send({"type": "welcome", "client": message["client"], "speaker_seq": speaker_seq})

    def _on_action(self, message: dict[str, Any], _pcm: bytes) -> None:
        """Let a press decide which page plays; `Playground` adds what it does."""
        self._speaker.choose(message["client"])

    def _on_mic_open(self, message: dict[str, Any], _pcm: bytes) -> None:
        self._speaker.choose(message["client"])
        self._mic.open(message["client"], message["epoch"])

    def _on_mic_close(self, message: dict[str, Any], _pcm: bytes) -> None:
        if message["client"] == self._mic.client and self._ears is not None:
            self._ears.note("local.mic_closed", reason=message["reason"])
        self._mic.close(message["client"], message["epoch"], message["seq"])

    def _on_mic_state(self, message: dict[str, Any], _pcm: bytes) -> None:
        state = message["problem"] or message["state"]
        if state == "on" and self._ears is not None:
            latency_s = message.get("input_latency_s")
            self._ears.note("local.mic_opened", client=message["client"], input_latency_s=latency_s)
        if message["state"] == "off":
            self._level_dbfs = SILENCE_DBFS
        self._observers.submit(partial(self.set_trait, "mic_state", state))

    def _on_chunk(self, pcm: bytes) -> None:
        if self._ears is not None:
            if isinstance(pcm, RecordedPcm):
                pcm.arrived_s = self._session_s(pcm.arrived_s)
            self._ears.append_audio(pcm)
        self._level_dbfs = level_dbfs(pcm)
        self._observers.submit(partial(self.set_trait, "chunk", bytes(pcm)))

    def _on_gap(self, lost_samples: int) -> None:
        if self._ears is not None:
            self._ears.note("local.mic_gap", lost_samples=lost_samples)

    def _on_exchange(
        self, client: str, asked_s: float, received_s: float, answered_s: float, arrived_s: float
    ) -> None:
        if self._ears is not None:
            self._ears.note(
                "local.clock",
                client=client,
                asked_s=self._session_s(asked_s),
                received_s=received_s,
                answered_s=answered_s,
                arrived_s=self._session_s(arrived_s),
            )

    def _session_s(self, monotonic_s: float) -> float:
        """Return a moment of this process on the clock of the session's log."""
        assert self._ears is not None  # noqa: S101
        return self._ears.clock_s() - (time.monotonic() - monotonic_s)

    def _on_speaker_report(self, message: dict[str, Any], _pcm: bytes) -> None:
        if message["client"] == self._speaker.client:
            self._on_report(
                message["item_id"],
                message["played_samples"],
                message["state"],
                message["dropped_samples"],
                **page_times(message),
            )

    def _on_report(
        self, item_id: str, played_samples: int, state: str, dropped_samples: int, **times: Any
    ) -> None:
        if self._report is not None:
            self._report(item_id, played_samples, state, dropped_samples, **times)
        self._observers.submit(partial(self.set_trait, "speaking", state == "playing"))

    # -- on the observers' thread ----------------------------------------------------------------------

    def _publish(self) -> None:
        """Bring the throttled traits up to date."""
        if self.level_dbfs != self._level_dbfs:
            self.level_dbfs = self._level_dbfs

    def _tell(self, problem: str) -> None:
        """Show what is wrong; empty for nothing."""
        self.problem = problem

    def _watch(
        self,
        work: Pending[Any],
        then: Callable[[], object] | None = None,
        otherwise: Callable[[], object] | None = None,
    ) -> None:
        """Call `then` here once `work` has gone well; else show why it has not, and call `otherwise`."""
        work.add_done_callback(lambda _: self._observers.submit(partial(self._ended, work, then, otherwise)))

    def _ended(
        self, work: Pending[Any], then: Callable[[], object] | None, otherwise: Callable[[], object] | None
    ) -> None:
        follows = otherwise
        try:
            work.result(0)
            follows = then
        except CancelledError:
            pass  # the session was closed meanwhile, and that is shown
        except RtNotebookError as error:
            self._tell(str(error))
        except Exception as error:
            self._tell(f"{type(error).__name__}: {error}. Look into the session's log.")
        if follows is not None:
            follows()

    # -- in the notebook -------------------------------------------------------------------------------

    _alive = False
    """Whether there is something to close: ipywidgets closes again when the object goes, even half-made."""

    _SUMMARY = "Microphone and speaker. Run this cell in JupyterLab to use them."

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: microphone {self.mic_state}>"

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is not None:
            # Shown where no kernel runs: in a file browser, an HTML export, a review.
            bundle[0]["text/html"] = f"<p><em>{type(self).__name__}</em>: {self._SUMMARY}</p>"
        return bundle
