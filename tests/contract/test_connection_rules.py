"""The rules of connecting to `rt-notebook serve`: paths, keys, subprotocols, ephemeral keys, the end."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request

import pytest
from openai.types.beta.realtime import SessionCreateResponse
from openai.types.realtime import ClientSecretCreateResponse
from served import serving
from strict_models import problems
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

pytestmark = pytest.mark.speech
VERSION = "api-version=2025-04-01-preview"
BETA = {"OpenAI-Beta": "realtime=v1"}


@pytest.fixture(scope="module")
def served(speech):
    with serving("--reply", "rules", "--session-minutes", "0.2") as ready:
        yield ready


def keyed(served, **more):
    return {"api-key": served["api_key"]} | more


def address(served, path):
    return served["azure_endpoint"].replace("http", "ws", 1) + path


async def first_event(served, path, headers=None, **options):
    """The first event of a session, and the subprotocol that was chosen."""
    headers = keyed(served) if headers is None else headers
    async with connect(address(served, path), additional_headers=headers, **options) as socket:
        return json.loads(await asyncio.wait_for(socket.recv(), 30)), socket.subprotocol


async def status_of(served, path, headers):
    with pytest.raises(InvalidStatus) as refused:
        await first_event(served, path, headers)
    return refused.value.response.status_code


def post(served, path, body, key=None):
    request = urllib.request.Request(
        served["azure_endpoint"] + path,
        json.dumps(body).encode(),
        {"Authorization": f"Bearer {key or served['api_key']}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


@pytest.mark.parametrize(
    ("path", "headers", "dialect"),
    [
        ("/v1/realtime?model=any", {}, "ga"),
        ("/v1/realtime?model=any", BETA, "preview"),
    ],
)
@pytest.mark.conformance("rule/connection.path-openai", "rule/connection.any-model")
async def test_openais_path(served, path, headers, dialect):
    event, _ = await first_event(served, path, keyed(served, **headers))
    assert event["type"] == "session.created"
    assert problems(event, dialect) == []
    assert ("modalities" in event["session"]) == (dialect == "preview")
    assert event["session"]["model"] == "any"


@pytest.mark.parametrize(
    ("path", "dialect"),
    [
        ("/openai/v1/realtime?model=any", "ga"),
        (f"/openai/realtime?deployment=any&{VERSION}", "preview"),
        (f"/voice-live/realtime?model=any&{VERSION}", "preview"),
    ],
)
@pytest.mark.conformance("rule/connection.path-azure", "rule/connection.any-model")
async def test_azures_paths(served, path, dialect):
    event, _ = await first_event(served, path)
    assert event["type"] == "session.created"
    assert problems(event, dialect) == []
    assert ("modalities" in event["session"]) == (dialect == "preview")
    assert event["session"]["model"] == "any"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"/openai/v1/realtime?model=any&{VERSION}", 401),
        (f"/openai/realtime?{VERSION}", 404),
        ("/v2/realtime", 404),
        ("/", 404),
    ],
)
@pytest.mark.conformance("rule/connection.path-refused")
async def test_other_paths_are_refused(served, path, status):
    assert await status_of(served, path, keyed(served)) == status


@pytest.mark.conformance("rule/connection.key")
async def test_the_key_may_come_in_four_places(served):
    key, path = served["api_key"], "/v1/realtime?model=any"
    for headers in ({"api-key": key}, {"Authorization": f"Bearer {key}"}):
        assert (await first_event(served, path, headers))[0]["type"] == "session.created"
    assert (await first_event(served, f"{path}&api-key={key}", {}))[0]["type"] == "session.created"
    offered = ["realtime", f"openai-insecure-api-key.{key}"]
    assert (await first_event(served, path, {}, subprotocols=offered))[0]["type"] == "session.created"
    for headers in ({}, {"api-key": "wrong"}, {"Authorization": "Bearer wrong"}, {"Authorization": key[:-1]}):
        assert await status_of(served, path, headers) == 401


@pytest.mark.conformance("rule/connection.subprotocol", "rule/connection.path-openai")
async def test_subprotocols(served):
    path = "/v1/realtime?model=any"
    assert (await first_event(served, path))[1] is None
    offered = ["realtime", f"openai-insecure-api-key.{served['api_key']}", "openai-beta.realtime-v1"]
    event, chosen = await first_event(served, path, {}, subprotocols=offered)
    assert chosen == "realtime"
    assert problems(event, "preview") == []
    assert "modalities" in event["session"]


@pytest.mark.parametrize("path", ["/v1/realtime", "/openai/v1/realtime"])
@pytest.mark.conformance("rule/connection.ephemeral-ga")
async def test_an_ephemeral_key_opens_sessions(served, path):
    session = {"type": "realtime", "instructions": "Be brief.", "output_modalities": ["text"]}
    made = post(served, f"{path}/client_secrets", {"session": session})
    ClientSecretCreateResponse.model_validate_json(json.dumps(made), strict=True)
    assert made["value"].startswith("ek_")
    assert made["session"]["instructions"] == "Be brief."
    bearer = {"Authorization": f"Bearer {made['value']}"}
    bearer = {"Authorization": f"Bearer {made['value']}"}
    for _ in range(2):
        event, _ = await first_event(served, f"{path}?model=any", bearer)
        assert event["session"]["output_modalities"] == ["text"]
        assert event["session"]["instructions"] == "Be brief."
    with pytest.raises(urllib.error.HTTPError) as refused:
        post(served, f"{path}/client_secrets", {}, key=made["value"])
    assert refused.value.code == 401


@pytest.mark.parametrize("path", ["/v1/realtime/sessions", f"/openai/realtimeapi/sessions?{VERSION}"])
@pytest.mark.conformance("rule/connection.ephemeral-preview")
async def test_a_preview_session_comes_with_its_key(served, path):
    made = post(served, path, {"model": "any", "voice": "alloy", "modalities": ["text"]})
    SessionCreateResponse.model_validate_json(json.dumps(made), strict=True)
    assert made["modalities"] == ["text"]
    headers = {"Authorization": f"Bearer {made['client_secret']['value']}"} | BETA
    event, _ = await first_event(served, "/v1/realtime?model=any", headers)
    assert event["session"]["modalities"] == ["text"]


@pytest.mark.conformance("rule/connection.expiry")
async def test_a_session_ends_when_its_time_is_over(served):
    url = address(served, "/v1/realtime?model=any")
    async with connect(url, additional_headers=keyed(served)) as socket:
        frames = [json.loads(frame) async for frame in socket]
    created, error = frames
    assert error["error"]["code"] == "session_expired"
    assert "maximum duration" in error["error"]["message"]
    assert problems(error, "ga") == []
    assert (socket.close_code, socket.close_reason) == (1001, error["error"]["message"])
    assert isinstance(created["session"]["expires_at"], int)
