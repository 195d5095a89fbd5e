"""Why it does not connect: look at one thing after the other, and say what each looks like.

Nothing here prints, and no key is in what is said.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from rt_notebook.core.config import SessionConfig
from rt_notebook.core.reconnect import ReconnectPolicy
from rt_notebook.errors import RtNotebookError
from rt_notebook.io.connection.transport import open_websocket
from rt_notebook.io.doctor import network
from rt_notebook.io.doctor.finding import Finding, problem
from rt_notebook.io.session.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rt_notebook.io.endpoints.endpoint import Endpoint

__all__ = ["examine_network", "examine_talk"]

HANDSHAKE_S = 15.0
TURN_S = 60.0


def examine_network(url: str, ca_file: str | None = None) -> Iterator[Finding]:
    """Look at the way to a WebSocket address: proxy, name, certificate, clock."""
    parts = urlsplit(url)
    host, secure = parts.hostname or "", parts.scheme == "wss"
    port = parts.port or (443 if secure else 80)
    proxy = network.proxy_for(host, secure=secure)
    yield network.proxy_finding(proxy)
    if proxy is None:
        name = network.name_finding(host, port)
        yield name
        if name.state == "problem":
            return
    yield from network.server_findings(host, port, proxy, secure=secure, ca_file=ca_file)


def examine_talk(endpoint: Endpoint, *, turn: bool) -> Iterator[Finding]:
    """Shake hands, and have one typed turn."""
    shaken = asyncio.run(_handshake(endpoint))
    yield shaken
    if turn and shaken.state != "problem":
        yield _typed_turn(endpoint)


async def _handshake(endpoint: Endpoint) -> Finding:
    try:
        address = await endpoint.address()
        transport = await open_websocket(address, HANDSHAKE_S)
    except RtNotebookError as error:
        return problem("handshake", error)
    await transport.close()
    return Finding("handshake", "ok", "The endpoint takes the connection and the key (HTTP 101).")


def _typed_turn(endpoint: Endpoint) -> Finding:
    config = SessionConfig(output="text", instructions="Answer in one word.")
    session = Session(endpoint, config, reconnect=ReconnectPolicy(first_attempts=1, give_up_after_s=0.0))
    try:
        session.connect_blocking(TURN_S)
        turn = session.ask_blocking("Are you there?", timeout_s=TURN_S)
    except RtNotebookError as error:
        return problem("typed turn", error)
    except TimeoutError:
        return Finding(
            "typed turn",
            "problem",
            f"No answer came within {TURN_S:.0f} s.",
            "Try again; if it stays so, look at the endpoint's own status page.",
        )
    finally:
        session.close_blocking()
    if turn.status != "completed":
        return Finding(
            "typed turn",
            "problem",
            f"The answer ended as {turn.status} ({turn.status_reason or 'no reason given'}).",
            "Check the quota and the content filter of the deployment.",
        )
    text_s, sent_s = turn.first_text_s, turn.sent_s
    took = "" if text_s is None or sent_s is None else f" after {1000 * (text_s - sent_s):.0f} ms"
    return Finding("typed turn", "ok", f"A typed question is answered{took}.")
