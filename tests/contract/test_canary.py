"""A key goes through failures of every kind and is found nowhere: not in what is said, shown or written."""

from __future__ import annotations

import asyncio
import json
import logging
import math
import os
import re
import signal
import subprocess
import sys
from contextlib import asynccontextmanager
from importlib.util import find_spec
from urllib.parse import quote

import nbformat
import pytest
from canary import KEY, Haul, forms
from certificates import server_context, signed_by_itself
from hosting import hosting
from loopback import Listener, http
from nbclient import NotebookClient
from survival import happens
from websockets.asyncio.server import serve
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from rt_notebook import Endpoint, Playground, RtNotebookError, Session, SessionConfig, load, report
from rt_notebook.core.reconnect import ReconnectPolicy

ONCE = ReconnectPolicy(first_attempts=1, first_delay_s=0.01, longest_delay_s=0.02, seed=1)
TEXT = SessionConfig(output="text")
ECHOED = json.dumps({"error": {"message": f"Incorrect API key provided: {KEY}."}})


@pytest.fixture
def haul():
    return Haul()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.mark.parametrize("form", forms())
def test_the_search_would_find_it(form):
    haul = Haul()
    haul.take("anything", b"around it " + forms()[form] + b" and after")
    with pytest.raises(AssertionError, match="anything"):
        haul.check()


class Loud(logging.Handler):
    """Every record of every logger, at DEBUG, as a careless formatter writes it."""

    def __init__(self):
        super().__init__(logging.NOTSET)
        self.lines = []

    def emit(self, record):
        self.lines.append(f"{self.format(record)} {record.__dict__!r}")


@pytest.fixture
def loud():
    """Turn on everything that could be talkative, our own quiet loggers included."""
    handler, root = Loud(), logging.getLogger()
    known = [root, *(x for x in root.manager.loggerDict.values() if isinstance(x, logging.Logger))]
    known += [logging.getLogger(name) for name in ("websockets.client", "asyncio", "rt_notebook.wire")]
    levels = {logger: logger.level for logger in known}
    for logger in levels:
        logger.setLevel(logging.DEBUG)
    root.addHandler(handler)
    yield handler
    root.removeHandler(handler)
    for logger, level in levels.items():
        logger.setLevel(level)


async def careless(socket):
    """Say the key again in every way that an endpoint has."""
    await socket.send('{"type":"session.created","session":{"id":"sess_1"}}')
    key = socket.request.headers["Authorization"].removeprefix("Bearer ")
    await socket.send(json.dumps({"type": "error", "error": {"message": f"Who is {key}?"}}))
    await socket.send(f"no event, but {key}".encode())
    await socket.send(json.dumps({"type": f"brand.new.{key}", key: [key]}))
    await asyncio.sleep(0.05)
    await socket.close(4000, f"go away, {key}")


@asynccontextmanager
async def ways_to_fail(folder):
    """Addresses at which a connection fails, each in its own way."""
    wrong = server_context(signed_by_itself(folder))
    silent = logging.getLogger("test.careless")
    silent.disabled = True
    async with serve(careless, "127.0.0.1", 0, logger=silent) as echo:
        with (
            Listener(http("401 Unauthorized", body=ECHOED)) as refusing,
            Listener(http("404 Not Found", body=KEY)) as unknown,
            Listener(http("429 Too Many Requests", "Retry-After: 1", body=ECHOED)) as limited,
            Listener(http("302 Found", f"Location: http://localhost:1/?k={KEY}")) as moved,
            Listener(b"SSH-2.0-OpenSSH_9.2\r\n") as other,
            Listener(b"", wrong) as secure,
        ):
            port = echo.sockets[0].getsockname()[1]
            yield {
                "401": f"ws://127.0.0.1:{refusing.port}/v1/realtime",
                "404": f"ws://127.0.0.1:{unknown.port}/v1/realtime",
                "429": f"ws://127.0.0.1:{limited.port}/v1/realtime",
                "302": f"ws://127.0.0.1:{moved.port}/v1/realtime",
                "no WebSocket": f"ws://127.0.0.1:{other.port}/v1/realtime",
                "TLS": f"wss://localhost:{secure.port}/v1/realtime",
                "DNS": "wss://nowhere.invalid/v1/realtime",
                "nobody": "ws://127.0.0.1:9/v1/realtime",
                "careless": f"ws://127.0.0.1:{port}/v1/realtime",
            }


async def written(haul, name, session, folder):
    """Write the session down in every way that there is."""
    folder.mkdir()
    report(session, folder / "report.html")
    session.log.to_jsonl(folder / "log.jsonl")
    if find_spec("pyarrow") is not None:
        session.log.to_parquet(folder / "log.parquet")
    haul.take(f"{name} log", f"{session.log!r} {session.log._repr_html_()} {list(session.log)}")
    haul.take(f"{name} errors", session.log.errors().to_csv())
    haul.take(f"{name} settings", session.settings().to_csv())


@pytest.mark.parametrize("header", ["Authorization", "api-key"])
async def test_failing_connections(haul, loud, tmp_path, header, capfd):
    async with ways_to_fail(tmp_path) as ways:
        for name, url in ways.items():
            url = url.replace("/v1/", "/openai/v1/") if header == "api-key" and name != "careless" else url
            session = Session(Endpoint.url(url, api_key=KEY), TEXT, reconnect=ONCE)
            folder = tmp_path / name
            await session.record(tmp_path / f"{name}.rtlog", purpose=f"to lose {KEY}")
            with pytest.raises(RtNotebookError) as caught:
                await session.connect()
            haul.error(name, caught.value)
            session.note("local.error", message=f"It ended with {caught.value}.")
            await session.close()
            await written(haul, name, session, folder)
            haul.folder(folder)
            haul.file(tmp_path / f"{name}.rtlog")
    haul.take("logged", "\n".join(loud.lines))
    haul.take("printed", "stdout and stderr: " + "".join(capfd.readouterr()))
    haul.check("refused the key (HTTP 401)", "nowhere.invalid cannot be reached", "certificate", "Who is ***")


async def test_a_conversation_that_goes_well(haul, loud, tmp_path, capfd):
    async with hosting(reply="rules", api_key=KEY) as server:
        url = f"ws://127.0.0.1:{server.port}/v1/realtime?model=local"
        session = Session(Endpoint.url(url, api_key=KEY), TEXT, reconnect=ONCE)
        bundle = tmp_path / "a.rtlog"
        await session.record(bundle, purpose="a test")
        await session.connect()
        turn = await session.ask("What is the capital of France?")
        session._runtime.call_soon(session._link.life.connection._transport.abort)
        await happens(session, "local.gap")
        again = await session.ask("Thank you.")
        await session.close()
        haul.take("answers", f"{turn} {again}")
        with pytest.raises(RtNotebookError) as caught:
            await session.ask("Too late.")
        haul.error("closed", caught.value)
        await written(haul, "session", session, tmp_path / "files")
        haul.folder(tmp_path)
        replayed = Session(Endpoint.replay(load(bundle), speed=math.inf))
        await replayed.connect()
        await replayed.close()
        await written(haul, "replay", replayed, tmp_path / "again")
        haul.folder(tmp_path / "again")
    haul.take("logged", "\n".join(loud.lines))
    haul.take("printed", "stdout and stderr: " + "".join(capfd.readouterr()))
    haul.check("session_opened", "response.done", "capital of France")


async def test_the_key_follows_no_redirect(tmp_path):
    """The library would strip Authorization on the way to another host, but not Azure's api-key."""
    with Listener(http("200 OK")) as elsewhere:
        there = f"Location: http://localhost:{elsewhere.port}/openai/v1/realtime"
        with Listener(http("307 Temporary Redirect", there)) as moved:
            url = f"ws://127.0.0.1:{moved.port}/openai/v1/realtime"
            session = Session(Endpoint.url(url, api_key=KEY), TEXT, reconnect=ONCE)
            with pytest.raises(RtNotebookError, match="HTTP 307"):
                await session.connect()
            assert [KEY.encode() in request for request in moved.requests] == [True]
        assert elsewhere.requests == []


MISTAKES = {
    "a page's address": lambda: Endpoint.url("https://a.example/v1/realtime", api_key=KEY),
    "no address": lambda: Endpoint.url("a.example", api_key=KEY),
    "in the open": lambda: Endpoint.url("ws://a.example/v1/realtime", api_key=KEY),
    "a key in the address": lambda: Endpoint.url(f"wss://a.example/v1/realtime?api-key={KEY}"),
    "a password in the address": lambda: Endpoint.url(f"wss://me:{KEY.replace('/', '')}@a.example/v1"),
    "a key for a user": lambda: Endpoint.url(f"wss://{quote(KEY, safe='')}@a.example/v1"),
    "a subscription key": lambda: Endpoint.url(f"wss://a.example/v1?subscription-key={quote(KEY)}"),
    "azure for a user": lambda: Endpoint.azure(
        endpoint=f"https://{quote(KEY, safe='')}@a.example", deployment="d", api_key="k"
    ),
    "no resource": lambda: Endpoint.azure(deployment="d", api_key=KEY),
    "no deployment": lambda: Endpoint.azure(endpoint="https://a.example", api_key=KEY),
    "a line end": lambda: Endpoint.url("ws://127.0.0.1:1/v1/realtime", api_key=f"{KEY}\n"),
    "bytes": lambda: Endpoint.openai(api_key=KEY.encode()),
    "a list": lambda: Endpoint.azure(endpoint="https://a.example", deployment="d", api_key=[KEY]),
    "azure in the open": lambda: Endpoint.azure(endpoint="http://a.example", deployment="d", api_key=KEY),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_in_an_endpoint(haul, mistake, monkeypatch):
    for name in ("AZURE_OPENAI_ENDPOINT", "AZURE_OPENAI_DEPLOYMENT"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(RtNotebookError) as caught:
        MISTAKES[mistake]()
    haul.error(mistake, caught.value)
    haul.check()


def test_things_that_hold_a_key(haul):
    endpoints = {
        "url": Endpoint.url("ws://127.0.0.1:1/v1/realtime", api_key=KEY),
        "azure": Endpoint.azure(endpoint="https://a.example", deployment="d", api_key=KEY),
        "preview": Endpoint.azure(
            endpoint="https://a.example", deployment="d", api_key=KEY, api_version="2024-10-01-preview"
        ),
        "openai": Endpoint.openai(api_key=KEY),
    }
    for name, endpoint in endpoints.items():
        haul.thing(f"Endpoint {name}", endpoint)
        haul.thing(f"Address {name}", asyncio.run(endpoint.address()))
        session = Session(endpoint)
        haul.thing(f"Session {name}", session)
        haul.thing(f"SessionConfig {name}", session.config)
        session.close_blocking()
        playground = Playground(endpoint)
        haul.thing(f"Playground {name}", playground)
        haul.take(
            f"Playground {name} in a notebook", json.dumps(playground.get_manager_state(), default=repr)
        )
        playground.close()
    haul.check("***")


SET_UP = """
import logging, sys, warnings
logging.basicConfig(level=logging.DEBUG, stream=sys.stderr, force=True)
for logger in list(logging.root.manager.loggerDict):
    logging.getLogger(logger).setLevel(logging.DEBUG)
from rt_notebook import Endpoint, Playground, Session, SessionConfig, report
from rt_notebook.core.reconnect import ReconnectPolicy
once = ReconnectPolicy(first_attempts=1)
%xmode Verbose
"""
WELL = """
session = Session(Endpoint.url({url!r}, api_key=open("key").read()), SessionConfig(output="text"))
await session.record("a.rtlog", purpose="a test")
await session.connect()
turn = await session.ask("What is the capital of France?")
await session.close()
await session.ask("Too late.")
"""
SHOWN = [
    *("session", "session.endpoint", "session.config", "session.log", "session.settings()", "turn"),
    *("session.log.to_pandas().to_html()", "report(session, 'report.html')", "vars(session.log)"),
    "Playground(session.endpoint)",
]


async def test_a_notebook_that_shows_everything(haul, tmp_path):
    """A real kernel, every logger at DEBUG, tracebacks with their variables, saved with its widgets."""
    (tmp_path / "key").write_text(KEY)
    made = {
        "no resource": 'Endpoint.azure(deployment="d", api_key=open("key").read())',
        "a page's address": 'Endpoint.url("https://a.example/v1", api_key=open("key").read())',
        "a key in the address": 'Endpoint.url("wss://a.example/v1?api-key=" + open("key").read())',
        "an option": 'Endpoint.openai(api_key=open("key").read(), model=3)',
    }
    async with hosting(reply="rules", api_key=KEY) as server, ways_to_fail(tmp_path) as ways:
        well = f"ws://127.0.0.1:{server.port}/v1/realtime?model=local"
        cells = [SET_UP, *made.values()]
        for url in ways.values():
            make = f'Session(Endpoint.url({url!r}, api_key=open("key").read()), reconnect=once)'
            cells += [f"await {make}.connect()", f"{make}.connect_blocking()"]
        cells += [WELL.format(url=well), *SHOWN]
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        client = NotebookClient(
            notebook,
            kernel_name="python3",
            timeout=180,
            allow_errors=True,
            store_widget_state=True,
            resources={"metadata": {"path": str(tmp_path)}},
        )
        await client.async_execute()
    nbformat.write(notebook, tmp_path / "saved.ipynb")
    (tmp_path / "key").unlink()
    for pem in tmp_path.glob("*.pem"):
        pem.unlink()
    haul.folder(tmp_path)
    failed = [cell for cell in notebook.cells if any(o.output_type == "error" for o in cell.outputs)]
    assert len(failed) == len(made) + 2 * len(ways) + 1, "each in its own way, and the closed session"
    haul.check(
        "ConfigError", "AuthenticationError", "refused the key", "capital of France", "DEBUG", "api_key=***"
    )


def run(*arguments, **environment):
    command = [sys.executable, "-X", "dev", "-m", "rt_notebook", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=120, env=os.environ | environment
    )


# What asyncio notes at DEBUG when a name is looked up in a thread that outlives the loop.
LATE_ANSWER = re.compile(
    r"DEBUG:asyncio:Fail to write a null byte into the self-pipe socket\n"
    r"Traceback [^\n]*\n(?: [^\n]*\n)*\w+: [^\n]*\n"
)


async def test_reports_of_the_doctor(haul, tmp_path):
    # Everything logged at DEBUG goes to stderr.
    (tmp_path / "sitecustomize.py").write_text(
        "import logging, http.client\n"
        "logging.basicConfig(level=logging.DEBUG)\n"
        "http.client.HTTPConnection.debuglevel = 1\n"
    )
    loud = {
        "OPENAI_API_KEY": KEY, "AZURE_OPENAI_API_KEY": KEY, "WEBSOCKETS_MAX_LOG_SIZE": "100000",
        "AZURE_OPENAI_ENDPOINT": "https://nowhere.invalid", "AZURE_OPENAI_DEPLOYMENT": "d",
        "PYTHONASYNCIODEBUG": "1", "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path]),
    }  # fmt: skip
    async with ways_to_fail(tmp_path) as ways:
        targets = [
            ("azure",),
            *((ways[name], "--api-key", KEY) for name in ("401", "TLS", "DNS", "careless")),
            (f"wss://nowhere.invalid/v1/realtime?api-key={KEY}",),
            (f"mars-{KEY}",),
        ]
        for number, target in enumerate(targets):
            ended = await asyncio.to_thread(run, "doctor", "--endpoint", *target, **loud)
            assert ended.returncode == 1, ended.stderr
            assert "PROBLEM" in ended.stdout
            assert "Traceback" not in LATE_ANSWER.sub("", ended.stderr)
            haul.take(f"report {number}", ended.stdout + ended.stderr)
    haul.check("DEBUG:asyncio", "send: b'HEAD", "refused the key", "has no address", "signed by itself")


@pytest.mark.parametrize("form", ["json", "text"])
def test_the_log_of_a_server(haul, form):
    command = [sys.executable, "-m", "rt_notebook", "serve", "--log-format", form, "--api-key", KEY]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    offered = f"openai-insecure-api-key.{KEY.replace('/', '.').replace('=', '.')}"
    try:
        ready = server.stdout.readline()
        url = json.loads(ready)["realtime_url"]
        with connect(url, additional_headers={"api-key": KEY}) as socket:
            for what in ({"type": "session.update", "session": {"instructions": KEY}}, KEY):
                socket.send(json.dumps(what))
                socket.recv(timeout=30)
        for wrong in (
            {"additional_headers": {"api-key": f"wrong {KEY}"}},
            {"additional_headers": {"api-key": KEY}, "origin": "https://evil.example"},
            {"subprotocols": ["realtime", offered]},
        ):
            with pytest.raises(InvalidStatus):
                connect(f"{url}?api-key=not-{quote(KEY)}", **wrong)
    finally:
        server.send_signal(signal.SIGTERM)
        printed, told = server.communicate(timeout=30)
    haul.take("printed", ready + printed)
    haul.take("log", told)
    haul.check("session_opened" if form == "json" else "session opened", "refused")
