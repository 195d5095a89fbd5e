"""F11: what stands between a session and its endpoint is named, and no name or password of it."""

from __future__ import annotations

import asyncio
import re
import sys
import time
from contextlib import asynccontextmanager, suppress

import pytest
from scripted_endpoint import QUICK, scripted
from survival import TEXT, happens

from rt_notebook.core.reconnect import ReconnectPolicy
from rt_notebook.errors import (
    ComponentMissingError,
    ConnectError,
    NoReplyError,
    SessionClosedError,
)
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


async def refused(url, kind=ConnectError):
    session = Session(Endpoint.url(url, api_key="canary-key"), TEXT, reconnect=ONCE)
    with pytest.raises(kind) as caught:
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


@pytest.mark.parametrize(
    ("proxy", "kind"),
    [
        ("http://127.0.0.1:99999", ConnectError),
        ("http://canary-user:canary/password@127.0.0.1:9", ConnectError),
        ("http://a..b:9", ConnectError),
        ("127.0.0.1:9", ConnectError),
        ("socks5://127.0.0.1:9", ComponentMissingError),
    ],
)
async def test_a_proxy_that_cannot_be_used_is_named(proxy, kind, monkeypatch, caplog):
    if kind is ComponentMissingError:
        monkeypatch.setitem(sys.modules, "python_socks", None)
        monkeypatch.setitem(sys.modules, "python_socks.async_.asyncio", None)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("https_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, proxy)
    assert "proxy" in await refused("wss://speech.example/v1/realtime", kind)
    assert "canary" not in caplog.text


SECRET = "canary-0815"


class Fading:
    """A credential that gives one token and no more."""

    def __init__(self):
        self.tokens = [type("Token", (), {"token": "t" * 30}), None]

    def get_token(self, *scopes):
        return self.tokens.pop(0)


async def broken_address(endpoint):
    raise ZeroDivisionError(SECRET)


@pytest.mark.parametrize("how", ["credential", "anything"])
async def test_what_fails_while_it_connects_again_ends_the_session_and_says_so(how, monkeypatch, caplog):
    async def script(peer, event):
        if event is not None and event["type"] == "response.create":
            await peer.answer()
            if how == "anything":
                monkeypatch.setattr(Endpoint, "address", broken_address)
            await peer.socket.close(1011, "oops")
        else:
            await peer.usual(event)

    async with scripted(script) as (plain, peers):
        resource = plain.endpoint.websocket_url.replace("ws", "http", 1).partition("/v1")[0]
        endpoint = Endpoint.azure(endpoint=resource, deployment="d", credential=Fading())
        session = Session(endpoint, TEXT, reconnect=QUICK)
        await session.connect()
        with suppress(NoReplyError):
            await session.ask("Hello?")
        await happens(session, "local.gave_up")
        assert session.state == "closed"
        with pytest.raises(SessionClosedError, match="not tried again"):
            await session.ask("Hello?")
        assert len(peers) == 1
        await session.close()
    assert ("ZeroDivisionError" in caplog.text) == (how == "anything")
    assert "canary" not in caplog.text


async def test_what_fails_before_its_time_is_over_is_told_and_tried_again(monkeypatch):
    async def script(peer, event):
        if event is None:
            created = {"id": f"sess_{peer.number}", "expires_at": time.time() + 2}
            await peer.say("session.created", session=created)
        else:
            await peer.usual(event)

    address, broken = Endpoint.address, [True]

    async def broken_once(endpoint):
        return await (broken_address if broken and broken.pop() else address)(endpoint)

    async with scripted(script) as (session, _):
        await session.connect()
        monkeypatch.setattr(Endpoint, "address", broken_once)
        told = await happens(session, "local.error")
        assert "ZeroDivisionError" in told.data["message"]
        assert SECRET not in told.data["message"]
        await happens(session, "local.connected", generation=3)
        await happens(session, "local.gap")
        assert (await session.ask("Hello?")).assistant == "Hello."


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
