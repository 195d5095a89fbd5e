"""Who is let in: the matrix of keys, names, pages and methods, and the paths of both vendors."""

from __future__ import annotations

import pytest
from multidict import CIMultiDict

from rt_notebook.errors import ConfigError
from rt_notebook.io.secrets.secret import Secret
from rt_notebook.server.host.access import Access
from rt_notebook.server.host.ephemeral_keys import EphemeralKeys, KeysExhausted
from rt_notebook.server.host.routes import Refusal, Route
from rt_notebook.server.host.sites import Sites

KEY = Secret("right")


def ask(target="/v1/realtime?model=m", *, method="GET", sites=None, ephemeral=None, now_s=0.0, **headers):
    pairs = {"Host": "127.0.0.1:9", "Authorization": "Bearer right"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    access = Access(sites or Sites("127.0.0.1"), KEY, ephemeral or EphemeralKeys())
    given = CIMultiDict({name: value for name, value in pairs.items() if value is not None})
    return access.admit(method, target, given, now_s)


@pytest.mark.parametrize(
    ("target", "headers", "dialect", "model"),
    [
        ("/v1/realtime?model=m", {}, "ga", "m"),
        ("/v1/realtime", {"OpenAI_Beta": "realtime=v1"}, "preview", "local"),
        ("/v1/realtime?model=m", {"Authorization": "bearer  right "}, "ga", "m"),
        ("/openai/v1/realtime?model=d", {"api_key": "right", "Authorization": None}, "ga", "d"),
        ("/openai/realtime?api-version=2024-10-01-preview&deployment=d", {}, "preview", "d"),
        ("/openai/realtime?deployment=d&api-key=right", {"Authorization": None}, "preview", "d"),
        (
            "/openai/realtime?deployment=d&Authorization=Bearer%20right",
            {"Authorization": None},
            "preview",
            "d",
        ),
        ("/openai/realtime?deployment=d&Authorization=Bearer+right", {"Authorization": None}, "preview", "d"),
        (
            "/v1/realtime?model=m",
            {"Authorization": None, "Sec_WebSocket_Protocol": "realtime, openai-insecure-api-key.right"},
            "ga",
            "m",
        ),
        (
            "/v1/realtime?model=m",
            {"Authorization": None, "Sec_WebSocket_Protocol": "openai-insecure-api-key.right"},
            "ga",
            "m",
        ),
        (
            "/v1/realtime?model=m",
            {"Sec_WebSocket_Protocol": "realtime, openai-beta.realtime-v1"},
            "preview",
            "m",
        ),
    ],
)
def test_the_vendors_ways_in(target, headers, dialect, model):
    route = ask(target, **headers)
    assert isinstance(route, Route)
    assert (route.resource, route.dialect.name, route.model) == ("session", dialect, model)


@pytest.mark.parametrize(
    ("status", "target", "headers"),
    [
        (401, "/v1/realtime", {"Authorization": "Bearer wrong"}),
        (401, "/v1/realtime", {"Authorization": None}),
        (401, "/v1/realtime", {"Authorization": ""}),
        (401, "/v1/realtime", {"Authorization": "Bearer rightt"}),
        (401, "/v1/realtime", {"Authorization": "Bearer righ\udcff"}),
        (401, "/v1/realtime?api-key=%ff", {"Authorization": None}),
        (401, "/openai/v1/realtime?api-version=2024-10-01-preview", {}),
        (401, "/v1/realtime/client_secrets", {"Authorization": None}),
        (404, "/v2/realtime", {}),
        (404, "/openai/realtime?api-version=x", {}),
        (404, "/v1/realtime/calls", {}),
        (400, "//[", {}),
    ],
)
def test_who_stays_outside(status, target, headers):
    refusal = ask(target, **headers)
    assert isinstance(refusal, Refusal)
    assert refusal.status == status
    assert set(refusal.body()["error"]) == {"message", "type", "code", "param"}
    assert "righ" not in str(refusal.body())


LOOPBACK_PAGES = ["http://localhost:8888", "http://127.0.0.1:5000", "https://[::1]:8888", "http://LOCALHOST"]
OTHER_PAGES = [
    "null",
    "http://evil.example",
    "http://localhost.evil",
    "http://localhost.evil:8888",
    "http://127.0.0.1.evil.example",
    "http://localhost:8888.evil.example",
    "http://localhost:8888@evil.example",
    "http://evil.example@localhost",
    "http://localhost:evil",
    "http://localhost/",
    "file://localhost",
    "https://lab.example.org.evil",
    "https://lab.example.org:8443",
    "http://lab.example.org",
    "",
]


@pytest.mark.parametrize("key", ["right", "wrong", None])
@pytest.mark.parametrize("origin", [*LOOPBACK_PAGES, *OTHER_PAGES, "https://lab.example.org", None])
def test_pages_with_and_without_a_key(origin, key):
    sites = Sites("127.0.0.1", origins=["https://lab.example.org:443/"])
    given = ask(sites=sites, Origin=origin, Authorization=f"Bearer {key}" if key else None)
    if origin in OTHER_PAGES:
        assert given.status == 403, "a foreign page learns nothing about keys"
    elif key != "right":
        assert given.status == 401
    else:
        assert isinstance(given, Route)


def test_without_being_named_a_page_stays_outside():
    assert ask(Origin="https://lab.example.org").status == 403


def test_two_origins_are_both_looked_at():
    access = Access(Sites("127.0.0.1"), KEY, EphemeralKeys())
    headers = CIMultiDict({"Host": "localhost", "Authorization": "Bearer right"})
    headers.extend([("Origin", "http://localhost"), ("Origin", "http://evil.example")])
    assert access.admit("GET", "/v1/realtime", headers, 0.0).status == 403


@pytest.mark.parametrize(
    "host", ["127.0.0.1:9", "127.0.0.1", "localhost:1", "[::1]:9", "LocalHost", "127.9.9.9"]
)
def test_names_of_loopback(host):
    assert isinstance(ask(Host=host), Route)


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "localhost.evil:9", "192.168.1.5", "localhost@evil", "", None],
)
def test_other_names_are_refused(host):
    assert ask(Host=host).status == 403


@pytest.mark.parametrize(
    ("host", "answers"),
    [
        ("192.168.1.5:8000", True),
        ("[fe80::1]:8000", True),
        ("lab-server:8000", True),
        ("LAB-SERVER.local", True),
        ("proxy.example.org", True),
        ("localhost:8000", True),
        ("evil.example", False),
        ("lab-server.evil.example", False),
    ],
)
def test_a_server_in_the_network_answers_to_addresses_and_its_own_names(monkeypatch, host, answers):
    monkeypatch.setattr("socket.gethostname", lambda: "lab-server")
    monkeypatch.setattr("socket.getfqdn", lambda: "lab-server.lan")
    sites = Sites("0.0.0.0", names=["Proxy.example.org"])
    assert sites.answers_to(host) is answers


@pytest.mark.parametrize(
    "origin", ["*", "lab.example.org", "https://lab.example.org/path", "null", "https://"]
)
def test_what_is_no_origin_is_told_at_the_start(origin):
    with pytest.raises(ConfigError, match="Name it as the browser does"):
        Sites("127.0.0.1", origins=[origin])


def test_health_needs_no_key_but_the_right_name():
    assert ask("/health", Authorization=None).resource == "health"
    assert ask("/health", Authorization=None, Host="evil.example").status == 403


def test_a_browser_asks_in_advance_without_the_key():
    target = "/v1/realtime/client_secrets"
    asked = ask(target, method="OPTIONS", Authorization=None, Origin="http://localhost:8888")
    assert isinstance(asked, Route)
    assert ask(target, method="OPTIONS", Authorization=None, Origin="http://evil.example").status == 403


def test_an_ephemeral_key_opens_sessions_until_it_expires_and_nothing_else():
    keys = EphemeralKeys()
    key, expires_at = keys.make({"type": "realtime", "instructions": "x"}, 10, now_s=100.0)
    assert expires_at == 110
    bearer = {"Authorization": f"Bearer {key}", "ephemeral": keys}
    for _ in range(2):
        assert ask(now_s=109.9, **bearer).settings == {"type": "realtime", "instructions": "x"}
    assert ask(now_s=110.0, **bearer).status == 401
    assert ask("/v1/realtime/client_secrets", method="POST", now_s=101.0, **bearer).status == 401
    assert ask(now_s=101.0, Authorization=f"Bearer {key}x", ephemeral=keys).status == 401
    assert key not in repr(vars(keys))


def test_ephemeral_keys_are_bounded_and_expired_ones_make_room():
    keys = EphemeralKeys()
    for _ in range(1000):
        keys.make({}, 10, now_s=0.0)
    with pytest.raises(KeysExhausted):
        keys.make({}, 10, now_s=9.0)
    keys.make({}, 10, now_s=11.0)
