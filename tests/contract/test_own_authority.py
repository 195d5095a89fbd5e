"""TLS by an authority that only a company knows: trusted when named, and told apart from other faults."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from contextlib import asynccontextmanager

import pytest
from certificates import Authority, server_context
from hosting import hosting

from rt_notebook import ConfigError, ConnectError, Endpoint, Session, SessionConfig
from rt_notebook.core.reconnect import ReconnectPolicy

ONCE = ReconnectPolicy(first_attempts=1)
UNKNOWN = "its authority is not known"
COMPANY = "pass ca_file="


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch):
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


@asynccontextmanager
async def secured(certificate):
    """A real server behind a door that speaks TLS; gives the door's port and the server's key."""
    async with hosting(reply="rules") as server:

        async def pump(reader, writer):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
            writer.close()

        async def enter(reader, writer):
            inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", server.port)
            await asyncio.gather(
                pump(reader, inner_writer), pump(inner_reader, writer), return_exceptions=True
            )

        door = await asyncio.start_server(enter, "127.0.0.1", 0, ssl=server_context(certificate))
        try:
            yield door.sockets[0].getsockname()[1], server.key.reveal()
        finally:
            door.close()


async def answered(url, key, **options):
    endpoint = Endpoint.url(url, api_key=key, **options)
    async with Session(endpoint, SessionConfig(output="text"), reconnect=ONCE) as session:
        return (await session.ask("Hello.")).status


async def test_an_authority_is_trusted_once_it_is_named(authority, monkeypatch):
    async with secured(authority.issue("localhost", "127.0.0.1")) as (port, key):
        for host in ("localhost", "127.0.0.1"):
            url = f"wss://{host}:{port}/v1/realtime?model=local"
            with pytest.raises(ConnectError) as caught:
                await answered(url, key)
            assert UNKNOWN in caught.value.problem
            assert COMPANY in caught.value.remedy
            assert await answered(url, key, ca_file=authority.file) == "completed"
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
        assert await answered(url, key) == "completed"


@pytest.mark.parametrize(
    ("names", "days", "told", "remedy"),
    [
        (("another.example",), 1, "it is for another name", "ca_file= would not help"),
        (("localhost",), -1, "it has expired", "Check the clock"),
    ],
)
async def test_what_naming_it_does_not_mend_is_told(authority, names, days, told, remedy):
    async with secured(authority.issue(*names, days=days)) as (port, key):
        url = f"wss://localhost:{port}/v1/realtime?model=local"
        with pytest.raises(ConnectError) as caught:
            await answered(url, key, ca_file=authority.file)
        assert told in caught.value.problem
        assert remedy in caught.value.remedy
        found = await examined(url, "--ca-file", str(authority.file))
        assert told in found["certificate"]["said"]
        assert remedy in found["certificate"]["remedy"]


async def examined(url, *options):
    command = [sys.executable, "-m", "rt_notebook", "doctor", "--endpoint", url, "--json", *options]
    ended = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)
    return {finding["check"]: finding for finding in json.loads(ended.stdout)["findings"]}


async def test_the_doctor_tells_an_unknown_authority_and_finds_it_well_when_named(authority):
    async with secured(authority.issue("localhost")) as (port, key):
        url = f"wss://localhost:{port}/v1/realtime?model=local"
        found = await examined(url, "--api-key", key)
        assert UNKNOWN in found["certificate"]["said"]
        assert COMPANY in found["certificate"]["remedy"]
        assert "handshake" not in found
        found = await examined(url, "--api-key", key, "--ca-file", str(authority.file))
        assert found["certificate"]["said"] == "It is valid and signed by Songbird Works Root CA."
        assert found["typed turn"]["state"] == "ok"


def test_a_file_that_holds_no_certificate_is_refused_at_once(tmp_path, authority, monkeypatch):
    (tmp_path / "empty.pem").write_text("nothing")
    address = "wss://a.example/v1/realtime"
    for make in (
        lambda file: Endpoint.url(address, ca_file=file),
        lambda file: Endpoint.openai(api_key="k", ca_file=file),
        lambda file: Endpoint.azure(endpoint="https://a.example", deployment="d", api_key="k", ca_file=file),
    ):
        with pytest.raises(ConfigError, match="no certificate"):
            make(tmp_path / "empty.pem")
        with pytest.raises(ConfigError, match="cannot be read"):
            make(tmp_path / "nowhere.pem")
        monkeypatch.chdir(authority.file.parent)
        assert make(authority.file.name).ca_file == str(authority.file), "also from another folder, later"
