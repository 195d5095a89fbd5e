"""The server inside the notebook's own process, started when the first session asks for it."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import threading
from typing import TYPE_CHECKING, Any

from rt_notebook.io.endpoints.address import Address
from rt_notebook.io.runtime import Runtime
from rt_notebook.io.secrets.secret import Secret
from rt_notebook.server.host.app import RealtimeServer

if TYPE_CHECKING:
    from rt_notebook.core.dialects import DialectName

__all__ = ["open_local"]

_GOODBYE_S = 1.0

# One for each set of options.
_servers: dict[tuple[tuple[str, Any], ...], asyncio.Task[RealtimeServer]] = {}
_runtime: list[Runtime] = []
_lock = threading.Lock()


async def open_local(*, dialect: DialectName = "ga", **options: Any) -> Address:
    """Return the address of this process's server, which it starts if need be.

    It has a thread of its own, apart from the sessions', listens on a free loopback port and lives as long as
    the process. Its key is made up anew in every process.

    Parameters
    ----------
    dialect
        Which dialect to speak with it.
    options
        Of `RealtimeServer`. Sessions with the same options share a server.
    """
    with _lock:
        if not _runtime:
            _runtime.append(Runtime("rt_notebook server"))
            atexit.register(_stop)
        starting = _runtime[0].submit(_started(options))
    server = await starting
    if dialect == "preview":
        url = f"ws://{server.host}:{server.port}/openai/realtime?api-version=2024-10-01-preview&deployment=local"
        return Address(url, {"api-key": server.key}, direct=True)
    bearer = Secret(f"Bearer {server.key.reveal()}")
    return Address(f"{server.realtime_url}?model=local", {"Authorization": bearer}, direct=True)


async def _started(options: dict[str, Any]) -> RealtimeServer:
    key = tuple(sorted(options.items()))
    starting = _servers.get(key)
    if starting is None or (starting.done() and starting.exception() is not None):
        # Kept before it is ready, so that two sessions that begin together share it.
        server = RealtimeServer(**options)
        starting = _servers[key] = asyncio.get_running_loop().create_task(_start(server))
    # Shielded: a session that gives up waiting does not take the server from the others.
    return await asyncio.shield(starting)


async def _start(server: RealtimeServer) -> RealtimeServer:
    await server.start()
    return server


def _stop() -> None:
    """Let the connections that are still open go, so that nothing of them is left when the process ends."""
    for starting in _servers.values():
        with contextlib.suppress(Exception):
            _runtime[0].submit(starting.result().stop()).result(_GOODBYE_S)
    _runtime[0].stop()
