"""`Playground`: a conversation in the notebook, with everything that can be turned."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import traitlets

from rt_notebook.core.audio import SAMPLES_PER_MS
from rt_notebook.core.config import ServerVad
from rt_notebook.core.tool_call import PendingCall
from rt_notebook.errors import ConfigError, RtNotebookError
from rt_notebook.io.audio.voice import voice as built_in_voice
from rt_notebook.io.session.session import Session
from rt_notebook.widgets.playground.call_rows import CallRows
from rt_notebook.widgets.playground.early_audio import EarlyAudio
from rt_notebook.widgets.playground.phase import Phase, next_phase
from rt_notebook.widgets.playground.rows import EventRows, TranscriptRows
from rt_notebook.widgets.playground.session_facts import (
    applied_settings,
    components_line,
    own_settings,
    trouble,
)
from rt_notebook.widgets.port.audio_port import AudioPort

if TYPE_CHECKING:
    from collections.abc import Callable

    from rt_notebook.core.config import SessionConfig
    from rt_notebook.core.events import Event
    from rt_notebook.io.endpoints.endpoint import Endpoint
    from rt_notebook.io.runtime import Pending
    from rt_notebook.log.event_log import EventLog

__all__ = ["Playground"]

BUILT_IN_QUESTION = "What can you tell me about the ocean?"
"""What the built-in voice asks when the user tries it."""

_SETTINGS = ("instructions", "voice", "temperature", *ServerVad.NUMBERS)
_ROWS_A_MESSAGE = 100
_TAIL_MS = 500


class Playground(AudioPort):
    """A voice conversation in the notebook.

    Nothing is opened until the user presses *Start listening*, types, or tries the built-in voice. The
    settings are traits: set them in a cell or turn them in the widget, they act on the running session.

    Parameters
    ----------
    endpoint
        Where to connect. Default: ``Endpoint.local()``, the server inside this package.
    config
        What the session is told at first. Default: ``SessionConfig()``.

    Attributes
    ----------
    session : Session
        The running session, or the latest. A start after its end makes a new one.
    log : EventLog
        Everything that happened in `session`.
    instructions, voice, temperature, threshold, prefix_padding_ms, silence_duration_ms
        Settings as in `SessionConfig` and `ServerVad`. May be set at any time.

    Raises
    ------
    ConfigError
        A setting is set to something out of range, or to something that the endpoint cannot take.

    Examples
    --------
    >>> playground = Playground()
    >>> playground
    >>> playground.threshold = 0.7
    >>> playground.log.turns()
    """

    kind = traitlets.Unicode("playground", read_only=True).tag(sync=True)
    phase = traitlets.Unicode("idle").tag(sync=True)
    session_started = traitlets.Bool(False).tag(sync=True)
    recorded = traitlets.Bool(False).tag(sync=True)
    endpoint_label = traitlets.Unicode("").tag(sync=True)
    dialect = traitlets.Unicode("ga").tag(sync=True)
    components = traitlets.Unicode("").tag(sync=True)
    turn_detection = traitlets.Unicode("server_vad", allow_none=True).tag(sync=True)
    instructions = traitlets.Unicode("").tag(sync=True)
    voice = traitlets.Unicode("alloy").tag(sync=True)
    temperature = traitlets.Float(None, allow_none=True).tag(sync=True)
    threshold = traitlets.Float(0.5).tag(sync=True)
    prefix_padding_ms = traitlets.Int(300).tag(sync=True)
    silence_duration_ms = traitlets.Int(500).tag(sync=True)
    applied = traitlets.Dict().tag(sync=True)

    _SUMMARY = "A voice playground. Run this cell in JupyterLab to talk."

    def __init__(self, endpoint: Endpoint | None = None, config: SessionConfig | None = None) -> None:
        # Made now and opened later, so that a wrong setting is refused in the cell that wrote it.
        self.session = Session(endpoint, config, speaker=self, approve=_on_its_card)
        self._endpoint, self._config = self.session.endpoint, self.session.config
        self._opening: Pending[Any] | None = None
        self._changes: dict[str, Any] = {}
        self._rows = _no_rows()
        self._phase: Phase = "idle"
        self._waiting: Event | None = None
        super().__init__()
        with self.hold_sync():
            self.endpoint_label = self._endpoint.label
            self.dialect = self._endpoint.dialect
            for name, value in own_settings(self._config).items():
                self.set_trait(name, value)
        self._changes.clear()

    @property
    def log(self) -> EventLog:
        """Everything that happened in the running session, or in the latest."""
        return self.session.log

    def close(self) -> None:
        """Close the session and the microphone; the widget leaves the page. The log stays."""
        if self._alive:
            self.session.close()
        super().close()

    # -- settings --------------------------------------------------------------------------------------

    @traitlets.validate(*_SETTINGS)
    def _validate_setting(self, proposal: Any) -> Any:
        """Refuse in the cell that sets it what the endpoint would refuse a second later."""
        name, value = proposal["trait"].name, proposal["value"]
        if name in own_settings(self._config):
            self._config.replace(**{name: value})
        if name == "temperature" and value is not None and self._endpoint.dialect == "ga":
            raise ConfigError(
                "The GA dialect has no temperature.", "Use a preview endpoint, or leave it out."
            )
        return value

    @traitlets.observe(*_SETTINGS)
    def _note_change(self, change: Any) -> None:
        self._changes[change["name"]] = change["new"]

    def _set(self, changes: dict[str, Any]) -> None:
        """Apply what the user turned in the widget."""
        for name, value in changes.items():
            if name in _SETTINGS:
                try:
                    self.set_trait(name, value)
                except (RtNotebookError, traitlets.TraitError) as error:
                    self._tell(str(error))
                    self.send_state(name)

    def _apply_changes(self) -> None:
        changes = {name: self._changes.pop(name) for name in list(self._changes)}
        if not changes:
            return
        if "instructions" in changes:
            changes["instructions"] = changes["instructions"] or None
        try:
            self._config = self._config.replace(**changes)
            if self.session.state in {"open", "reconnecting"}:
                self._watch(self.session.update(**changes), self._show_in_force, self._show_in_force)
        except RtNotebookError as error:
            self._tell(str(error))

    def _show_in_force(self) -> None:
        """Show the settings in force: a refused change leaves the old value."""
        self._config = self.session.config
        for name, value in own_settings(self._config).items():
            if name not in self._changes:
                self.set_trait(name, value)
                self._changes.pop(name, None)

    # -- the session -----------------------------------------------------------------------------------

    def _ensure_session(self) -> Pending[Any]:
        """Return the opening of the running session; start one if there is none."""
        if self._opening is not None and self.session.state != "closed":
            return self._opening
        self._apply_changes()
        self._tell("")
        if self.session.state == "closed":
            self.session = Session(self._endpoint, self._config, speaker=self, approve=_on_its_card)
        session = self.session
        session.config = self._config
        self._begin_rows()
        self._phase = "connecting"
        early = EarlyAudio(session)
        self._line.submit(partial(setattr, self, "_ears", early))
        session.subscribe(lambda event: self._observers.submit(partial(self._on_event, session, event)))
        self._opening = session.connect()
        self._watch(self._opening, partial(self._line.submit, early.drain))
        return self._opening

    def _with_session(self, act: Callable[[Session], Pending[Any]]) -> None:
        """Do something once the session is open."""
        opening, session = self._ensure_session(), self.session

        def begin() -> None:
            if session.state not in {"open", "reconnecting"}:
                return
            try:
                self._watch(act(session))
            except RtNotebookError as error:
                self._tell(str(error))

        opening.add_done_callback(lambda _: self._observers.submit(begin))

    def _on_event(self, session: Session, event: Event | None) -> None:
        if session is not self.session:
            return
        if event is None:
            self._closed()
            return
        for rows in self._rows.values():
            rows.add(event)
        self._phase = next_phase(self._phase, event)
        if event.type in {"session.created", "session.updated"}:
            self.session_started = True
            self.components = components_line(session.info)
            self.applied = applied_settings(session.info)
        told = "" if event.type == "local.connected" and self._waiting is not None else trouble(event)
        if told is not None:
            self._tell(told)
        if event.type == "local.reconnecting":
            self._waiting = event

    def _closed(self) -> None:
        self._phase = "closed"
        self.session_started = False
        self._line.submit(partial(self._mic.revoke, ""))

    def _end(self, problem: str) -> None:
        self._tell(problem)
        self.session.close()
        self._closed()

    def _tell(self, problem: str) -> None:
        self._waiting = None
        super()._tell(problem)

    # -- what the page asks for ------------------------------------------------------------------------

    def _on_hello(self, message: dict[str, Any], pcm: bytes) -> None:
        super()._on_hello(message, pcm)
        self._observers.submit(self._send_all)

    def _on_mic_open(self, message: dict[str, Any], pcm: bytes) -> None:
        super()._on_mic_open(message, pcm)
        self._observers.submit(self._ensure_session)

    def _on_mic_close(self, message: dict[str, Any], pcm: bytes) -> None:
        super()._on_mic_close(message, pcm)
        # The turn detector must hear that the user has finished; a closed microphone sends no silence.
        if self._ears is not None:
            tail_ms = int(self.silence_duration_ms) + _TAIL_MS
            self._ears.append_audio(bytes(2 * SAMPLES_PER_MS * tail_ms))

    def _on_action(self, message: dict[str, Any], pcm: bytes) -> None:
        super()._on_action(message, pcm)
        self._observers.submit(partial(self._tell, ""))
        match message["name"]:
            case "say":
                text = str(message["text"])
                self._observers.submit(partial(self._with_session, lambda session: session.send_text(text)))
            case "try_voice":
                self._observers.submit(self._try_voice)
            case "interrupt":
                self._observers.submit(self._interrupt)
            case "set":
                self._observers.submit(partial(self._set, dict(message["changes"])))
            case "approve" | "deny" as answer:
                call = PendingCall(str(message["call_id"]), "", {}, str(message["digest"]))
                self._observers.submit(partial(self._answer, call, answer))
            case "end":
                self._observers.submit(partial(self._end, ""))

    def _answer(self, call: PendingCall, answer: Literal["approve", "deny"]) -> None:
        """Allow or refuse a call that waits; a press that comes too late does nothing."""
        if self.session.state == "open":
            self._watch(self.session.approve(call) if answer == "approve" else self.session.deny(call))

    def _interrupt(self) -> None:
        if self.session.state == "open":
            self._watch(self.session.interrupt())

    def _try_voice(self) -> None:
        self._with_session(lambda session: session.speak(built_in_voice(BUILT_IN_QUESTION)))

    # -- what the page is told -------------------------------------------------------------------------

    def _publish(self) -> None:
        super()._publish()
        self._apply_changes()
        if self.phase != self._phase:
            self.phase = self._phase
        self.recorded = self.session.recording is not None
        if self._waiting is not None:  # counted down; a trait that does not change sends nothing
            self.problem = trouble(self._waiting, self.session.clock_s()) or ""
        for kind, rows in self._rows.items():
            changed = rows.take_changed()
            for start in range(0, len(changed), _ROWS_A_MESSAGE):
                self._send_rows(kind, changed[start : start + _ROWS_A_MESSAGE])

    def _send_all(self) -> None:
        """Bring a page that has just come up to date."""
        self._begin_rows()
        for event in self.log:
            for rows in self._rows.values():
                rows.add(event)

    def _begin_rows(self) -> None:
        self._rows = _no_rows()
        for kind in self._rows:
            self._send_rows(kind, [], reset=True)

    def _send_rows(self, kind: str, rows: list[dict[str, Any]], *, reset: bool = False) -> None:
        self.send({"type": kind, "reset": reset, "rows": rows})


def _no_rows() -> dict[str, TranscriptRows | EventRows | CallRows]:
    """Return what the page lists, by the kind of the message that carries it."""
    return {"transcript": TranscriptRows(), "events": EventRows(), "calls": CallRows()}


def _on_its_card(_call: PendingCall) -> None:
    """Answer later: the page shows a card with the call, and whoever reads it presses a button."""
