"""One client: its socket, its dialect and its engine."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from websockets.exceptions import ConnectionClosed

from rt_notebook.core import wire_json
from rt_notebook.core.dialects import NotInDialect
from rt_notebook.server.component_work import ComponentWork
from rt_notebook.server.effects import Close, Send

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from websockets.asyncio.server import ServerConnection

    from rt_notebook.core.dialects import Dialect
    from rt_notebook.server.components.load import Components
    from rt_notebook.server.effects import Effect
    from rt_notebook.server.engine import Engine

__all__ = ["Connection"]


class Connection:
    """Carry frames to the engine and its events back; the rest of its effects is `ComponentWork`'s."""

    def __init__(
        self,
        socket: ServerConnection,
        dialect: Dialect,
        engine: Engine,
        components: Components,
        workers: Executor,
        detect_workers: Executor,
    ) -> None:
        self._socket = socket
        self._dialect = dialect
        self._engine = engine
        self._work = ComponentWork(engine, components, workers, detect_workers, self._perform)
        self._outbox: asyncio.Queue[str | Close] = asyncio.Queue()

    async def run(self) -> None:
        """Serve the client until it leaves."""
        writing = asyncio.create_task(self._write())
        self._perform(self._engine.start())
        try:
            async for frame in self._socket:
                self._take(frame)
        except ConnectionClosed:
            pass
        finally:
            self._work.stop()
            writing.cancel()

    def _take(self, frame: str | bytes) -> None:
        try:
            wire_event = wire_json.decode(frame)
            event = self._dialect.client_from_wire(wire_event)
        except NotInDialect as error:
            self._perform(
                self._engine.refuse(error.code, str(error), error.param, wire_event.get("event_id"))
            )
            return
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            self._perform(self._engine.refuse("invalid_event", f"This frame is no event: {error}."))
            return
        self._perform(self._engine.receive(event))

    def _perform(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Send(event):
                    wire_event = self._dialect.server_to_wire(event)
                    if wire_event is not None:
                        self._outbox.put_nowait(wire_json.encode(wire_event))
                case Close():
                    self._outbox.put_nowait(effect)
                case _:
                    self._work.start(effect)

    async def _write(self) -> None:
        try:
            while True:
                match await self._outbox.get():
                    case Close(code, reason):
                        await self._socket.close(code, reason)
                    case frame:
                        await self._socket.send(frame)
        except ConnectionClosed:
            return
