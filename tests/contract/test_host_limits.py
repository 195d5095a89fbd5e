"""What a server withstands, over real sockets: large frames, floods, clients that do not read, lost ones."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json

import pytest
from hosting import ask, hosting, opened, rest, send, until, until_true
from websockets.exceptions import ConnectionClosed, InvalidStatus

from rt_notebook.errors import ConfigError
from rt_notebook.server.engine.engine import Engine
from rt_notebook.server.host.clock import Clock
from rt_notebook.server.host.limits import Limits
from rt_notebook.server.work.component_work import ComponentWork

MIB = 1024 * 1024


async def is_alive(socket):
    await send(socket, "input_audio_buffer.clear")
    await until(socket, "input_audio_buffer.cleared")


async def create(socket, number, size=100_000):
    content = [{"type": "input_text", "text": "x" * size}]
    item = {"id": f"item_{number}", "type": "message", "role": "user", "content": content}
    await send(socket, "conversation.item.create", item=item)


def the_connection(server):
    (connection,) = server._sessions.connections.values()
    return connection


def closings(caplog):
    return [record.fields for record in caplog.records if record.getMessage() == "session_closed"]


async def raw(server, *lines):
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write("\r\n".join(lines).encode())
    return reader, writer


# -- frames ---------------------------------------------------------------------------------------------


async def test_the_largest_audio_of_the_api_fits_and_more_closes_with_1009(caplog):
    caplog.set_level("INFO", "rt_notebook.server")
    async with hosting() as server, opened(server) as other:
        async with opened(server) as socket:
            session = {"type": "realtime", "audio": {"input": {"turn_detection": None}}}
            await send(socket, "session.update", session=session)
            await send(socket, "input_audio_buffer.append", audio=base64.b64encode(bytes(15 * MIB)).decode())
            await is_alive(socket)
            with contextlib.suppress(ConnectionClosed):
                await socket.send("x" * 25 * MIB)
            assert (await rest(socket))[1][0] == 1009
        await is_alive(other)
    assert closings(caplog)[0]["close_code"] == 1009


# -- floods ---------------------------------------------------------------------------------------------


async def test_a_flood_of_sockets_is_sent_away_and_disturbs_nobody():
    async with hosting(limits=Limits(sessions=1, waiting_sockets=4)) as server, opened(server) as session:
        await until(session, "session.created")
        idle = [await raw(server) for _ in range(4)]
        for _ in range(20):
            reader, writer = await raw(server)
            answer = await reader.read()
            head, _, body = answer.partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 503 ")
            assert b"Retry-After: " in head
            assert json.loads(body)["error"]["type"] == "server_error"
            writer.close()
        await is_alive(session)
        for _, writer in idle:
            writer.close()
        await until_true(lambda: len(server._front._http.connections) == 1)
        with pytest.raises(InvalidStatus) as refused:
            await opened(server)
        assert refused.value.response.status_code == 429, "there is room for a request again"


async def test_a_request_that_never_ends_is_cut_off():
    async with hosting(limits=Limits(handshake_s=0.2)) as server:
        for lines in ([], ["GET /v1/realtime HTTP/1.1", "Host: localhost", "X-Slow: "]):
            reader, _ = await raw(server, *lines)
            assert await reader.read() == b""
        key = f"api-key: {server.key.reveal()}"
        head = [
            "POST /v1/realtime/client_secrets HTTP/1.1",
            "Host: localhost",
            key,
            "Content-Length: 9",
            "",
            "",
        ]
        reader, _ = await raw(server, *head)
        assert b" 408 " in await reader.readline()


# -- clients that do not read, or send too fast -----------------------------------------------------------


async def test_a_client_that_does_not_read_is_not_read_from_and_loses_nothing():
    limits = Limits(outbox_bytes=1 * MIB)
    async with hosting(limits=limits) as server, opened(server, ping_interval=None) as slow:
        sending = asyncio.create_task(asyncio.wait_for(_send_all(slow, 300), 60))
        connection = await _connection(server)
        await until_true(lambda: connection._outbox.waiting_bytes > limits.outbox_bytes)
        async with opened(server) as other:
            await is_alive(other)
        assert not sending.done(), "everything was taken in"
        assert connection._outbox.waiting_bytes < limits.outbox_bytes + 0.3 * MIB
        added = []
        while len(added) < 300:
            added += [
                event["item"]["id"]
                for event in await until(slow, "conversation.item.added")
                if event["type"] == "conversation.item.added"
            ]
        assert added == [f"item_{number}" for number in range(300)]
        await sending
        await is_alive(slow)


async def _send_all(socket, count):
    for number in range(count):
        await create(socket, number)


async def _connection(server):
    await until_true(lambda: any(server._sessions.connections.values()))
    return the_connection(server)


async def test_a_client_whose_outbox_is_full_is_told_why_it_is_closed():
    limits = Limits(outbox_bytes=1000 * MIB, outbox_full_bytes=2 * MIB)
    async with hosting(limits=limits) as server, opened(server, ping_interval=None) as slow:
        sending = asyncio.create_task(_send_all(slow, 300))
        connection = await _connection(server)
        await until_true(lambda: connection._outbox.closed)
        frames, how = await rest(slow)
        assert how == (1008, "You do not read what you are sent.")
        assert json.loads(frames[0])["type"] == "session.created"
        with pytest.raises(ConnectionClosed):
            await sending


async def test_a_client_that_never_reads_again_is_given_up():
    limits = Limits(outbox_bytes=1 * MIB, write_s=0.2, goodbye_s=0.1)
    async with hosting(limits=limits) as server:
        slow = await opened(server, ping_interval=None)
        sending = asyncio.create_task(_send_all(slow, 300))
        await _connection(server)
        await until_true(lambda: server.sessions == 0)
        with pytest.raises(ConnectionClosed):
            await sending
        assert (await rest(slow))[1][0] == 1006


async def test_audio_that_cannot_be_judged_yet_is_held_back(monkeypatch):
    waiting = []
    start = ComponentWork.start

    def watched(self, effect):
        start(self, effect)
        waiting.append(self.undetected_frames)

    monkeypatch.setattr(ComponentWork, "start", watched)
    async with hosting(limits=Limits(undetected_frames=100)) as server, opened(server) as socket:
        second = base64.b64encode(bytes(48_000)).decode()
        for _ in range(60):
            await send(socket, "input_audio_buffer.append", audio=second)
        await is_alive(socket)
    assert len(waiting) == 60
    assert max(waiting) <= 100 + 32


@pytest.mark.parametrize(("leave", "code"), [("abort", 1006), ("close", 1000), ("own code", 4001)])
async def test_how_a_client_left_is_told(leave, code, caplog):
    caplog.set_level("INFO", "rt_notebook.server")
    async with hosting() as server:
        socket = await opened(server)
        await until(socket, "session.created")
        if leave == "abort":
            socket.transport.abort()
        else:
            await socket.close(1000 if leave == "close" else code)
        await until_true(lambda: server.sessions == 0)
    assert [closed["close_code"] for closed in closings(caplog)] == [code]


# -- lost ones ------------------------------------------------------------------------------------------


async def test_a_half_open_socket_is_noticed():
    async with hosting(limits=Limits(ping_s=2.0)) as server, opened(server) as other:
        key = f"api-key: {server.key.reveal()}"
        upgrade = ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"]
        nonce = f"Sec-WebSocket-Key: {base64.b64encode(bytes(16)).decode()}"
        head = ["GET /v1/realtime HTTP/1.1", "Host: localhost", key, *upgrade, nonce, "", ""]
        reader, _ = await raw(server, *head)
        assert b" 101 " in await reader.readline()
        try:
            while await reader.read(65_536):
                pass
        except ConnectionError:
            pass
        await is_alive(other)  # who answers pings stays


async def test_nothing_of_one_session_reaches_the_next():
    async with hosting() as server:
        for _ in range(5):
            left = await opened(server)
            await ask(left)
            await until(left, "response.created")
            left.transport.abort()
            async with opened(server) as socket:
                created, updated = await until(socket, "session.created"), []
                await send(socket, "session.update", session={"type": "realtime"})
                updated += await until(socket, "session.updated")
                await is_alive(socket)
        assert len(created + updated) == 2
        assert created[0]["session"]["id"] == updated[0]["session"]["id"]


async def test_a_mistake_of_the_server_ends_one_session_and_is_told_without_words(monkeypatch, caplog):
    receive = Engine.receive

    def broken(self, event):
        if event["type"] == "break":
            raise RuntimeError("these words were said")
        return receive(self, event)

    monkeypatch.setattr(Engine, "receive", broken)
    async with hosting() as server, opened(server) as other:
        async with opened(server) as socket:
            await send(socket, "break")
            _, how = await rest(socket)
        assert how[0] == 1011
        await is_alive(other)
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert record.fields["close_code"] == 1011
    assert record.exc_info[0] is RuntimeError


# -- the end of a session's time ------------------------------------------------------------------------


async def test_a_session_ends_when_its_time_is_over():
    over = asyncio.Event()
    waited = []

    async def sleep(seconds):
        waited.append(seconds)
        await over.wait()

    clock = Clock(now_s=lambda: 1_800_000_000.25, sleep=sleep)
    async with hosting(clock=clock, session_minutes=30) as server, opened(server) as socket:
        (created,) = await until(socket, "session.created")
        assert created["session"]["expires_at"] == 1_800_001_801
        await is_alive(socket)
        over.set()
        frames, how = await rest(socket)
    assert waited == [1800.0]
    reason = "Your session hit the maximum duration of 30 minutes."
    error = json.loads(frames[-1])
    assert error["type"] == "error"
    assert error["error"]["type"] == "invalid_request_error"
    assert (error["error"]["code"], error["error"]["message"]) == ("session_expired", reason)
    assert how == (1001, reason)


async def test_who_is_just_speaking_hears_the_goodbye_too():
    async with hosting(session_minutes=0.01) as server, opened(server) as socket:
        audio = base64.b64encode(bytes(48_000)).decode()

        async def speak():
            while True:
                await send(socket, "input_audio_buffer.append", audio=audio)

        speaking = asyncio.create_task(speak())
        frames, how = await rest(socket)
        with pytest.raises(ConnectionClosed):
            await speaking
    assert how == (1001, "Your session hit the maximum duration of 0.01 minutes.")
    assert [json.loads(frame)["type"] for frame in frames] == ["session.created", "error"]


@pytest.mark.parametrize("minutes", [0, -1, float("inf"), float("nan")])
def test_a_session_needs_some_time(minutes):
    from rt_notebook.server.host.app import RealtimeServer

    with pytest.raises(ConfigError):
        RealtimeServer(session_minutes=minutes)
    with pytest.raises(ConfigError):
        Limits(sessions=0)
