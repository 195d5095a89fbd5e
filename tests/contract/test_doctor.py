"""`rt-notebook doctor` finds what was put in the way, and its report can be given away."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import email.utils
import json
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
from typing import Self

import pytest

from rt_notebook.io.doctor.network import proxy_finding
from rt_notebook.io.doctor.settings import azure_findings, key_findings, url_findings
from rt_notebook.server.host.app import RealtimeServer

CANARY = "canary-0815-never-to-be-seen"
CLEAN = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith(("AZURE_", "OPENAI_")) and "proxy" not in name.lower()
}


def doctor(*arguments, environment=None, python=()):
    return subprocess.run(
        [sys.executable, *python, "-m", "rt_notebook", "doctor", *arguments],
        capture_output=True, text=True, check=False, timeout=120, env=CLEAN | (environment or {}),
    )  # fmt: skip


def findings(ended):
    told = json.loads(ended.stdout)
    assert (ended.returncode == 0) == told["ok"] == all(f["state"] != "problem" for f in told["findings"])
    assert ended.stderr == ""
    return {finding["check"]: finding for finding in told["findings"]}


class Listener:
    """Something on a port of this machine that answers every connection with the same bytes."""

    def __init__(self, answer: bytes, context: ssl.SSLContext | None = None) -> None:
        self.requests: list[bytes] = []
        self._answer, self._context = answer, context
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with contextlib.suppress(OSError):
                if self._context is not None:
                    connection = self._context.wrap_socket(connection, server_side=True)
                self.requests.append(connection.recv(65536))
                connection.sendall(self._answer)
                connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_) -> None:
        self._socket.close()


def http(status: str, *headers: str, body: str = "") -> bytes:
    lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "Connection: close", "", body]
    return "\r\n".join(lines).encode()


@pytest.fixture
def certificate(tmp_path):
    """A certificate that signed itself, for localhost."""
    x509 = pytest.importorskip("cryptography.x509")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "certificate.pem"
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    file.write_bytes(private + built.public_bytes(serialization.Encoding.PEM))
    return file


# -- settings ------------------------------------------------------------------------------------------------

AZURE = {
    "AZURE_OPENAI_ENDPOINT": "https://someone.openai.azure.com",
    "AZURE_OPENAI_DEPLOYMENT": "gpt-realtime",
}


@pytest.mark.parametrize(
    ("change", "check", "state", "words"),
    [
        ({}, "address", "ok", "someone.openai.azure.com"),
        ({"AZURE_OPENAI_ENDPOINT": ""}, "address", "problem", "No address"),
        ({"AZURE_OPENAI_ENDPOINT": "someone.openai.azure.com"}, "address", "problem", "lacks its https"),
        ({"AZURE_OPENAI_ENDPOINT": "http://someone.openai.azure.com"}, "address", "problem", "http://"),
        ({"AZURE_OPENAI_ENDPOINT": "https://ai.azure.com/x"}, "address", "problem", "managed"),
        ({"AZURE_OPENAI_ENDPOINT": "https://<name>.openai.azure.com"}, "address", "problem", "no name"),
        ({"AZURE_OPENAI_ENDPOINT": "https://a.openai.azure.com/openai/x"}, "address", "note", "left out"),
        ({"AZURE_OPENAI_ENDPOINT": "https://gateway.example.org"}, "address", "note", "gateway"),
        ({"AZURE_OPENAI_ENDPOINT": "https://a.azure.com?api-key=x"}, "address", "problem", "key or password"),
        ({"AZURE_OPENAI_DEPLOYMENT": ""}, "deployment", "problem", "No deployment"),
        ({"AZURE_OPENAI_DEPLOYMENT": " a"}, "deployment", "problem", "characters"),
        ({"AZURE_OPENAI_DEPLOYMENT": "a/b"}, "deployment", "problem", "characters"),
        ({}, "api-version", "ok", "GA path"),
        ({"OPENAI_API_VERSION": "2024-10-01-preview"}, "api-version", "note", "preview path"),
        ({"OPENAI_API_VERSION": "v1"}, "api-version", "problem", "no version"),
        ({"OPENAI_API_VERSION": "2024-06-01"}, "api-version", "problem", "older"),
    ],
)
def test_azure_settings(change, check, state, words):
    found = {finding.check: finding for finding in azure_findings(AZURE | change)}
    assert found[check].state == state
    assert words in found[check].said
    assert (found[check].remedy == "") == (state == "ok")


@pytest.mark.parametrize(
    ("key", "words"),
    [
        (f" {CANARY}", "blanks"),
        (f"{CANARY}\n", "line end"),
        (f'"{CANARY}"', "quotation"),
        ("a " + CANARY, "blanks"),
        (f"Bearer {CANARY}", "Bearer"),
        (f"https://{CANARY}", "address"),
        (CANARY + "ü", "letters"),
        ("", "No key"),
        ("<your-key>", "examples"),
    ],
)
def test_keys_that_cannot_be_right(key, words):
    (finding,) = key_findings(key, "OPENAI_API_KEY", needed=True, entra=False)
    assert finding.state == "problem"
    assert words in finding.said
    assert CANARY not in repr(finding)


@pytest.mark.parametrize(
    ("url", "state", "words"),
    [
        ("wss://a.example/v1/realtime?model=x", "ok", "a.example"),
        ("https://a.example/v1/realtime", "problem", "https://"),
        ("a.example/v1/realtime", "problem", "lacks"),
        (f"wss://a.example/v1/realtime?api-key={CANARY}", "problem", "key or password"),
        (f"wss://user:{CANARY}@a.example/v1/realtime", "problem", "key or password"),
        ("wss://a.example/", "note", "path"),
        ("wss://[/", "problem", "cannot be read"),
    ],
)
def test_addresses_of_servers(url, state, words):
    (finding,) = url_findings(url)
    assert finding.state == state
    assert words in finding.said
    assert CANARY not in repr(finding)


def test_a_proxys_password_is_not_shown():
    finding = proxy_finding(f"http://me:{CANARY}@proxy.example:3128")
    assert "proxy.example:3128" in finding.said
    assert CANARY not in repr(finding)


# -- the way there, each with a fault planted in it --------------------------------------------------------


def test_without_settings_it_says_which(tmp_path):
    found = findings(doctor("--endpoint", "azure", "--json", environment={"AZURE_OPENAI_ENDPOINT": "x"}))
    assert {check for check, finding in found.items() if finding["state"] == "problem"} >= {
        "address", "deployment",
    }  # fmt: skip
    assert "handshake" not in found


def test_a_name_that_nobody_has():
    found = findings(doctor("--endpoint", "wss://nowhere.invalid/v1/realtime", "--json"))
    assert found["name"]["state"] == "problem"
    assert "handshake" not in found


def test_a_port_where_nothing_listens():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    found = findings(doctor("--endpoint", f"ws://127.0.0.1:{port}/v1/realtime", "--json"))
    assert found["name"]["state"] == "ok"
    assert "cannot be reached" in found["connection"]["said"]


def test_a_certificate_that_is_not_trusted_and_one_that_is(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    answer = http("401 Unauthorized", f"Date: {email.utils.formatdate(usegmt=True)}")
    with Listener(answer, context) as listener:
        url = f"wss://localhost:{listener.port}/v1/realtime"
        found = findings(doctor("--endpoint", url, "--json", "--api-key", CANARY))
        assert "signed by itself" in found["certificate"]["said"]
        assert "SSL_CERT_FILE" in found["certificate"]["remedy"]
        assert "handshake" not in found
        trusted = {"SSL_CERT_FILE": str(certificate)}
        found = findings(doctor("--endpoint", url, "--json", environment=trusted))
        assert found["certificate"]["state"] == "ok"
        assert found["certificate"]["said"] == "It is valid and signed by localhost."
        assert "401" in found["handshake"]["said"]
        assert not [request for request in listener.requests if CANARY.encode() in request]


@pytest.mark.parametrize(
    ("status", "words", "remedy"),
    [
        ("401 Unauthorized", "refused the key", "Check the key"),
        ("404 Not Found", "no such deployment", "api-version"),
        ("429 Too Many Requests", "at its limit", "Wait"),
        ("500 Internal Server Error", "HTTP 500", "model"),
    ],
)
def test_each_status_is_told_with_its_meaning(status, words, remedy):
    said = json.dumps({"error": {"message": f"You said {CANARY}."}})
    with Listener(http(status, body=said)) as listener:
        url = f"ws://127.0.0.1:{listener.port}/v1/realtime"
        ended = doctor("--endpoint", url, "--api-key", CANARY, "--json")
    found = findings(ended)
    assert words in found["handshake"]["said"]
    assert remedy in found["handshake"]["remedy"]
    assert "typed turn" not in found
    assert CANARY not in ended.stdout
    assert "You said ***" in ended.stdout
    # The looks before the handshake took no key along.
    assert [CANARY.encode() in request for request in listener.requests] == [False, True]


@pytest.mark.parametrize(("off_s", "state"), [(0, "ok"), (-120, "note"), (3600, "problem")])
def test_a_clock_that_is_wrong(off_s, state):
    date = email.utils.formatdate(time.time() + off_s, usegmt=True)
    with Listener(http("401 Unauthorized", f"Date: {date}")) as listener:
        found = findings(doctor("--endpoint", f"ws://127.0.0.1:{listener.port}/v1/realtime", "--json"))
    assert found["clock"]["state"] == state
    assert ("behind" in found["clock"]["said"]) == (off_s > 0)


def test_a_proxy_that_refuses():
    with Listener(http("407 Proxy Authentication Required")) as listener:
        proxy = {"HTTPS_PROXY": f"http://me:{CANARY}@127.0.0.1:{listener.port}"}
        ended = doctor("--endpoint", "wss://nowhere.invalid/v1/realtime", "--json", environment=proxy)
    found = findings(ended)
    assert found["proxy"]["state"] == "note"
    assert f"127.0.0.1:{listener.port}" in found["proxy"]["said"]
    assert "name" not in found  # the proxy looks it up
    assert "407" in found["certificate"]["said"]
    assert CANARY not in ended.stdout


@pytest.mark.parametrize("python", [(), ("-X", "dev")])
def test_no_report_shows_the_key(certificate, python):
    """Every kind of failure, with everything that could be talkative turned on."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    loud = {
        "OPENAI_API_KEY": CANARY, "AZURE_OPENAI_API_KEY": CANARY, "WEBSOCKETS_MAX_LOG_SIZE": "100000",
        "PYTHONASYNCIODEBUG": "1", "PYTHONPATH": str(certificate.parent),
    } | AZURE  # fmt: skip
    # Everything logged at DEBUG goes to stderr.
    (certificate.parent / "sitecustomize.py").write_text(
        "import logging, http.client\n"
        "logging.basicConfig(level=logging.DEBUG)\n"
        "http.client.HTTPConnection.debuglevel = 1\n"
    )
    loud["PYTHONPATH"] += os.pathsep + os.pathsep.join(sys.path)
    body = json.dumps({"error": {"message": f"Incorrect API key provided: {CANARY}"}})
    with Listener(http("401 Unauthorized", body=body)) as plain, Listener(b"", context) as secure:
        targets = [
            ("azure",),
            (f"ws://127.0.0.1:{plain.port}/v1/realtime", "--api-key", CANARY),
            (f"wss://localhost:{secure.port}/v1/realtime", "--api-key", CANARY),
            ("wss://nowhere.invalid/v1/realtime", "--api-key", CANARY),
            (f"wss://nowhere.invalid/v1/realtime?api-key={CANARY}",),
            (f"mars-{CANARY}",),
        ]
        heard = ""
        for target in targets:
            ended = doctor("--endpoint", *target, environment=loud, python=python)
            assert ended.returncode == 1, ended.stderr
            assert "PROBLEM" in ended.stdout
            heard += ended.stdout + ended.stderr
            assert CANARY not in ended.stdout + ended.stderr
            assert "Traceback" not in ended.stderr
    assert "DEBUG:asyncio" in heard  # it was loud
    assert "send: b'HEAD" in heard


# -- and where all is well --------------------------------------------------------------------------------


@pytest.mark.speech
def test_the_local_endpoint_is_well(speech):
    found = findings(doctor("--endpoint", "local", "--json"))
    assert list(found) == [
        "program",
        "jupyter",
        "browser",
        "components",
        "dialect",
        "handshake",
        "typed turn",
    ]
    assert {finding["state"] for finding in found.values()} <= {"ok", "note"}


@pytest.mark.speech
async def test_a_served_endpoint_is_well_with_its_key_and_not_without(speech):
    server = RealtimeServer(reply="rules", api_key=CANARY)
    await server.start()
    url = f"{server.realtime_url}?model=local"
    try:
        ended = await asyncio.to_thread(doctor, "--endpoint", url, "--api-key", CANARY)
        assert ended.returncode == 0, ended.stdout
        assert "typed turn" in ended.stdout
        wrong = await asyncio.to_thread(doctor, "--endpoint", url, "--api-key", f"not-{CANARY}", "--json")
        assert "refused the key" in findings(wrong)["handshake"]["said"]
        assert CANARY not in ended.stdout + wrong.stdout
    finally:
        await server.stop()
