"""The server as a host, over real sockets: REST, ephemeral keys, refusals, web pages, logs without keys."""

from __future__ import annotations

import asyncio
import json
import logging

import aiohttp
import httpx
import pytest
from hosting import hosting, opened, rest, send, until
from websockets.exceptions import InvalidStatus

from rt_notebook.errors import ConfigError
from rt_notebook.server.host.clock import Clock
from rt_notebook.server.host.limits import Limits

CANARY = "canary-5f1b6f0e"


@pytest.fixture
async def server():
    async with hosting(api_key=CANARY, allowed_origins=["https://lab.example.org"]) as server:
        yield server


@pytest.fixture
async def http(server):
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{server.port}", headers={"api-key": CANARY}
    ) as client:
        yield client


async def test_an_ephemeral_key_made_by_openai_python_begins_a_session_with_its_settings(server):
    from openai import AsyncOpenAI

    base = f"127.0.0.1:{server.port}/v1"
    session = {"type": "realtime", "instructions": "Be brief.", "output_modalities": ["text"]}
    async with AsyncOpenAI(api_key=CANARY, base_url=f"http://{base}") as owner:
        made = await owner.realtime.client_secrets.create(
            expires_after={"anchor": "created_at", "seconds": 60}, session=session
        )
    assert made.session.instructions == "Be brief."
    async with AsyncOpenAI(api_key=made.value, websocket_base_url=f"ws://{base}") as page:
        for _ in range(2):
            async with page.realtime.connect(model="local") as connection:
                created = await connection.recv()
                assert created.type == "session.created"
                assert created.session.instructions == "Be brief."
                assert created.session.output_modalities == ["text"]


async def test_preview_keys_by_openai_python(server):
    from openai import AsyncOpenAI

    async with AsyncOpenAI(api_key=CANARY, base_url=f"http://127.0.0.1:{server.port}/v1") as owner:
        made = await owner.beta.realtime.sessions.create(model="local", voice="echo", temperature=0.7)
    assert (made.voice, made.temperature) == ("echo", 0.7)
    headers = {"OpenAI-Beta": "realtime=v1"}
    async with opened(server, key=made.client_secret.value, headers=headers) as socket:
        session = (await until(socket, "session.created"))[0]["session"]
    assert (session["voice"], session["temperature"]) == ("echo", 0.7)


async def test_azure_preview_keys(server, http):
    made = await http.post("/openai/realtimeapi/sessions?api-version=2025-04-01-preview", json={"model": "d"})
    assert made.status_code == 200
    key = made.json()["client_secret"]["value"]
    async with opened(server, key=key, path="/openai/realtime?api-version=x&deployment=d") as socket:
        assert (await until(socket, "session.created"))[0]["session"]["model"] == "d"


async def test_keys_for_words_only(server):
    from openai import AsyncOpenAI

    async with AsyncOpenAI(api_key=CANARY, base_url=f"http://127.0.0.1:{server.port}/v1") as owner:
        preview = await owner.beta.realtime.transcription_sessions.create(
            input_audio_transcription={"model": "whisper-1"}, input_audio_format="g711_ulaw"
        )
        ga = await owner.realtime.client_secrets.create(session={"type": "transcription"})
    assert preview.input_audio_format == "g711_ulaw"
    assert preview.input_audio_transcription.model == "whisper-1"
    assert ga.session.type == "transcription"
    async with opened(server, key=ga.value) as socket:
        assert (await until(socket, "session.created"))[0]["session"]["type"] == "transcription"
    async with opened(server, path="/v1/realtime?intent=transcription") as socket:
        assert (await until(socket, "session.created"))[0]["session"]["type"] == "transcription"
    headers = {"OpenAI-Beta": "realtime=v1"}
    async with opened(server, key=preview.client_secret.value, headers=headers) as socket:
        created = json.loads(await socket.recv())
    assert created["session"]["input_audio_format"] == "g711_ulaw"


async def test_an_ephemeral_key_expires():
    now_s = [1000.0]
    async with hosting(clock=Clock(now_s=lambda: now_s[0])) as server, httpx.AsyncClient() as http:
        url = f"http://127.0.0.1:{server.port}/v1/realtime/client_secrets"
        body = {"expires_after": {"seconds": 10}}
        made = await http.post(url, headers={"api-key": server.key.reveal()}, json=body)
        key = made.json()["value"]
        async with opened(server, key=key) as socket:
            now_s[0] = 1010.0
            await until(socket, "session.created")
            await send(socket, "input_audio_buffer.clear")
            await until(socket, "input_audio_buffer.cleared")  # the session outlives its key
        with pytest.raises(InvalidStatus) as refused:
            await opened(server, key=key)
    assert refused.value.response.status_code == 401


async def test_health_counts_sessions(server, http):
    before = (await http.get("/health", headers={"api-key": ""})).json()
    assert before["status"] == "ok"
    assert set(before["components"]) == {"detect", "end_of_turn", "transcribe", "reply", "speak"}
    async with opened(server) as socket:
        await until(socket, "session.created")
        during = (await http.get("/health")).json()
    assert (before["sessions"], during["sessions"]) == (0, 1)
    assert before["version"]


@pytest.mark.parametrize(
    ("status", "method", "path", "headers"),
    [
        (401, "GET", "/v1/realtime", {"api-key": "wrong"}),
        (401, "POST", "/v1/realtime/client_secrets", {"api-key": "wrong"}),
        (403, "GET", "/v1/realtime", {"Origin": "https://evil.example"}),
        (403, "GET", "/health", {"Host": "evil.example"}),
        (404, "GET", "/v3/realtime", {}),
        (405, "GET", "/v1/realtime/client_secrets", {}),
        (405, "POST", "/v1/realtime", {}),
        (426, "GET", "/v1/realtime", {}),
    ],
)
async def test_refusals_are_the_vendors_json(http, status, method, path, headers):
    answer = await http.request(method, path, headers=headers)
    assert answer.status_code == status
    error = answer.json()["error"]
    assert set(error) == {"message", "type", "code", "param"}
    assert CANARY not in answer.text
    assert error["message"].count(".") >= 1


async def test_a_refused_handshake_is_told_in_the_client(server):
    from rt_notebook import Endpoint, Session
    from rt_notebook.errors import AuthenticationError

    with pytest.raises(AuthenticationError, match=r"It said: The key is wrong") as caught:
        await Session(Endpoint.url(server.realtime_url, api_key="wrong")).connect()
    assert "{" not in str(caught.value)


async def test_a_session_that_cannot_be_begun_is_refused_at_the_handshake(server, http):
    made = await http.post("/v1/realtime/client_secrets", json={"session": {"type": "x"}})
    assert made.status_code == 400
    large = await http.post("/v1/realtime/client_secrets", content=b" " * 2_000_000)
    assert large.status_code == 413


async def test_a_page_may_make_a_key_if_it_is_allowed(http):
    path = "/v1/realtime/client_secrets"
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    for origin in ("http://localhost:8888", "https://lab.example.org"):
        page = {"Origin": origin}
        preflight = await http.options(path, headers=page | asked | {"api-key": ""})
        assert preflight.status_code == 204
        assert preflight.headers["Access-Control-Allow-Origin"] == origin
        assert preflight.headers["Access-Control-Allow-Headers"] == "authorization"
        made = await http.post(path, headers=page, json={})
        assert made.status_code == 200
        assert made.headers["Access-Control-Allow-Origin"] == origin
        wrong = await http.post(path, headers=page | {"api-key": "wrong"}, json={})
        assert wrong.status_code == 401
        assert wrong.headers["Access-Control-Allow-Origin"] == origin, "the page cannot read why"
    evil = await http.options(path, headers={"Origin": "https://evil.example"} | asked)
    assert evil.status_code == 403
    assert "Access-Control-Allow-Origin" not in evil.headers


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        (None, None),
        (["realtime"], "realtime"),
        (["realtime", f"openai-insecure-api-key.{CANARY}"], "realtime"),
        ([f"openai-insecure-api-key.{CANARY}"], None),
        ([f"openai-insecure-api-key.{CANARY}", "openai-beta.realtime-v1", "realtime"], "realtime"),
    ],
)
async def test_a_subprotocol_is_chosen_and_not_required(server, offered, chosen):
    async with (
        aiohttp.ClientSession() as client,
        client.ws_connect(
            f"http://127.0.0.1:{server.port}/v1/realtime",
            protocols=offered or (),
            headers={"api-key": CANARY, "Origin": "http://localhost:8888"},
        ) as socket,
    ):
        assert socket.protocol == chosen
        assert json.loads((await socket.receive()).data)["type"] == "session.created"


async def test_no_log_at_any_level_holds_a_key(server, http, caplog):
    with caplog.at_level(logging.DEBUG):
        for name in list(logging.root.manager.loggerDict):
            if name.startswith(("aiohttp", "asyncio", "rt_notebook")):
                logging.getLogger(name).setLevel(logging.DEBUG)
        made = (await http.post("/v1/realtime/client_secrets", json={})).json()["value"]
        query = f"/openai/realtime?deployment=d&api-key={CANARY}"
        offered = [f"openai-insecure-api-key.{CANARY}"]
        for options in (
            {},
            {"key": made},
            {"path": query},
            {"path": query + "x", "key": "wrong"},
            {"subprotocols": offered, "key": "wrong"},
            {"key": CANARY + "x"},
        ):
            try:
                async with opened(server, **options, logger=logging.getLogger("the client's own")) as socket:
                    await until(socket, "session.created")
            except InvalidStatus:
                pass
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(f"GET / HTTP/1.1\r\nHost: localhost\r\nbad\x00header: {CANARY}\r\n\r\n".encode())
        assert b"400" in await reader.readline()
        writer.close()
    ours = [record for record in caplog.records if record.name != "the client's own"]
    told = "\n".join(f"{record.getMessage()} {vars(record)}" for record in ours)
    assert "session_opened" in told
    assert CANARY not in told
    assert made not in told


async def test_sessions_at_once_are_limited_and_a_place_becomes_free():
    async with hosting(limits=Limits(sessions=1)) as server:
        async with opened(server) as socket:
            await until(socket, "session.created")
            with pytest.raises(InvalidStatus) as refused:
                await opened(server)
            response = refused.value.response
            assert response.status_code == 429
            assert int(response.headers["Retry-After"]) > 0
            assert json.loads(response.body)["error"]["code"] == "rate_limit_exceeded"
        if server.sessions:  # the server is just done with the goodbye
            await asyncio.wait(set(server._sessions.connections), timeout=30)
        async with opened(server) as socket:
            await until(socket, "session.created")


async def test_when_the_server_ends_it_says_so():
    async with hosting() as server:
        socket = await opened(server)
        await until(socket, "session.created")
        await server.stop()
        _, how = await rest(socket)
    assert how == (1001, "The server is ending.")


async def test_a_host_that_is_no_name_is_refused():
    with pytest.raises(ConfigError, match="no name of a machine"):
        async with hosting(host="a..b"):
            raise AssertionError
