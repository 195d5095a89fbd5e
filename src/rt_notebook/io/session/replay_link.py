"""A session with a recording: the same protocol, log and listeners; nothing that is sent is heard."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from msgspec import structs

from rt_notebook.core.dialects import GA
from rt_notebook.core.limits import SessionLimits
from rt_notebook.core.protocol import ClientProtocol
from rt_notebook.core.reconnect import ReconnectPolicy
from rt_notebook.errors import NoReplyError, RtNotebookError
from rt_notebook.io.connection.connection import Connection
from rt_notebook.io.connection.lifeline import Lifeline
from rt_notebook.io.session.link import Link
from rt_notebook.io.session.replay import RecordedEvent, Replay

if TYPE_CHECKING:
    from rt_notebook.core.config import SessionConfig
    from rt_notebook.core.events import Event
    from rt_notebook.io.audio.speakers import Speaker
    from rt_notebook.io.endpoints.endpoint import Endpoint
    from rt_notebook.log.event_log import EventLog

__all__ = ["ReplayLink"]

_APPEND = "input_audio_buffer.append"


class ReplayLink(Link):
    """A `Link` whose endpoint is a recording.

    What was sent and what this side noted come out of the recording like what was received, so that the log
    becomes the recorded one, times included. The clock is the recording's.
    """

    def __init__(
        self, endpoint: Endpoint, config: SessionConfig, log: EventLog, speaker: Speaker | None
    ) -> None:
        assert endpoint.replayed is not None  # noqa: S101 - `Session` has looked
        recording, speed = endpoint.replayed
        replay = Replay(recording, speed)
        # At another pace than its own a voice cannot be played.
        heard = speaker if speed == 1.0 else None
        # It is not opened again, costs nothing, and calls nothing.
        policy, limits = ReconnectPolicy(), SessionLimits()
        super().__init__(endpoint, config, log, lambda: replay.now_s, heard, policy, limits, approve=None)
        # What tools did is in the recording. To run them again would do things that nobody asked for.
        self.listeners.remove(self.tools.follow)
        self.life = _ReplayLife(self, policy, limits, replay)

    def replayed(self, connection: Connection, recorded: RecordedEvent, *, audio_held: bool) -> None:
        """Take the next event of the recording."""
        event = recorded.event
        if recorded.frame is None:
            if event.direction == "local":
                self._append(event)
            else:
                self.arrived(connection, event, recorded.audio)
            return
        received, audio = connection.protocol.receive(recorded.frame, event.t_s)
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
        self, link: ReplayLink, policy: ReconnectPolicy, limits: SessionLimits, replay: Replay
    ) -> None:
        super().__init__(link, policy, limits)
        self._link = link
        self._replay = replay
        self._begun = asyncio.Event()
        self._ignores_audio = False

    async def open(self) -> None:
        """Begin to play, and return when the endpoint has said its first word."""
        self.connection = connection = Connection(
            1, self._link.endpoint, self._policy, self._link.clock_s,
            arrived=self._link.arrived, owed=lambda: False, lost=lambda _: None,
        )  # fmt: skip
        # Bundles are in the GA vocabulary, whatever dialect was spoken.
        connection.protocol = ClientProtocol(GA)
        self._set("open")
        self._begin(self._play(connection))
        await self._begun.wait()

    async def _play(self, connection: Connection) -> None:
        try:
            async for recorded in self._replay.events():
                held = self._replay.holds_audio(recorded.event)
                self._link.replayed(connection, recorded, audio_held=held)
                if recorded.frame is not None:
                    self._begun.set()
        except RtNotebookError as error:
            self._link.record("local.error", message=f"The replay ends here. {error}")
        finally:
            self._begun.set()
        self._end()

    def _end(self) -> None:
        if self.state != "closed":
            self._set("closed")
            over = NoReplyError("The replay is over.", "Connect to another endpoint to talk.")
            self.error = over
            self._link.answers.fail(over)
            self._link.tell(None)

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
        self._link.record(
            "local.replay_ignored", ignored=type_, message="This is a replay: nothing that is sent is heard."
        )

    async def close(self) -> None:
        """Stop playing."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._owner.player.flush()
        self._end()


def _unheard() -> NoReplyError:
    return NoReplyError(
        "This is a replay: it hears nothing and answers nothing.", "Connect to another endpoint to talk."
    )
