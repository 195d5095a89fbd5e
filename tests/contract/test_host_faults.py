"""Lessons in failure over real sockets: what a client sees of each fault."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys

import pytest
from hosting import ask, hosting, opened, rest, send, until, until_true
from websockets.exceptions import ConnectionClosed, InvalidStatus

from rt_notebook.server.host.clock import Clock
from rt_notebook.server.host.faults import FAULTS


async def conversation(server, **options):
    """Ask for one response and take frames until it is done or the connection ends."""
    async with opened(server, **options) as socket:
        await ask(socket)
        frames = []
        async with asyncio.timeout(60):
            async for frame in socket:
                frames.append(frame)
                if types(frames)[-1:] == ["response.done"]:
                    break
    return frames, socket.close_code


def events(frames):
    found = []
    for frame in frames:
        try:
            found.append(json.loads(frame))
        except ValueError:
            continue
    return found


def types(frames):
    return [event["type"] for event in events(frames)]


@pytest.mark.parametrize(("fault", "code"), [("drop", 1006), ("close", 1000), ("close:code=1001", 1001)])
async def test_the_connection_ends_in_the_middle_of_the_response(fault, code):
    async with hosting(faults=[fault]) as server:
        async with opened(server) as socket:
            await ask(socket)
            frames, how = await rest(socket)
        assert how[0] == code
        assert "response.done" not in types(frames)
        if fault != "drop":  # a reset may take what was on its way with it
            assert any(type_.endswith(".delta") for type_ in types(frames))


async def test_a_dropped_connection_is_a_reset():
    async with hosting(faults=["drop:after=1"]) as server, opened(server) as socket:
        await ask(socket)
        with pytest.raises(ConnectionClosed) as closed:
            await until(socket, "response.done")
        assert isinstance(closed.value.__cause__, ConnectionResetError)


async def test_a_stalled_connection_stays_open_and_silent():
    options = {"ping_interval": None, "close_timeout": 0.1}
    async with hosting(faults=["stall"]) as server:
        async with opened(server, **options) as socket:
            await ask(socket)
            said = []
            while sum(type_.startswith("response.") for type_ in types(said)) < 5:
                said.append(await socket.recv())
            pong, more = await socket.ping(), asyncio.create_task(socket.recv())
            (connection,) = server._sessions.connections.values()
            await until_true(lambda: connection._outbox.waiting_bytes > 0)
            answered, _ = await asyncio.wait({pong, more}, timeout=0.5)
            assert not answered
            assert socket.close_code is None
            more.cancel()
        await until_true(lambda: server.sessions == 0)


@pytest.mark.parametrize(
    "fault",
    [
        "invalid-json",
        "binary-frame",
        "unknown-event",
        "duplicate",
        "reorder",
        "huge-frame",
        "slow:delay_ms=1",
    ],
)
async def test_the_conversation_goes_on(fault):
    async with hosting(faults=[fault]) as server:
        frames, _ = await conversation(server)
    assert "response.done" in types(frames)
    odd = {
        "invalid-json": lambda: len(events(frames)) < len(frames),
        "binary-frame": lambda: any(isinstance(frame, bytes) for frame in frames),
        "unknown-event": lambda: "response.unheard_of.delta" in types(frames),
        "duplicate": lambda: types(frames).count("response.created") == 2,
        "reorder": lambda: True,  # by chance; the unit tests look closer
        "huge-frame": lambda: max(map(len, frames)) > 16 * 1024 * 1024,
        "slow:delay_ms=1": lambda: True,
    }
    assert odd[fault]()


async def test_slow_waits_once_for_each_piece():
    waited = []

    async def sleep(seconds):
        if seconds == 3600.0:  # the session's time
            await asyncio.Event().wait()
        waited.append(seconds)

    async with hosting(faults=["slow:delay_ms=700"], clock=Clock(sleep=sleep)) as server:
        frames, _ = await conversation(server)
    pieces = types(frames).count("response.output_text.delta")
    assert pieces > 0
    assert waited == [0.7] * pieces


@pytest.mark.parametrize(
    ("status", "error"), [(401, "invalid_api_key"), (404, "DeploymentNotFound"), (429, "rate_limit_exceeded")]
)
async def test_a_handshake_is_refused_and_the_next_is_not(status, error):
    async with hosting(faults=[f"refuse:status={status},connections=1"]) as server:
        with pytest.raises(InvalidStatus) as refused:
            await opened(server)
        response = refused.value.response
        assert response.status_code == status
        assert json.loads(response.body)["error"]["code"] == error
        assert ("Retry-After" in response.headers) == (status == 429)
        async with opened(server) as socket:
            await until(socket, "session.created")


async def test_accepted_and_closed_again_and_again():
    async with hosting(faults=["accept-close:connections=3"]) as server:
        for _ in range(3):
            async with opened(server) as socket:
                frames, how = await rest(socket)
            assert (frames, how[0]) == ([], 1000)
        async with opened(server) as socket:
            await until(socket, "session.created")


@pytest.mark.parametrize("dialect", ["ga", "preview"])
async def test_a_rate_limit_in_a_response(dialect):
    headers = {"OpenAI-Beta": "realtime=v1"} if dialect == "preview" else {}
    async with hosting(faults=["rate-limit:times=1"]) as server, opened(server, headers=headers) as socket:
        for status in ("failed", "completed"):
            key = "modalities" if dialect == "preview" else "output_modalities"
            await send(socket, "response.create", response={key: ["text"], "instructions": "Say hello."})
            done = (await until(socket, "response.done"))[-1]["response"]
            assert done["status"] == status
            if status == "failed":
                assert done["status_details"]["error"]["code"] == "rate_limit_exceeded"
                assert done["output"] == []


async def test_server_errors_until_the_client_connects_anew():
    async with hosting(faults=["server-error:connections=1"]) as server:
        async with opened(server) as socket:
            for _ in range(2):
                await ask(socket)
                assert (await until(socket, "error"))[-1]["error"]["type"] == "server_error"
        frames, _ = await conversation(server)
        assert events(frames)[-1]["response"]["status"] == "completed"


async def test_settings_are_acknowledged_and_not_used():
    async with hosting(faults=["ignore-settings"]) as server, opened(server) as socket:
        audio = {"input": {"turn_detection": None}}
        await send(socket, "session.update", session={"type": "realtime", "audio": audio})
        told = (await until(socket, "session.updated"))[-1]["session"]
        assert told["audio"]["input"]["turn_detection"] is None
        (connection,) = server._sessions.connections.values()
        assert connection._engine.session["audio"]["input"]["turn_detection"]["type"] == "server_vad"


async def test_the_same_seed_strikes_at_the_same_responses():
    async def statuses(seed):
        async with (
            hosting(faults=["rate-limit:probability=0.5"], seed=seed) as server,
            opened(server) as socket,
        ):
            found = []
            for _ in range(8):
                await ask(socket, "One.")
                found.append((await until(socket, "response.done"))[-1]["response"]["status"])
        return found

    first = await statuses(1)
    assert set(first) == {"completed", "failed"}
    assert await statuses(1) == first
    assert await statuses(2) != first


def test_a_notebook_can_ask_for_a_fault():
    from rt_notebook import Endpoint, ReconnectPolicy, Session
    from rt_notebook.errors import ConnectError

    endpoint = Endpoint.local(reply="echo", faults=["refuse:connections=1"])
    with pytest.raises(ConnectError, match="at its limit"):
        Session(endpoint, reconnect=ReconnectPolicy(first_attempts=1)).connect_blocking()
    with Session(endpoint) as session:
        assert session.state == "open"


def test_the_command_lists_the_faults():
    command = [sys.executable, "-m", "rt_notebook", "serve", "--fault", "help"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True)
    for name in FAULTS:
        assert f"  {name} " in listed.stdout
