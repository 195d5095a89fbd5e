"""F11: what stands between a session and its endpoint is named, and no name or password of it."""

from __future__ import annotations

import asyncio
import re
from contextlib import asynccontextmanager

import pytest
from survival import TEXT

from rt_notebook.core.reconnect import ReconnectPolicy
from rt_notebook.errors import ConnectError
from rt_notebook.io.endpoints.endpoint import Endpoint
from rt_notebook.io.session.session import Session

ONCE = ReconnectPolicy(first_attempts=1, open_timeout_s=2.0)


@asynccontextmanager
async def answering(answer):
    """A program on loopback that answers whatever it is asked with some bytes, or not at all."""
    asked = []

    async def serve(reader, writer):
        asked.append(await reader.read(4096))
        if answer is not None:
            writer.write(answer)
            await writer.drain()
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], asked
    finally:
        server.close()
        await server.wait_closed()


async def refused(url):
    session = Session(Endpoint.url(url, api_key="canary-key"), TEXT, reconnect=ONCE)
    with pytest.raises(ConnectError) as caught:
        await session.connect()
    assert "canary" not in str(caught.value)
    assert all("canary" not in str(event.data) for event in session.log)
    return str(caught.value)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "The proxy on the way .* refused .HTTP 407."),
        (b"HTTP/1.1 403 Forbidden\r\n\r\n", "The proxy on the way .* refused .HTTP 403."),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "The proxy on the way .* does not answer as one"),
        (None, "did not answer within"),
    ],
)
async def test_the_proxy_is_honoured_and_named(answer, told, monkeypatch):
    async with answering(answer) as (port, asked):
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        for name in ("https_proxy", "HTTPS_PROXY"):
            monkeypatch.setenv(name, f"http://canary-user:canary-password@127.0.0.1:{port}")
        message = await refused("wss://speech.example/v1/realtime")

        assert re.search(told, message), message
        assert asked[0].startswith(b"CONNECT speech.example:443")
        assert b"canary-key" not in asked[0], "the key is for the endpoint alone"


async def test_the_server_in_this_process_is_reached_past_the_proxy(monkeypatch):
    async with answering(b"HTTP/1.1 403 Forbidden\r\n\r\n") as (port, asked):
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        for name in ("https_proxy", "http_proxy", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{port}")
        for dialect in ("ga", "preview"):
            async with Session(Endpoint.local(reply="echo", dialect=dialect), TEXT, reconnect=ONCE):
                pass
        assert asked == []


async def test_a_name_that_nobody_has(monkeypatch):
    for name in ("https_proxy", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    assert "cannot be reached" in await refused("wss://speech.invalid/v1/realtime")


async def test_a_server_without_a_certificate():
    async with answering(b"HTTP/1.1 200 OK\r\n\r\n") as (port, _):
        assert "127.0.0.1" in await refused(f"wss://127.0.0.1:{port}/v1/realtime")


async def test_a_server_that_speaks_no_websocket():
    async with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi") as (port, _):
        message = await refused(f"ws://127.0.0.1:{port}/v1/realtime")
        assert "HTTP 200" in message or "does not speak WebSocket" in message
