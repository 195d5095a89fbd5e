"""Whatever comes, in whatever pieces, a session gets the messages that the websockets library would give."""

from __future__ import annotations

import asyncio
import contextlib
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection
from websockets.asyncio.server import serve as listen
from websockets.exceptions import ConnectionClosed
from websockets.frames import Close, Frame, Opcode
from websockets.server import ServerProtocol

from rt_notebook.io.connection.websocket import MAX_FRAME_BYTES, WAITING_MESSAGES, Socket

texts = st.text(max_size=4) | st.sampled_from(["x" * 125, "y" * 126, "z" * 65_536])


def whole(data: bytes, opcode=Opcode.TEXT) -> bytes:
    return Frame(opcode, data).serialize(mask=False)


def in_fragments(pieces: list[bytes]) -> bytes:
    """One message, with a ping between its fragments."""
    frames = b""
    for number, piece in enumerate(pieces):
        kind, last = (Opcode.CONT if number else Opcode.TEXT), number == len(pieces) - 1
        frames += Frame(kind, piece, fin=last).serialize(mask=False) + (
            b"" if last else whole(b"?", Opcode.PING)
        )
    return frames


legal = st.one_of(
    texts.map(lambda text: whole(text.encode())),
    st.lists(st.binary(max_size=3).map(bytes.hex).map(str.encode), min_size=1, max_size=4).map(in_fragments),
    st.binary(max_size=9).map(lambda data: whole(data, Opcode.BINARY)),
    st.sampled_from([whole(b"", Opcode.PING), whole(b"1234", Opcode.PONG)]),
)
illegal = st.sampled_from(
    [
        Frame(Opcode.TEXT, b"masked").serialize(mask=True),
        b"\xc1\x03rsv",  # a reserved bit
        b"\x8b\x00",  # a kind of frame that there is not
        Frame(Opcode.TEXT, b"begun", fin=False).serialize(mask=False) + whole(b"in between"),
        whole(b"nothing to go on with", Opcode.CONT),
        b"\x81\x7f" + (MAX_FRAME_BYTES + 1).to_bytes(8),
        b"\x81\x7f\xff\xff\xff\xff\xff\xff\xff\xff",
    ]
)
endings = st.one_of(
    st.just(b""),
    st.just(whole(Close(1001, "bye").serialize(), Opcode.CLOSE)),
    illegal,
)


async def answer_opening(reader: asyncio.StreamReader, protocol: ServerProtocol) -> bytes:
    protocol.receive_data(await reader.readuntil(b"\r\n\r\n"))
    [request] = protocol.events_received()
    protocol.send_response(protocol.accept(request))
    return b"".join(protocol.data_to_send())


async def told(kind: type[ClientConnection], stream: bytes, cuts: list[int]) -> tuple[list[bytes], int]:
    """Return the messages that a client gets of a stream that comes in pieces, and the code of the end."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        left = await answer_opening(reader, ServerProtocol()) + stream
        sizes = itertools.chain(cuts, itertools.repeat(40_000))
        with contextlib.suppress(ConnectionError):
            while left:
                size = next(sizes)
                writer.write(left[:size])
                left = left[size:]
                await writer.drain()
                await asyncio.sleep(0)
        writer.close()

    messages: list[bytes] = []
    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        connection = await connect(
            f"ws://127.0.0.1:{port}/",
            max_size=MAX_FRAME_BYTES,
            compression=None,
            ping_interval=None,
            close_timeout=1,
            create_connection=kind,
        )
        if isinstance(connection, Socket):
            while batch := await connection.take():
                messages += batch
        else:
            with contextlib.suppress(ConnectionClosed):
                while True:
                    messages.append(await connection.recv(decode=False))
        await connection.wait_closed()
        return messages, connection.close_code


@settings(max_examples=40, deadline=None)
@given(st.lists(legal, max_size=6), endings, st.lists(st.integers(1, 200), max_size=12))
def test_a_stream_gives_what_the_library_gives(frames, ending, cuts) -> None:
    stream = b"".join(frames) + ending
    assert asyncio.run(told(Socket, stream, cuts)) == asyncio.run(told(ClientConnection, stream, cuts))


async def test_what_is_sent_together_arrives_as_it_was() -> None:
    messages = [b"", b"a" * 125, b"b" * 126, b"c" * 65_535, b"d" * 65_536]
    arrived = []

    async def serve(socket: ServerConnection) -> None:
        arrived.extend([await socket.recv(decode=False) for _ in messages])

    async with listen(serve, "127.0.0.1", 0, compression=None) as server:
        port = server.sockets[0].getsockname()[1]
        async with connect(f"ws://127.0.0.1:{port}/", compression=None, create_connection=Socket) as socket:
            await socket.put(messages)
            assert await socket.take() == []
            assert arrived == messages
            with pytest.raises(ConnectionError):
                await socket.put([b"too late"])


async def test_the_network_waits_for_a_session_that_takes_nothing() -> None:
    count = 40 * WAITING_MESSAGES
    sent = asyncio.Event()

    async def serve(socket: ServerConnection) -> None:
        for number in range(count):
            await socket.send(f"{number} {'.' * 50_000}")
        sent.set()

    async with listen(serve, "127.0.0.1", 0, compression=None) as server:
        port = server.sockets[0].getsockname()[1]
        async with connect(f"ws://127.0.0.1:{port}/", compression=None, create_connection=Socket) as socket:
            while socket.transport.is_reading():  # noqa: ASYNC110
                await asyncio.sleep(0.01)  # nothing tells of it
            assert not sent.is_set()
            messages: list[bytes] = []
            while batch := await socket.take():
                messages += batch
            assert [int(message.split()[0]) for message in messages] == list(range(count))
