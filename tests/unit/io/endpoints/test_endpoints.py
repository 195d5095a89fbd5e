"""Endpoints: addresses and headers of every kind, the order of arguments and environment, wrong addresses."""

from __future__ import annotations

import pytest

from rt_notebook.errors import AuthenticationError, ConfigError
from rt_notebook.io.endpoints.endpoint import Endpoint

RESOURCE = "https://res.openai.azure.com"


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch):
    for name in ("AZURE_OPENAI_ENDPOINT", "AZURE_OPENAI_API_KEY", "AZURE_OPENAI_DEPLOYMENT"):
        monkeypatch.delenv(name, raising=False)
    for name in ("OPENAI_API_VERSION", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)


async def headers(endpoint):
    return {name: value.reveal() for name, value in (await endpoint.address()).headers.items()}


async def test_azure_ga():
    endpoint = Endpoint.azure(endpoint=RESOURCE + "/", deployment="my gpt", api_key="k")
    assert endpoint.dialect == "ga"
    assert (await endpoint.address()).url == "wss://res.openai.azure.com/openai/v1/realtime?model=my+gpt"
    assert await headers(endpoint) == {"api-key": "k"}


async def test_azure_preview():
    endpoint = Endpoint.azure(
        endpoint=RESOURCE, deployment="d", api_key="k", api_version="2024-10-01-preview"
    )
    assert endpoint.dialect == "preview"
    url = (await endpoint.address()).url
    assert url == "wss://res.openai.azure.com/openai/realtime?api-version=2024-10-01-preview&deployment=d"


async def test_arguments_come_before_the_environment(monkeypatch):
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", "https://env.openai.azure.com")
    monkeypatch.setenv("AZURE_OPENAI_DEPLOYMENT", "env")
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "envkey")
    assert "env.openai.azure.com/openai/v1/realtime?model=env" in (await Endpoint.azure().address()).url
    assert await headers(Endpoint.azure()) == {"api-key": "envkey"}
    chosen = Endpoint.azure(endpoint=RESOURCE, deployment="arg", api_key="argkey")
    assert "res.openai.azure.com/openai/v1/realtime?model=arg" in (await chosen.address()).url
    assert await headers(chosen) == {"api-key": "argkey"}
    monkeypatch.setenv("OPENAI_API_VERSION", "2025-04-01-preview")
    assert Endpoint.azure().dialect == "preview"


async def test_azure_with_a_credential():
    class Credential:
        def get_token(self, scope):
            assert scope == "https://cognitiveservices.azure.com/.default"
            return type("Token", (), {"token": "entra"})()

    endpoint = Endpoint.azure(endpoint=RESOURCE, deployment="d", credential=Credential())
    assert await headers(endpoint) == {"Authorization": "Bearer entra"}


class _ForAsyncio:
    async def get_token(self, *scopes):
        raise AssertionError


class _Empty:
    def get_token(self, *scopes):
        return None


@pytest.mark.parametrize("credential", [_ForAsyncio(), _Empty(), object()])
async def test_a_credential_that_gives_no_token_is_refused(credential):
    endpoint = Endpoint.azure(endpoint=RESOURCE, deployment="d", credential=credential)
    with pytest.raises(AuthenticationError):
        await endpoint.address()


async def test_openai(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    endpoint = Endpoint.openai(model="gpt-realtime-9")
    assert (await endpoint.address()).url == "wss://api.openai.com/v1/realtime?model=gpt-realtime-9"
    assert await headers(endpoint) == {"Authorization": "Bearer k"}


async def test_any_server():
    assert await headers(Endpoint.url("ws://localhost:1/v1/realtime", api_key="k")) == {
        "Authorization": "Bearer k"
    }
    preview = Endpoint.url("ws://127.0.0.1:1/openai/realtime?api-version=x&deployment=d", api_key="k")
    assert preview.dialect == "preview"
    assert await headers(preview) == {"api-key": "k"}
    beta = Endpoint.url("ws://127.0.0.1:1/v1/realtime", api_key="k", dialect="preview")
    assert (await headers(beta))["OpenAI-Beta"] == "realtime=v1"


@pytest.mark.parametrize(
    ("make", "remedy"),
    [
        (Endpoint.azure, "AZURE_OPENAI_ENDPOINT"),
        (lambda: Endpoint.azure(endpoint=RESOURCE), "AZURE_OPENAI_DEPLOYMENT"),
        (lambda: Endpoint.azure(endpoint="res", deployment="d"), "https://NAME.openai.azure.com"),
        (lambda: Endpoint.azure(endpoint="http://res.example", deployment="d"), "https://"),
        (Endpoint.openai, "OPENAI_API_KEY"),
        (
            lambda: Endpoint.url("https://res.openai.azure.com/openai/v1/realtime"),
            "wss://res.openai.azure.com",
        ),
        (lambda: Endpoint.url("res.openai.azure.com"), "ws://127.0.0.1"),
        (lambda: Endpoint.url("ws://10.0.0.1/v1/realtime"), "insecure=True"),
        (lambda: Endpoint.url("ws://127.0.0.1:99999/v1/realtime"), "port"),
        (lambda: Endpoint.url("ws://127.0.0.1:abc/v1/realtime"), "port"),
        (lambda: Endpoint.url("ws://[::1/v1/realtime"), "brackets"),
        (lambda: Endpoint.url("wss://a..b/v1/realtime"), "name"),
        (lambda: Endpoint.azure(endpoint="https://.openai.azure.com", deployment="d"), "name"),
        (lambda: Endpoint.azure(endpoint="https://my..res.openai.azure.com", deployment="d"), "name"),
        (lambda: Endpoint.azure(endpoint=f"https://{'a' * 70}.example", deployment="d"), "name"),
    ],
)
def test_a_wrong_address_is_refused_with_a_remedy(make, remedy):
    with pytest.raises(ConfigError) as caught:
        make()
    assert remedy in caught.value.remedy


@pytest.mark.parametrize("make", [Endpoint.local, lambda dialect: Endpoint.url("wss://a", dialect=dialect)])
def test_an_unknown_dialect_is_refused_where_it_is_written(make):
    with pytest.raises(ConfigError, match=r"'beta' is unknown.*ga, preview"):
        make(dialect="beta")


KEY = "sk-" + "a1" * 16


@pytest.mark.parametrize(
    "make",
    [
        lambda: Endpoint.url(f"wss://{KEY}@a.example/v1/realtime"),
        lambda: Endpoint.url(f"wss://:{KEY}@a.example/v1/realtime"),
        lambda: Endpoint.url(f"wss://a.example/v1/realtime?model=m&subscription-key={KEY}"),
        lambda: Endpoint.url(f"wss://a.example/v1/realtime?Ocp-Apim-Subscription-Key={KEY}"),
        lambda: Endpoint.azure(endpoint=f"https://{KEY}@a.example", deployment="d", api_key="k"),
    ],
)
def test_a_key_in_an_address_is_refused_and_not_told(make):
    with pytest.raises(ConfigError, match="key or password") as caught:
        make()
    assert KEY not in str(caught.value)
    assert "api_key=" in caught.value.remedy
