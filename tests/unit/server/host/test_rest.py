"""Requests for ephemeral keys: what is asked, what comes back, what is refused and how."""

from __future__ import annotations

import json
import random

import pytest

from rt_notebook.core.dialects import GA, PREVIEW
from rt_notebook.server.engine.ids import IdMaker
from rt_notebook.server.host.ephemeral_keys import EphemeralKeys
from rt_notebook.server.host.rest import cors_headers, make_key
from rt_notebook.server.host.routes import Refusal, Route

GA_SECRET = Route("client_secret", GA)
PREVIEW_SESSION = Route("session_object", PREVIEW)


def ask(route, body, keys=None, now_s=1000.0):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return make_key(route, data, keys or EphemeralKeys(), IdMaker(random.Random(1)), now_s)


def test_a_ga_client_secret():
    keys = EphemeralKeys()
    session = {"type": "realtime", "model": "mine", "instructions": "Be brief."}
    body = {"expires_after": {"anchor": "created_at", "seconds": 60}, "session": session}
    made = ask(GA_SECRET, body, keys)
    assert set(made) == {"value", "expires_at", "session"}
    assert made["value"].startswith("ek_")
    assert made["expires_at"] == 1060
    assert (made["session"]["model"], made["session"]["instructions"]) == ("mine", "Be brief.")
    assert made["session"]["audio"]["input"]["turn_detection"]["type"] == "server_vad"
    assert keys.settings_of(made["value"], 1059.0) == session


@pytest.mark.parametrize("body", [b"", {}, {"session": {"type": "realtime"}}, {"expires_after": None}])
def test_defaults(body):
    made = ask(GA_SECRET, body)
    assert made["expires_at"] == 1600
    assert made["session"]["type"] == "realtime"


def test_a_preview_session_object_is_flat_and_its_key_lives_a_minute():
    keys = EphemeralKeys()
    made = ask(PREVIEW_SESSION, {"model": "d", "voice": "echo", "turn_detection": None}, keys)
    assert (made["model"], made["voice"], made["turn_detection"]) == ("d", "echo", None)
    assert made["client_secret"]["expires_at"] == 1060
    assert "audio" not in made
    settings = keys.settings_of(made["client_secret"]["value"], 1000.0)
    assert settings["audio"] == {"input": {"turn_detection": None}, "output": {"voice": "echo"}}


def test_values_differ():
    assert len({ask(GA_SECRET, {})["value"] for _ in range(50)}) == 50


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        (b"{", "invalid_json", None),
        (b"\xff", "invalid_json", None),
        (b"[" * 100_000, "invalid_json", None),
        (b"[]", "invalid_type", None),
        ({"speed": 1}, "unknown_parameter", "speed"),
        ({"session": 1}, "invalid_type", "session"),
        ({"session": {}}, "missing_required_parameter", "session.type"),
        ({"session": {"type": "realtime", "colour": 1}}, "unknown_parameter", "session.colour"),
        ({"expires_after": {"seconds": 9}}, "invalid_value", "expires_after.seconds"),
        ({"expires_after": {"seconds": 7201}}, "invalid_value", "expires_after.seconds"),
        ({"expires_after": {"seconds": True}}, "invalid_value", "expires_after.seconds"),
        ({"expires_after": {"seconds": 60.5}}, "invalid_value", "expires_after.seconds"),
        ({"expires_after": {"anchor": "now"}}, "invalid_value", "expires_after"),
        ({"expires_after": 60}, "invalid_value", "expires_after"),
    ],
)
def test_what_is_wrong_is_told_at_once(body, code, param):
    keys = EphemeralKeys()
    refusal = ask(GA_SECRET, body, keys)
    assert isinstance(refusal, Refusal)
    assert refusal.status == 400
    error = refusal.body()["error"]
    assert (error["type"], error["code"], error["param"]) == ("invalid_request_error", code, param)
    assert not vars(keys)["_grants"]


def test_too_many_keys_is_a_rate_limit():
    keys = EphemeralKeys()
    for _ in range(1000):
        ask(GA_SECRET, {}, keys)
    refusal = ask(GA_SECRET, {}, keys)
    assert refusal.status == 429
    assert int(refusal.headers["Retry-After"]) > 0


def test_what_a_page_is_told_about_reading_answers():
    assert cors_headers({}) == {}
    plain = cors_headers({"Origin": "http://localhost:1"})
    assert plain == {"Access-Control-Allow-Origin": "http://localhost:1", "Vary": "Origin"}
    asked = {
        "Origin": "http://localhost:1",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,x-stainless-lang",
    }
    assert cors_headers(asked)["Access-Control-Allow-Headers"] == "authorization,x-stainless-lang"
