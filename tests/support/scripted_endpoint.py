"""A GA endpoint on loopback that says what its script tells it: odd events, ids that begin anew, goodbyes."""

from __future__ import annotations

import itertools
import json
from contextlib import asynccontextmanager, suppress
from typing import Any

from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

from rt_notebook.core.reconnect import ReconnectPolicy
from rt_notebook.io.endpoints.endpoint import Endpoint
from rt_notebook.io.session.session import Session

QUICK = ReconnectPolicy(first_delay_s=0.01, longest_delay_s=0.05, first_attempts=1, seed=1)


class Peer:
    """One connection, as the script sees it.

    Attributes
    ----------
    number
        Of the connection, from 1.
    prefix
        What the ids of its events begin with.
    received
        What the client has sent on it.
    """

    def __init__(self, socket, number: int) -> None:
        self.number = number
        self.prefix = f"event_{number}"
        self.received: list[dict[str, Any]] = []
        self.socket = socket
        self._ids = itertools.count(1)
        self._event_ids = itertools.count(1)

    async def say(self, type_: str, **fields: Any) -> None:
        fields.setdefault("event_id", f"{self.prefix}_{next(self._event_ids)}")
        await self.socket.send(json.dumps({"type": type_} | fields))

    def number_of(self, type_: str) -> int:
        """How many events of a type have been received."""
        return sum(event["type"] == type_ for event in self.received)

    async def usual(self, event: dict[str, Any] | None) -> None:
        """Say what any endpoint says; `event` is None when the connection has just been opened."""
        session = {"id": f"sess_{self.number}", "audio": {"input": {"turn_detection": None}}}
        match event:
            case None:
                await self.say("session.created", session=session)
            case {"type": "session.update"}:
                await self.say("session.updated", session=session | event["session"])
            case {"type": "conversation.item.create", "item": item}:
                item = {"id": f"item_{self.number}_{next(self._ids)}"} | item
                await self.say("conversation.item.added", item=item, previous_item_id=None)
            case {"type": "response.create"}:
                await self.answer()

    async def answer(self, **fields: Any) -> None:
        """Answer "Hello."; `fields` are put into the ``response`` of ``response.done``."""
        number = next(self._ids)
        response_id, item_id = f"resp_{self.number}_{number}", f"out_{self.number}_{number}"
        part = {"type": "output_text", "text": "Hello."}
        item = {"id": item_id, "type": "message", "role": "assistant", "content": [part]}
        response = {"id": response_id, "conversation_id": "conv", "status": "completed", "output": [item]}
        await self.say("response.created", response=response | {"status": "in_progress", "output": []})
        await self.say("response.done", response=response | fields)


@asynccontextmanager
async def scripted(script=Peer.usual, config=None, policy=QUICK, process_request=None, **options):
    """A session that is not open yet, and the connections that its endpoint will get.

    `script` is called with the `Peer` and each event that it gets, first with None.
    """
    peers: list[Peer] = []

    async def serve_one(socket) -> None:
        peer = Peer(socket, len(peers) + 1)
        peers.append(peer)
        with suppress(ConnectionClosed):
            await script(peer, None)
            async for frame in socket:
                peer.received.append(json.loads(frame))
                await script(peer, peer.received[-1])

    async with serve(serve_one, "127.0.0.1", 0, process_request=process_request) as server:
        port = server.sockets[0].getsockname()[1]
        endpoint = Endpoint.url(f"ws://127.0.0.1:{port}/v1/realtime")
        session = Session(endpoint, config, reconnect=policy, **options)
        try:
            yield session, peers
        finally:
            await session.close()
