"""Who is let in: the matrix of keys, hosts and origins, and the paths of both vendors."""

from __future__ import annotations

import pytest
from websockets.datastructures import Headers

from rt_notebook.io.secret import Secret
from rt_notebook.server.access import Refusal, Route, admit

KEY = Secret("right")


def ask(target="/v1/realtime?model=m", **headers):
    pairs = {"Host": "127.0.0.1:9", "Authorization": "Bearer right"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    return admit(target, Headers({name: value for name, value in pairs.items() if value is not None}), KEY)


@pytest.mark.parametrize(
    ("target", "headers", "dialect", "model"),
    [
        ("/v1/realtime?model=m", {}, "ga", "m"),
        ("/v1/realtime", {"OpenAI_Beta": "realtime=v1"}, "preview", "local"),
        ("/openai/v1/realtime?model=d", {"api_key": "right", "Authorization": None}, "ga", "d"),
        ("/openai/realtime?api-version=2024-10-01-preview&deployment=d", {}, "preview", "d"),
        ("/openai/realtime?deployment=d&api-key=right", {"Authorization": None}, "preview", "d"),
        (
            "/v1/realtime?model=m",
            {"Authorization": None, "Sec_WebSocket_Protocol": "realtime, openai-insecure-api-key.right"},
            "ga",
            "m",
        ),
    ],
)
def test_the_vendors_ways_in(target, headers, dialect, model):
    route = ask(target, **headers)
    assert isinstance(route, Route)
    assert (route.dialect.name, route.model) == (dialect, model)


@pytest.mark.parametrize(
    ("status", "target", "headers"),
    [
        (401, "/v1/realtime", {"Authorization": "Bearer wrong"}),
        (401, "/v1/realtime", {"Authorization": None}),
        (401, "/v1/realtime", {"Authorization": "Bearer rightt"}),
        (401, "/openai/v1/realtime?api-version=2024-10-01-preview", {}),
        (404, "/v2/realtime", {}),
        (404, "/openai/realtime?api-version=x", {}),
        (403, "/v1/realtime", {"Host": "evil.example"}),
        (403, "/v1/realtime", {"Host": "127.0.0.1.evil.example"}),
        (403, "/v1/realtime", {"Origin": "http://evil.example"}),
        (403, "/v1/realtime", {"Origin": "http://localhost.evil.example"}),
        (403, "/v1/realtime", {"Origin": "null"}),
    ],
)
def test_who_stays_outside(status, target, headers):
    refusal = ask(target, **headers)
    assert isinstance(refusal, Refusal)
    assert refusal.status == status
    assert "right" not in refusal.message


@pytest.mark.parametrize("origin", ["http://localhost:8888", "http://127.0.0.1:5000", "http://[::1]:8888"])
def test_pages_on_loopback_with_the_key_may_come(origin):
    assert isinstance(ask(Origin=origin), Route)
