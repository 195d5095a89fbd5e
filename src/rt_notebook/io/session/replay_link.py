"""A session with a recording: the same protocol, log and listeners; nothing that is sent is heard."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from msgspec import structs

from rt_notebook.core.dialects import GA
from rt_notebook.core.protocol import ClientProtocol
from rt_notebook.errors import NoReplyError, RtNotebookError
from rt_notebook.io.connection.connection import Connection
from rt_notebook.io.connection.lifeline import Lifeline
from rt_notebook.io.session.link import Link
from rt_notebook.io.session.replay_transport import ReplayTransport

if TYPE_CHECKING:
    from collections.abc import Callable

    from rt_notebook.core.config import SessionConfig
    from rt_notebook.core.events import Event
    from rt_notebook.core.limits import SessionLimits
    from rt_notebook.core.reconnect import ReconnectPolicy
    from rt_notebook.io.audio.speakers import Speaker
    from rt_notebook.io.endpoints.endpoint import Endpoint
    from rt_notebook.io.session.replay_transport import Moment
    from rt_notebook.io.tools.runner import Approver
    from rt_notebook.log.event_log import EventLog

__all__ = ["ReplayLink", "make_link"]

_APPEND = "input_audio_buffer.append"


def make_link(
    endpoint: Endpoint,
    config: SessionConfig,
    log: EventLog,
    clock_s: Callable[[], float],
    speaker: Speaker | None,
    policy: ReconnectPolicy,
    limits: SessionLimits,
    approve: Approver | None,
) -> Link:
    """Make the link that an endpoint needs."""
    kind = Link if endpoint.replayed is None else ReplayLink
    return kind(endpoint, config, log, clock_s, speaker, policy, limits, approve)


class ReplayLink(Link):
    """A `Link` whose endpoint is a recording.

    What was sent and what this side noted come out of the recording like what was received, so that the log
    becomes the recorded one, times included. The clock is the recording's.
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
        approver: Approver | None = None,
    ) -> None:
        assert endpoint.replayed is not None  # noqa: S101 - `make_link` has looked
        recording, speed = endpoint.replayed
        transport = ReplayTransport(recording, speed)
        # At another pace than its own a voice cannot be played.
        heard = speaker if speed == 1.0 else None
        super().__init__(endpoint, config, log, lambda: transport.now_s, heard, policy, limits, approver)
        # What tools did is in the recording. To run them again would do things that nobody asked for.
        self.listeners.remove(self.tools.follow)
        self.life = _ReplayLife(self, policy, limits, transport)

    def replayed(self, connection: Connection, moment: Moment, *, audio_held: bool) -> None:
        """Take one moment of the recording."""
        event = moment.event
        if moment.frame is None:
            if event.direction == "local":
                self._append(event)
            else:
                self.arrived(connection, event, moment.audio)
            return
        received, audio = connection.protocol.receive(moment.frame, event.t_s)
        if audio and not audio_held:
            # Silence in place of what is not held: its level is not what was heard.
            received = structs.replace(received, level_dbfs=event.level_dbfs)
        self.arrived(connection, received, audio)

    def report_playback(
        self, item_id: str, played_samples: int, state: str, dropped_samples: int = 0, **times: Any
    ) -> None:
        """Take the speaker's report of the replayed voice; the log has what was reported then."""
        self.player.heard(item_id, played_samples, state)

    def _tell_failure(self, done: Event) -> None:
        """Say nothing: the recording has what was said then."""


class _ReplayLife(Lifeline):
    """One connection, to a recording. It is not kept up, and not opened again."""

    def __init__(
        self, link: ReplayLink, policy: ReconnectPolicy, limits: SessionLimits, transport: ReplayTransport
    ) -> None:
        super().__init__(link, policy, limits)
        self._replay = link
        self._transport = transport
        self._begun = asyncio.Event()
        self._ignores_audio = False

    async def open(self) -> None:
        """Begin to play, and return when the endpoint has said its first word."""
        self.connection = connection = Connection(
            1, self._replay.endpoint, self._policy, self._replay.clock_s,
            arrived=self._replay.arrived, owed=lambda: False, lost=lambda _: None,
        )  # fmt: skip
        # Bundles are in the GA vocabulary, whatever dialect was spoken.
        connection.protocol = ClientProtocol(GA)
        self._set("open")
        self._begin(self._play(connection))
        await self._begun.wait()

    async def _play(self, connection: Connection) -> None:
        try:
            async for moment in self._transport.moments():
                held = self._transport.holds_audio(moment.event)
                self._replay.replayed(connection, moment, audio_held=held)
                if moment.frame is not None:
                    self._begun.set()
        except RtNotebookError as error:
            self._replay.record("local.error", message=f"The replay ends here. {error}")
        finally:
            self._begun.set()
        self._end()

    def _end(self) -> None:
        if self.state != "closed":
            self._set("closed")
            over = NoReplyError("The replay is over.", "Connect to another endpoint to talk.")
            self.error = over
            self._replay.answers.fail(over)
            self._replay.tell(None)

    def follow(self, event: Event) -> None:
        """Count nothing: a replay costs nothing and takes as long as it takes."""

    async def ready(self) -> None:
        """Refuse whoever wants something of the endpoint, and say so in the log."""
        if self.state == "open":
            self._ignore("request")
            raise _unheard()
        await super().ready()

    def send(self, event: dict[str, Any]) -> None:
        """Ignore an event, and say so in the log."""
        self._ignore(event["type"])

    def write(self, event: dict[str, Any]) -> None:
        """Ignore an event whose answer is waited for, and say so."""
        self._ignore(event["type"])
        raise _unheard()

    def send_audio(self, pcm: bytes) -> None:
        """Ignore live audio; the log says so once, and not 25 times a second."""
        if not self._ignores_audio:
            self._ignores_audio = True
            self._ignore(_APPEND)

    def _ignore(self, type_: str) -> None:
        self._replay.record(
            "local.replay_ignored", ignored=type_, message="This is a replay: nothing that is sent is heard."
        )

    async def close(self) -> None:
        """Stop playing."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._owner.player.speaker is not None:
            self._owner.player.speaker.flush()
        self._end()


def _unheard() -> NoReplyError:
    return NoReplyError(
        "This is a replay: it hears nothing and answers nothing.", "Connect to another endpoint to talk."
    )
