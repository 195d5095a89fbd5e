"""`Session`: one conversation with a realtime endpoint."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
import weakref
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Self

from rt_notebook.core.audio import SAMPLE_RATE_HZ, to_float
from rt_notebook.core.config import SessionConfig, changed_part
from rt_notebook.core.limits import SessionLimits
from rt_notebook.core.reconnect import ReconnectPolicy
from rt_notebook.errors import SessionClosedError
from rt_notebook.io.audio.sources import AUDIO_SUFFIXES, to_wire_audio
from rt_notebook.io.endpoints.endpoint import Endpoint
from rt_notebook.io.runtime import Pending, Runtime
from rt_notebook.io.session import conversation
from rt_notebook.io.session.approving import Approving
from rt_notebook.io.session.event_stream import EventStream
from rt_notebook.io.session.link import Link
from rt_notebook.io.session.recordable import Recordable, end_recording
from rt_notebook.io.session.replay_link import ReplayLink
from rt_notebook.io.session.usable import usable
from rt_notebook.log.event_log import EventLog
from rt_notebook.log.settings_table import fold_settings, settings_table

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    from rt_notebook.core.events import Event
    from rt_notebook.io.audio.sources import AudioSource
    from rt_notebook.io.audio.speakers import Speaker
    from rt_notebook.io.tools.runner import Approver
    from rt_notebook.log.turns import Turn

__all__ = ["Session", "SessionState"]

SessionState = Literal["idle", "connecting", "open", "reconnecting", "closed"]


class Session(Approving, Recordable):
    """A conversation with a realtime speech model.

    It runs on a thread of its own: a cell that blocks for a minute loses no event and no sample. Every
    operation begins at once and returns a `Pending`, which can be awaited, waited for with ``.result()``, or
    let go; ``*_blocking`` twins are there for code that cannot await.

    Parameters
    ----------
    endpoint
        Where to connect. Default: ``Endpoint.local()``, the server inside this package.
    config
        What the session is told. Default: ``SessionConfig()``.
    speaker
        Where the assistant's voice goes; None keeps it in memory only (`reply_audio`).
    reconnect
        How a lost connection is replaced. Default: ``ReconnectPolicy()``.
    limits
        Time, money and idleness after which the session ends. Default: none, ``SessionLimits()``.
    approve
        Asked, on a thread of its own, whether a call of a tool may run: takes a `PendingCall` and returns
        True, False, or None, which leaves it to the method `approve`. Anything else is a no.

    Attributes
    ----------
    log : EventLog
        Everything that happened.

    Raises
    ------
    ConfigError
        The endpoint or the configuration is none, or the two cannot be used together.

    Examples
    --------
    >>> session = await Session().connect()
    >>> turn = await session.ask("What is the capital of France?")
    >>> turn.assistant
    >>> await session.close()
    """

    def __init__(
        self,
        endpoint: Endpoint | None = None,
        config: SessionConfig | None = None,
        *,
        speaker: Speaker | None = None,
        reconnect: ReconnectPolicy | None = None,
        limits: SessionLimits | None = None,
        approve: Approver | None = None,
    ) -> None:
        self.endpoint = Endpoint.local() if endpoint is None else endpoint
        config = usable(SessionConfig() if config is None else config, self.endpoint)
        self.log = EventLog()
        self._ending = threading.Lock()
        self._updating = asyncio.Lock()
        self._recorder_turn = asyncio.Lock()
        self._closing: Pending[None] | None = None
        self._runtime = Runtime("rt_notebook session")
        if self.endpoint.replayed is not None:
            self._link = ReplayLink(self.endpoint, config, self.log, speaker)
        else:
            started_s = time.monotonic()
            self._link = Link(
                self.endpoint,
                config,
                self.log,
                lambda: time.monotonic() - started_s,
                speaker,
                ReconnectPolicy() if reconnect is None else reconnect,
                SessionLimits() if limits is None else limits,
                approve,
            )
        if speaker is not None:
            # Through the runtime, not through this object: whoever holds the speaker holds no session by it.
            runtime, link = self._runtime, self._link
            speaker.attach(
                lambda *report, **times: runtime.call_soon(partial(link.report_playback, *report, **times))
            )
        # A session that nobody holds any more must not go on listening, nor outlive the interpreter.
        weakref.finalize(self, _abandon, self._runtime, self._link)

    # -- life -----------------------------------------------------------------------------------------

    def connect(self) -> Pending[Self]:
        """Open the session and tell it the configuration; a second call waits until it is open.

        Raises
        ------
        ConnectError
            The endpoint cannot be reached or refuses (`AuthenticationError`, `EndpointNotFoundError`).
        ServerError
            The endpoint refuses the configuration.
        SessionClosedError
            This session is over: it was closed, gave up, or reached a limit.
        """
        return self._submit(self._connect())

    def connect_blocking(self, timeout_s: float | None = None) -> Self:
        """Open the session; the blocking twin of `connect`."""
        return self.connect().result(timeout_s)

    async def _connect(self) -> Self:
        life = self._link.life
        if life.state != "idle":
            await life.settled()
            return self
        try:
            await life.open()
        except BaseException:
            self.close()
            raise
        return self

    def close(self) -> Pending[None]:
        """Close the session. Its log stays; a second call does nothing."""
        with self._ending:
            if self._closing is not None:
                return self._closing
            closing = self._closing = self._runtime.submit(self._close())
        closing.add_done_callback(lambda _: self._runtime.stop())
        return closing

    async def _close(self) -> None:
        await self._link.life.close()
        await self._recorded()

    def close_blocking(self, timeout_s: float | None = 5.0) -> None:
        """Close the session; the blocking twin of `close`. A recording is always waited for."""
        recorded = self.recording is not None
        self.close().result(None if recorded else timeout_s)

    @property
    def state(self) -> SessionState:
        """``"idle"``, ``"connecting"``, ``"open"``, ``"reconnecting"`` or ``"closed"``.

        It stays open when the endpoint closes an idle connection: the next word opens another.
        """
        state = self._link.life.state
        if state == "resting" or state == "switching":  # noqa: PLR1714 - mypy narrows by this
            state = "open"
        return state if self._closing is None else "closed"

    @property
    def config(self) -> SessionConfig:
        """What the session is told; set it before `connect`, and change it by `update` afterwards."""
        return self._link.config

    @config.setter
    def config(self, config: SessionConfig) -> None:
        self._link.config = usable(config, self.endpoint)

    @property
    def info(self) -> dict[str, Any]:
        """The endpoint's last session object, in GA form; empty before it said anything."""
        return self._link.protocol.session

    def settings(self) -> pd.DataFrame:
        """One row a setting: as asked for, as acknowledged, and as the last turns show it.

        The columns are described in `rt_notebook.log.settings_table.settings_table`.
        """
        return settings_table(fold_settings(self.log))

    def clock_s(self) -> float:
        """Seconds on the clock of the log."""
        return self._link.clock_s()

    # -- talking --------------------------------------------------------------------------------------

    def ask(self, question: AudioSource, rate_hz: int = SAMPLE_RATE_HZ) -> Pending[Turn]:
        """Ask and wait for the whole answer; an interrupted cell cancels it.

        Parameters
        ----------
        question
            A text is typed. A recording is spoken in real time: an array, bytes, a `Path`, or a string that
            ends like the name of an audio file.
        rate_hz
            Sample rate of an array or of bytes.

        Returns
        -------
        Pending of Turn
            The turn with both sides' words and its timings.

        Raises
        ------
        NoReplyError
            No speech was heard, or no answer came, or the connection was lost meanwhile.
        """
        spoken = question if _is_text(question) else to_wire_audio(question, rate_hz)
        return self._submit(self._ask(spoken), ends_with_waiter=True)

    def ask_blocking(
        self, question: AudioSource, rate_hz: int = SAMPLE_RATE_HZ, timeout_s: float | None = None
    ) -> Turn:
        """Ask and wait; the blocking twin of `ask`."""
        return self.ask(question, rate_hz).result(timeout_s)

    async def _ask(self, question: Any) -> Turn:
        response_id = await conversation.ask(self._link, question)
        turns = self.log.fold_turns()
        # By its answer: of a turn that a lost connection took along, the last word may never come.
        return next((turn for turn in reversed(turns) if turn.response_id == response_id), turns[-1])

    def speak(self, audio: AudioSource, rate_hz: int = SAMPLE_RATE_HZ) -> Pending[None]:
        """Speak a recording into the session in real time, with enough silence behind it to end the turn.

        Raises
        ------
        AudioFileError
            The file cannot be read as audio.
        """
        return self._submit(self._speak(to_wire_audio(audio, rate_hz)))

    async def _speak(self, pcm: bytes) -> None:
        await conversation.speak(self._link, pcm)

    def speak_blocking(self, audio: AudioSource, rate_hz: int = SAMPLE_RATE_HZ) -> None:
        """Speak a recording; the blocking twin of `speak`."""
        self.speak(audio, rate_hz).result()

    def send_text(self, text: str) -> Pending[None]:
        """Type a message; an answer that is still running is interrupted."""
        return self._submit(conversation.send_text(self._link, text))

    def send_text_blocking(self, text: str, timeout_s: float | None = None) -> None:
        """Type a message; the blocking twin of `send_text`."""
        self.send_text(text).result(timeout_s)

    def interrupt(self) -> Pending[None]:
        """Silence the assistant, cancel its answer, and cut its item at what was heard."""
        return self._submit(conversation.interrupt(self._link))

    def interrupt_blocking(self, timeout_s: float | None = None) -> None:
        """Silence the assistant; the blocking twin of `interrupt`."""
        self.interrupt().result(timeout_s)

    def append_audio(self, pcm: bytes | npt.NDArray[np.int16]) -> None:
        """Hand over microphone audio: PCM16 mono, 24 kHz. Never blocks; any thread may call it.

        Raises
        ------
        ConfigError
            An array is of another type than int16, and not of floats in [-1, 1] either.
        """
        data = pcm if isinstance(pcm, bytes) else to_wire_audio(pcm)
        self._runtime.call_soon(self._link.send_audio, data)

    def update(self, **changes: Any) -> Pending[None]:
        """Change settings of the running session: ``session.update(threshold=0.7, voice="verse")``.

        Parameters
        ----------
        changes
            Settings by name: those of `SessionConfig`, and those of the turn detection in use: of
            `ServerVad` ``threshold``, ``prefix_padding_ms``, ``silence_duration_ms``, ``create_response``,
            ``interrupt_response`` and ``idle_timeout_ms``; of `SemanticVad` ``eagerness``,
            ``create_response`` and ``interrupt_response``. ``turn_detection`` replaces it.

        Raises
        ------
        ConfigError
            A setting is unknown or out of range; nothing is sent then.
        ServerError
            The endpoint refuses the change; the session keeps its old settings.
        """
        usable(self.config.replace(**changes), self.endpoint)
        return self._submit(self._update(changes))

    def update_blocking(self, **changes: Any) -> None:
        """Change settings; the blocking twin of `update`."""
        self.update(**changes).result()

    async def _update(self, changes: dict[str, Any]) -> None:
        # One after the other: an acknowledgement does not say of which, and each changes what is by then.
        async with self._updating:
            config = usable(self.config.replace(**changes), self.endpoint)
            part = changed_part(self.config.to_wire(), config.to_wire())
            await self._link.request({"type": "session.update", "session": part}, "session.updated")
            self._link.config = config

    # -- listening ------------------------------------------------------------------------------------

    def subscribe(self, listener: Callable[[Event | None], object]) -> Callable[[], None]:
        """Have `listener` called with every event as it is logged, and with None when the session ends.

        It runs on the session thread and must only take note. Returns the function that ends it.
        """
        listeners = self._link.listeners
        listeners.append(listener)
        if self._link.over:  # nobody will say so any more
            listener(None)

        def unsubscribe() -> None:
            if listener in listeners:
                listeners.remove(listener)

        return unsubscribe

    def __aiter__(self) -> EventStream:
        """Iterate over every event from now on, until the session is closed."""
        return EventStream(self.subscribe)

    def reply_audio(self, item_id: str | None = None) -> npt.NDArray[np.float32]:
        """Return the assistant's voice, by default of the latest item: floats at 24 kHz, shape (n,)."""
        return to_float(self._link.player.audio.get(item_id))

    def note(self, type_: str, **data: Any) -> None:
        """Log a ``local.*`` event. Never blocks; any thread may call it."""
        self._runtime.call_soon(lambda: self._link.record(type_, **data))

    # -- Python's own protocols -----------------------------------------------------------------------

    def _submit(self, work: Any, *, ends_with_waiter: bool = False) -> Pending[Any]:
        doing = self._link.do(work)
        with contextlib.suppress(RuntimeError):  # its thread has just ended
            if self._closing is None:
                return self._runtime.submit(doing, ends_with_waiter=ends_with_waiter)
        doing.close()
        work.close()
        raise SessionClosedError("This session is closed.", "Make a new Session.")

    async def __aenter__(self) -> Self:
        return await self.connect()

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def __enter__(self) -> Self:
        return self.connect_blocking()

    def __exit__(self, *_: object) -> None:
        self.close_blocking()

    def __repr__(self) -> str:
        return f"<Session with {self.endpoint.label}: {self.state}, {len(self.log)} events>"


def _is_text(question: object) -> bool:
    return isinstance(question, str) and not question.lower().endswith(AUDIO_SUFFIXES)


def _abandon(runtime: Runtime, link: Link) -> None:
    if runtime.alive:
        if link.life.state not in {"idle", "closed"}:
            runtime.submit(link.life.close()).add_done_callback(lambda _: runtime.stop())
        else:
            end_recording(link)
            runtime.stop()
