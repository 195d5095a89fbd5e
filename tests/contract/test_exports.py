"""A session's key is in none of the files that are made of its log, whatever went wrong."""

from __future__ import annotations

from importlib.util import find_spec

import pytest
from websockets.asyncio.server import serve

from rt_notebook import Endpoint, RtNotebookError, Session, report

CANARY = "sk-canary-0123456789abcdefghij"


async def refuse(connection, request):
    """Refuse as a careless endpoint does: with the key in the sentence."""
    return connection.respond(401, f"Incorrect API key provided: {request.headers['Authorization']}")


def files_of(session: Session, folder) -> bytes:
    paths = [session.log.to_jsonl(folder / "log.jsonl"), report(session, folder / "log.html")]
    if find_spec("pyarrow") is not None:
        paths.append(session.log.to_parquet(folder / "log.parquet"))
    return b"".join(path.read_bytes() for path in paths)


async def test_after_a_refusal_that_repeats_the_key(tmp_path) -> None:
    async with serve(lambda _: None, "127.0.0.1", 0, process_request=refuse) as server:
        port = server.sockets[0].getsockname()[1]
        session = Session(Endpoint.url(f"ws://127.0.0.1:{port}/v1/realtime", api_key=CANARY))
        with pytest.raises(RtNotebookError):
            await session.connect()
    session.note("local.error", message=f"What was said: {CANARY}")
    assert CANARY.encode() not in files_of(session, tmp_path)


async def test_after_an_error_event_that_repeats_the_key(tmp_path) -> None:
    async def talk(socket) -> None:
        await socket.send('{"type":"session.created","session":{"id":"sess_1"}}')
        key = socket.request.headers["Authorization"]
        await socket.send(f'{{"type":"error","error":{{"message":"Who is {key}?"}}}}')
        await socket.send(f"no event, but {key}")
        await socket.close(4000, f"go away, {key}")

    async with serve(talk, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        session = Session(Endpoint.url(f"ws://127.0.0.1:{port}/v1/realtime", api_key=CANARY))
        with pytest.raises(RtNotebookError):
            await session.connect()
        await session.close()
    assert not session.log.errors().empty
    told = files_of(session, tmp_path)
    assert b"Who is" in told
    assert CANARY.encode() not in told
