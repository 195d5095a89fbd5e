"""What the connections of a session need of the session that they belong to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from rt_notebook.core.config import SessionConfig
    from rt_notebook.core.events import Event
    from rt_notebook.core.protocol import ClientProtocol
    from rt_notebook.io.audio.reply_player import ReplyPlayer
    from rt_notebook.io.connection.answers import Answers
    from rt_notebook.io.connection.connection import Connection
    from rt_notebook.io.endpoints.endpoint import Endpoint
    from rt_notebook.log.event_log import EventLog

__all__ = ["Owner"]


class Owner(Protocol):
    """One session, whichever connection serves it: `io.session.link.Link`. Lives on the session thread.

    Attributes
    ----------
    answers
        Who waits for which event.
    creating
        Held while an answer is asked for, until it has been begun: an endpoint makes one at a time.
    """

    endpoint: Endpoint
    config: SessionConfig
    log: EventLog
    clock_s: Callable[[], float]
    player: ReplyPlayer
    answers: Answers
    creating: asyncio.Lock

    @property
    def is_open(self) -> bool:
        """Whether what is sent now is heard."""

    @property
    def connection(self) -> Connection | None:
        """The one that serves now, or served last."""

    @property
    def protocol(self) -> ClientProtocol:
        """What the endpoint last said of the session; empty before it said anything."""

    @property
    def calling(self) -> bool:
        """Whether a call of a tool is under way, or the answer to it is not begun."""

    def arrived(self, connection: Connection, event: Event, audio: bytes) -> None:
        """Take an event, sent or received, of a connection."""

    def record(self, type_: str, **data: Any) -> None:
        """Log something that this side knows and the wire does not say."""

    def tell(self, event: Event | None) -> None:
        """Hand an event to every listener; None ends them."""

    def lost(self) -> None:
        """Tell all who wait for an answer that the connection took it along."""

    async def answer(self, waiting: asyncio.Future[Event], name: str) -> Event:
        """Wait for an answer; an ``error`` event is raised."""

    async def request(self, event: dict[str, Any], answer: str) -> Event:
        """Send an event, once the session is open, and wait for the event that answers it."""

    async def exchange(self, event: dict[str, Any], answer: str) -> Event:
        """Do as `request`, on a connection that is still being restored as well."""
