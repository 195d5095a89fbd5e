"""Sessions that are meant to survive: quick to try again, with the real server behind them."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

from chaos_proxy import chaos
from hosting import hosting

from rt_notebook.core.config import SessionConfig
from rt_notebook.core.reconnect import ReconnectPolicy
from rt_notebook.errors import NoReplyError, SessionClosedError
from rt_notebook.io.endpoints.endpoint import Endpoint
from rt_notebook.io.session.session import Session

QUICK = ReconnectPolicy(first_delay_s=0.01, longest_delay_s=0.05, seed=1)
TEXT = SessionConfig(output="text", instructions="Be kind.")
TIMEOUT_S = 60


def endpoint_of(server, port=None, dialect="ga"):
    path = "/v1/realtime?model=local"
    if dialect == "preview":
        path = "/openai/realtime?api-version=2024-10-01-preview&deployment=local"
    url = f"ws://127.0.0.1:{port or server.port}{path}"
    return Endpoint.url(url, api_key=server.key.reveal())


@asynccontextmanager
async def surviving(*, faults=(), config=TEXT, policy=QUICK, **options):
    """A session that is open, with a server in which things go wrong."""
    session_options = {name: options.pop(name) for name in ("speaker", "limits") if name in options}
    async with hosting(reply=options.pop("reply", "rules"), faults=faults, **options) as server:
        session = Session(endpoint_of(server), config, reconnect=policy, **session_options)
        try:
            await session.connect()
            yield session
        finally:
            await session.close()


@asynccontextmanager
async def proxied(*strikes, config=TEXT, policy=QUICK, reply="rules", speaker=None):
    """A session that is not open yet, and the proxy between it and its server."""
    async with hosting(reply=reply) as server, chaos(server.port, *strikes) as proxy:
        session = Session(endpoint_of(server, proxy.port), config, reconnect=policy, speaker=speaker)
        try:
            yield session, proxy
        finally:
            await session.close()


async def asked(session, text):
    """Ask, and again when the connection took the answer along."""
    while True:
        try:
            return await session.ask(text)
        except (NoReplyError, SessionClosedError):
            if session.state == "closed":
                raise


async def happens(session, type_, count=1, **fields):
    """Wait until the log holds an event of a type with these fields; return the latest."""
    async with asyncio.timeout(TIMEOUT_S):
        while True:
            found = [e for e in session.log if e.type == type_ and fields.items() <= e.data.items()]
            if len(found) >= count:
                return found[-1]
            await asyncio.sleep(0.01)


def events(session, type_, direction=None):
    return [e for e in session.log if e.type == type_ and direction in {None, e.direction}]


def lives(log):
    """Cut a log at its connections: for each, its events from ``local.connected`` on."""
    parts = []
    for event in log:
        if event.type == "local.connected":
            parts.append([])
        if parts:
            parts[-1].append(event)
    return parts


def check_whole(session):
    """What holds for the log of every session, whatever happened to it."""
    log = list(session.log)
    assert [e.t_s for e in log] == sorted(e.t_s for e in log)
    generations = [part[0].data["generation"] for part in lives(log)]
    assert generations == sorted(set(generations))
    for part in lives(log):
        sent = [e for e in part if e.direction == "sent"]
        if sent:
            assert sent[0].type == "session.update", "the configuration comes first"
            assert sent[0].data["session"] == session.config.to_wire(), "and it is whole"
        ends = [index for index, e in enumerate(part) if e.type == "local.closed"]
        assert len(ends) <= 1
        after = part[ends[0] :] if ends else []
        assert all(e.direction == "local" for e in after), "a dead connection says nothing"
        born = {e.response_id for e in part if e.type == "response.created"}
        assert {e.response_id for e in part if e.type == "response.done"} <= born
        left = born - {e.response_id for e in part if e.type == "response.done"}
        if ends:
            assert set(part[ends[0]].data["interrupted"]) == left
    for turn in session.log.fold_turns():
        assert turn.status in {"completed", "cancelled", "failed", "incomplete", "unanswered"}, turn
