"""The part of a session that runs on the session thread: what is sent, received, logged and played."""

from __future__ import annotations

import asyncio
import itertools
import logging
from typing import TYPE_CHECKING, Any, TypeVar

from rt_notebook.core.dialects import DIALECTS
from rt_notebook.core.events import Event
from rt_notebook.core.protocol import ClientProtocol
from rt_notebook.errors import ConnectError, ServerError, SessionClosedError
from rt_notebook.io.audio.reply_player import ReplyPlayer
from rt_notebook.io.connection.answers import Answers
from rt_notebook.io.connection.lifeline import Lifeline
from rt_notebook.io.tools.runner import ToolsRunner

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from rt_notebook.core.config import SessionConfig
    from rt_notebook.core.limits import SessionLimits
    from rt_notebook.core.reconnect import ReconnectPolicy
    from rt_notebook.io.audio.speakers import Speaker
    from rt_notebook.io.connection.connection import Connection
    from rt_notebook.io.endpoints.endpoint import Endpoint
    from rt_notebook.io.tools.runner import Approver
    from rt_notebook.log.event_log import EventLog

    Listener = Callable[[Event | None], object]
    Tap = Callable[[Event, bytes], object]

__all__ = ["Link"]

T = TypeVar("T")

ANSWER_TIMEOUT_S = 15.0

_logger = logging.getLogger("rt_notebook.session")


class Link:
    """A session's one way out, whichever connection serves it now. Every method runs on the session thread.

    It is the `Owner` of its connections.

    Attributes
    ----------
    life
        Opens connections, restores the session on them, and knows whether it is open.
    answers
        Who waits for which event.
    tools
        Runs what the model calls.
    tap
        Takes every event with the audio that it carried; None for nobody. A recorder.
    creating
        Held while an answer is asked for, until it has been begun: an endpoint makes one at a time.
    over
        Whether the listeners have been told that the session has ended.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        config: SessionConfig,
        log: EventLog,
        clock_s: Callable[[], float],
        speaker: Speaker | None,
        policy: ReconnectPolicy,
        limits: SessionLimits,
        approve: Approver | None,
    ) -> None:
        self.endpoint = endpoint
        self.config = config
        self.log = log
        self.clock_s = clock_s
        self.player = ReplyPlayer(speaker)
        self.answers = Answers()
        self.tools = ToolsRunner(self, approve)
        # First: who waits for an answer asks the tools whether it is still to come.
        self.listeners: list[Listener] = [self.tools.follow]
        self.tap: Tap | None = None
        self.life = Lifeline(self, policy, limits)
        self.creating = asyncio.Lock()
        self.over = False
        self._unknown = ClientProtocol(DIALECTS[endpoint.dialect])
        self._event_ids = itertools.count(1)
        self._unheard: list[dict[str, Any]] = []

    @property
    def is_open(self) -> bool:
        """Whether what is sent now is heard."""
        return self.life.state == "open"

    @property
    def connection(self) -> Connection | None:
        """The one that serves now, or served last."""
        return self.life.connection

    @property
    def calling(self) -> bool:
        """Whether a call of a tool is under way, or the answer to it is not begun."""
        return self.tools.busy

    @property
    def protocol(self) -> ClientProtocol:
        """What the endpoint last said of the session; empty before it said anything."""
        connection = self.connection
        return self._unknown if connection is None else connection.protocol

    # -- receiving ----------------------------------------------------------------------------------

    def arrived(self, connection: Connection, event: Event, audio: bytes) -> None:
        """Take an event, sent or received, of a connection; one that was given up has nothing to say."""
        if connection is not self.connection:
            return
        self._append(event, audio)
        if event.direction == "received":
            self.player.take(event, audio)
            if event.type == "input_audio_buffer.speech_started" and self._interrupts():
                self.silence()
            elif event.type == "response.done":
                self._tell_failure(event)
                for delete in self._unheard:
                    self.send(delete)
                self._unheard.clear()

    def _interrupts(self) -> bool:
        detection = self.protocol.audio_input.get("turn_detection")
        return isinstance(detection, dict) and detection.get("interrupt_response", True) is not False

    def _tell_failure(self, done: Event) -> None:
        """Say aloud that an answer failed: nothing else would break the silence."""
        response = done.data.get("response")
        response = response if isinstance(response, dict) else {}
        if response.get("status") != "failed":
            return
        details = response.get("status_details")
        error = details.get("error") if isinstance(details, dict) else None
        error = error if isinstance(error, dict) else {}
        code = error.get("code") or error.get("type") or "no reason given"
        said = str(error.get("message") or "").rstrip(".")
        self.record(
            "local.error",
            message=f"The answer failed ({code}){': ' + said if said else ''}. Ask again.",
            code=code,
            response_id=done.response_id,
        )

    def silence(self) -> None:
        """Stop the assistant's voice at once; what the speaker then reports decides where its item is cut."""
        self.player.silence(self.protocol.active_response_id)

    def report_playback(
        self, item_id: str, played_samples: int, state: str, dropped_samples: int = 0, **times: Any
    ) -> None:
        """Take the speaker's report; after a flush, tell the endpoint how much was heard.

        `times` are what a page tells of how the item began; they are logged as they are.
        """
        cut = self.player.heard(item_id, played_samples, state)
        self.record(
            "local.playback",
            item_id=item_id,
            played_samples=played_samples,
            dropped_samples=dropped_samples,
            state=state,
            **times,
        )
        if cut is None:
            return
        if cut["type"] == "conversation.item.delete" and self.protocol.active_response_id is not None:
            # It may be the item that is being made; an endpoint deletes what is complete.
            self._unheard.append(cut)
        else:
            self.send(cut)

    # -- sending --------------------------------------------------------------------------------------

    def send(self, event: dict[str, Any]) -> None:
        """Queue one GA client event behind what is queued; without a connection it is dropped and counted."""
        self.life.send(event)

    def send_audio(self, pcm: bytes) -> None:
        """Queue microphone audio; without a connection there is nobody to hear it, and it is counted."""
        if pcm:
            self.life.send_audio(pcm)

    async def request(self, event: dict[str, Any], answer: str) -> Event:
        """Send an event and wait for the event that answers it.

        Raises
        ------
        ServerError
            The endpoint answered with an error to this very event.
        SessionClosedError
            The connection is or was closed.
        ConnectError
            No answer came.
        """
        await self.life.ready()
        return await self.exchange(event, answer)

    async def exchange(self, event: dict[str, Any], answer: str) -> Event:
        """Do as `request`, on a connection that is still being restored as well."""
        event_id = f"rt_{next(self._event_ids)}"
        item: dict[str, Any] = event.get("item", {})
        item_id = item.get("id")

        def answers(candidate: Event) -> bool:
            if candidate.type == "error":
                error = candidate.data.get("error")
                return isinstance(error, dict) and error.get("event_id") == event_id
            return candidate.type == answer and item_id in {None, candidate.item_id}

        self.life.write(event | {"event_id": event_id})
        waiting = self.answers.next(answers)
        return await self.answer(waiting, answer)

    async def answer(self, waiting: asyncio.Future[Event], name: str) -> Event:
        """Wait for an answer; an ``error`` event is raised."""
        try:
            event = await asyncio.wait_for(waiting, ANSWER_TIMEOUT_S)
        except TimeoutError:
            raise ConnectError(
                f"{self.endpoint.label} did not answer with {name} within {ANSWER_TIMEOUT_S:.0f} s.",
                "Look into session.log for what it sent instead.",
            ) from None
        if event.type != "error":
            return event
        error = event.data["error"]
        said = str(error.get("message", "")).rstrip(".") + "."
        raise ServerError(
            f"{self.endpoint.label} refused: {said}",
            f"Correct {error.get('param') or 'the request'} and try again.",
            error.get("code"),
            error.get("param"),
        )

    async def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Do what a cell asked for; when the end of the session takes it along, say so."""
        try:
            return await work
        except asyncio.CancelledError:
            if self.life.state == "closed":
                raise self.life.over() from None
            raise

    def lost(self) -> None:
        """Tell all who wait for an answer that the connection took it along."""
        self._unheard.clear()
        self.answers.fail(
            self.life.over()
            if self.life.state == "closed"
            else SessionClosedError(
                "The connection was lost before the answer came.",
                "The session connects again by itself; try again.",
            )
        )

    # -- the log --------------------------------------------------------------------------------------

    def record(self, type_: str, **data: Any) -> None:
        """Log something that this side knows and the wire does not say."""
        self._append(Event(self.clock_s(), "local", type_, {"type": type_} | data))

    def _append(self, event: Event, audio: bytes = b"") -> None:
        self.log.append(event)
        if self.tap is not None:
            self.tap(event, audio)
        self.life.follow(event)
        self.answers.arrived(event)
        self.tell(event)

    def tell(self, event: Event | None) -> None:
        """Hand an event to every listener; None ends them."""
        self.over = self.over or event is None
        for listener in list(self.listeners):
            try:
                listener(event)
            except Exception:
                # A listener is somebody else's code; its fault must not end the session.
                _logger.exception("a listener of the session failed")
        if event is None:
            self.listeners.clear()
