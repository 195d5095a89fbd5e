"""The local server: its options, its start and its end."""

from __future__ import annotations

import asyncio
import errno
import logging
import math
import random
import secrets
from typing import TYPE_CHECKING

from rt_notebook.errors import ConfigError, PortInUseError
from rt_notebook.io.endpoints.address import is_loopback
from rt_notebook.io.secrets.secret import Secret
from rt_notebook.server.components.load import load_components
from rt_notebook.server.host.access import Access
from rt_notebook.server.host.clock import Clock
from rt_notebook.server.host.desk import Desk
from rt_notebook.server.host.ephemeral_keys import EphemeralKeys
from rt_notebook.server.host.faults import FaultPlan
from rt_notebook.server.host.front import Front
from rt_notebook.server.host.limits import Limits
from rt_notebook.server.host.logs import log_event
from rt_notebook.server.host.session_host import SessionHost
from rt_notebook.server.host.sites import Sites
from rt_notebook.server.work.workers import Workers

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["RealtimeServer"]


class RealtimeServer:
    """A server of the Realtime API with local speech components.

    Parameters
    ----------
    host, port
        Where to listen; port 0 takes a free one.
    api_key
        What clients have to know; None makes one up.
    chat_url, chat_model
        An OpenAI-compatible chat endpoint that writes the replies; None takes the small local model.
    allowed_origins
        Web pages that may use the server besides those on loopback.
    allowed_hosts
        Names that it answers to besides its own.
    session_minutes
        How long a session may last; the services allow 60 minutes.
    faults, seed
        What goes wrong on purpose, such as ``["drop", "slow:delay_ms=200"]``, and the seed of its chance;
        `faults.FAULTS` is the table.
    limits, clock
        Caps, and the time.
    reply
        ``"auto"``, ``"smollm2"``, ``"rules"`` or ``"echo"``: see `load_components`.

    Raises
    ------
    ConfigError
        One of them is out of range.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        api_key: str | None = None,
        chat_url: str | None = None,
        chat_model: str | None = None,
        allowed_origins: Iterable[str] = (),
        allowed_hosts: Iterable[str] = (),
        session_minutes: float = 60.0,
        faults: Iterable[str] = (),
        seed: int = 0,
        limits: Limits | None = None,
        clock: Clock | None = None,
        reply: str = "auto",
    ) -> None:
        if not 0 < session_minutes < math.inf:
            raise ConfigError(
                f"A session of {session_minutes} minutes is none.",
                "Give a number above 0, such as 60 or 0.5.",
            )
        self.host = host
        self.port = port
        self.key = Secret(api_key or secrets.token_urlsafe(24))
        self._sites = Sites(host, allowed_origins, allowed_hosts)
        self._session_s = session_minutes * 60
        self._faults = FaultPlan(faults, seed)
        self._limits = limits or Limits()
        self._clock = clock or Clock()
        self._replies = (chat_url, chat_model, reply)
        self._sessions: SessionHost | None = None
        self._front: Front | None = None
        self._workers = Workers()

    async def start(self) -> None:
        """Load the components and begin to listen.

        Raises
        ------
        PortInUseError
            Another program has the port.
        ConfigError
            The host is no address of this machine.
        """
        chance = random.SystemRandom()
        self._sessions = SessionHost(
            await asyncio.to_thread(load_components, *self._replies),
            session_s=self._session_s,
            faults=self._faults,
            limits=self._limits,
            clock=self._clock,
            chance=chance,
            workers=self._workers,
        )
        ephemeral = EphemeralKeys()
        desk = Desk(
            Access(self._sites, self.key, ephemeral),
            ephemeral,
            self._sessions,
            body_s=self._limits.handshake_s,
            clock=self._clock,
            chance=chance,
        )
        self._front = Front(desk.answer, self._limits)
        try:
            self.port = await self._front.listen(self.host, self.port)
        except UnicodeError:
            raise ConfigError(
                f"{self.host!r} is no name of a machine.",
                "Use --host 127.0.0.1, or another address of this machine.",
            ) from None
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise PortInUseError(
                    f"Port {self.port} on {self.host} is in use.",
                    "Choose another with --port, or leave it out to take a free one.",
                ) from None
            raise ConfigError(
                f"This machine cannot listen on {self.host}:{self.port} ({error.strerror or error}).",
                "Use --host 127.0.0.1 and a port from 1024 to 65535.",
            ) from None
        log_event("listening", url=self.realtime_url)
        if not is_loopback(self.host):
            note = "keys and speech travel unencrypted; put a proxy with TLS before this server"
            log_event("reachable_by_other_machines", level=logging.WARNING, note=note)

    async def stop(self) -> None:
        """Say goodbye to every client and end the workers."""
        if self._front is not None and self._sessions is not None:
            self._front.stop_listening()
            await self._sessions.leave(1001, "The server is ending.")
            await self._front.close()
        self._workers.stop()

    @property
    def components(self) -> dict[str, dict[str, object]]:
        """What runs, by role; see `Components.running`."""
        return {} if self._sessions is None else self._sessions.components.running

    @property
    def sessions(self) -> int:
        """How many sessions are open."""
        return 0 if self._sessions is None else len(self._sessions)

    @property
    def _authority(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def realtime_url(self) -> str:
        """The address for clients of OpenAI's form."""
        return f"ws://{self._authority}/v1/realtime"

    @property
    def azure_endpoint(self) -> str:
        """The address for clients of Azure's form."""
        return f"http://{self._authority}"
