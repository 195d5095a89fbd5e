"""`rt-notebook doctor` finds what was put in the way, and its report can be given away."""

from __future__ import annotations

import asyncio
import email.utils
import json
import os
import socket
import subprocess
import sys
import time

import pytest
from certificates import server_context, signed_by_itself
from loopback import Listener, http

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


@pytest.fixture
def certificate(tmp_path):
    """A certificate that signed itself, for localhost."""
    return signed_by_itself(tmp_path)


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
        ({"AZURE_OPENAI_ENDPOINT": "https://[::1"}, "address", "problem", "cannot be read"),
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


@pytest.mark.parametrize(
    "proxy", ["http://127.0.0.1:99999", f"http://me:{CANARY}/x@proxy.example", "http://[::1"]
)
def test_a_proxy_without_a_usable_address_is_a_problem(proxy):
    finding = proxy_finding(proxy)
    assert (finding.state, "no usable address" in finding.said) == ("problem", True)
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
    context = server_context(certificate)
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
