"""A real server on a free port, and raw clients of it."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from rt_notebook.server.host.app import RealtimeServer

TIMEOUT_S = 60


@asynccontextmanager
async def hosting(**options):
    """Run a server in the test's own loop. It says again what it hears: these tests are not about words."""
    server = RealtimeServer(**{"reply": "echo"} | options)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


def opened(server, key=None, path=None, **options):
    """Open a socket with a key (the server's own by default), as ``async with`` or awaited."""
    headers = {"Authorization": f"Bearer {key or server.key.reveal()}"} | options.pop("headers", {})
    url = f"ws://{server.host}:{server.port}{path or '/v1/realtime'}"
    return connect(url, additional_headers=headers, max_size=None, compression=None, **options)


async def send(socket, type_, **fields):
    await socket.send(json.dumps({"type": type_} | fields))


async def until(socket, type_):
    """Take events up to the next of a type; return them all."""
    taken = []
    async with asyncio.timeout(TIMEOUT_S):
        while not taken or taken[-1]["type"] != type_:
            taken.append(json.loads(await socket.recv()))
    return taken


async def rest(socket):
    """Take events until the connection ends; return them and how it ended: code and reason."""
    taken = []
    async with asyncio.timeout(TIMEOUT_S):
        try:
            while True:
                taken.append(await socket.recv())
        except ConnectionClosed as closed:
            how = closed.rcvd
    return taken, (how.code, how.reason) if how is not None else (1006, "")


async def until_true(condition):
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - it looks at the inside of the server, which tells nobody
            await asyncio.sleep(0.01)


async def ask(socket, text="One two three four five.", **response):
    """Type something and ask for a response in text."""
    content = [{"type": "input_text", "text": text}]
    item = {"type": "message", "role": "user", "content": content}
    await send(socket, "conversation.item.create", item=item)
    await send(socket, "response.create", response={"output_modalities": ["text"]} | response)
