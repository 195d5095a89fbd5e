"""A chat endpoint that the user names, over a real socket: text, calls, limits, and leaving early."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from rt_notebook.errors import ConfigError, ConnectError, RefusedError, ServerError
from rt_notebook.server.components import chat_endpoint
from rt_notebook.server.components.chat_endpoint import ChatEndpointReplier
from rt_notebook.server.components.reply_pieces import CallPiece, LimitReached
from rt_notebook.server.engine.effects import FunctionCall, MakeReply, Message, Tool

WEATHER = Tool(
    "get_weather", "Get the weather.", {"type": "object", "properties": {"city": {"type": "string"}}}
)


@contextmanager
def endpoint(*deltas, finish="stop", hold=None):
    """Serve these deltas as chat endpoints do, and keep the requests; `hold` delays all but the first."""
    requests = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            requests.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()
            for delta in deltas:
                self.chunk({"choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
                if hold is not None:
                    hold.wait()
            self.chunk({"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
            self.wfile.write(b'data: {"choices": [], "usage": {}}\n\ndata: [DONE]\n\n')

        def chunk(self, chunk):
            self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
            self.wfile.flush()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield ChatEndpointReplier(f"http://127.0.0.1:{server.server_port}/v1/", "llama"), requests
    finally:
        server.shutdown()
        server.server_close()


def ask(replier, messages, **more):
    return list(replier.reply(MakeReply("resp_1", messages, **more), lambda: False))


HELLO = [Message("system", "Be kind."), Message("user", "hello")]


def test_text_comes_piece_by_piece():
    with endpoint({"role": "assistant", "content": None}, {"content": "Good "}, {"content": "day"}) as served:
        replier, requests = served
        assert ask(replier, HELLO, temperature=0.5, max_tokens=9) == ["Good ", "day"]
    assert requests == [
        {
            "model": "llama",
            "messages": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "hello"}],
            "stream": True,
            "temperature": 0.5,
            "max_tokens": 9,
        }
    ]


def piece(index, arguments, name=None, call_id=None):
    function = {"arguments": arguments} | ({"name": name} if name else {})
    return {"tool_calls": [{"index": index, "function": function} | ({"id": call_id} if call_id else {})]}


def test_function_calls_come_in_pieces():
    deltas = [
        piece(0, "", "get_weather", "call_a"),
        piece(0, '{"city": '),
        piece(0, '"Rome"}'),
        piece(1, "{}", "get_time", "call_b"),
    ]
    with endpoint({"content": "Let me see."}, *deltas, finish="tool_calls") as (replier, requests):
        found = ask(replier, HELLO, tools=(WEATHER,), tool_choice="get_weather")
    assert found == [
        "Let me see.",
        CallPiece("get_weather", ""),
        CallPiece("", '{"city": '),
        CallPiece("", '"Rome"}'),
        CallPiece("get_time", "{}"),
    ]
    assert requests[0]["tools"] == [
        {
            "type": "function",
            "function": {
                "name": "get_weather",
                "description": "Get the weather.",
                "parameters": WEATHER.parameters,
            },
        }
    ]
    assert requests[0]["tool_choice"] == {"type": "function", "function": {"name": "get_weather"}}


@pytest.mark.parametrize("indices", [(0, 1, 0, 1), (0, 1, 1, 0)])
def test_calls_that_come_interleaved_are_put_in_order(indices):
    begun = set()
    deltas = []
    for at, index in enumerate(indices):
        deltas.append(piece(index, str(at), None if index in begun else f"f{index}", f"call_{index}"))
        begun.add(index)
    with endpoint(*deltas) as (replier, _):
        found = ask(replier, HELLO, tools=(WEATHER,))
    names = [part.name for part in found if part.name]
    assert names == ["f0", "f1"]
    second = next(at for at, part in enumerate(found) if part.name == "f1")
    for index, parts in enumerate((found[:second], found[second:])):
        wanted = "".join(str(at) for at, one in enumerate(indices) if one == index)
        assert "".join(part.arguments for part in parts) == wanted


def test_servers_that_number_every_call_0():
    with endpoint(piece(0, "{}", "one", "call_a"), piece(0, "{}", "two", "call_b")) as (replier, _):
        assert ask(replier, HELLO, tools=(WEATHER,)) == [CallPiece("one", "{}"), CallPiece("two", "{}")]


def test_calls_and_outputs_of_the_conversation_are_sent_along():
    messages = [
        Message("user", "Weather and time?"),
        Message("assistant", "", call=FunctionCall("call_a", "get_weather", '{"city": "Rome"}')),
        Message("assistant", "", call=FunctionCall("call_b", "get_time", "{}")),
        Message("tool", "12 degrees", call_id="call_a"),
        Message("tool", "9:05", call_id="call_b"),
    ]
    with endpoint({"content": "It is."}) as (replier, requests):
        assert ask(replier, messages, tools=(WEATHER,)) == ["It is."]
    assert requests[0]["tool_choice"] == "auto"
    user, calls, *outputs = requests[0]["messages"]
    assert user == {"role": "user", "content": "Weather and time?"}
    assert [(call["id"], call["function"]["name"]) for call in calls["tool_calls"]] == [
        ("call_a", "get_weather"),
        ("call_b", "get_time"),
    ]
    assert outputs == [
        {"role": "tool", "tool_call_id": "call_a", "content": "12 degrees"},
        {"role": "tool", "tool_call_id": "call_b", "content": "9:05"},
    ]


def test_a_limit_is_told():
    with endpoint({"content": "Good "}, finish="length") as (replier, _):
        assert ask(replier, HELLO, max_tokens=1) == ["Good ", LimitReached()]


@contextmanager
def answering(status, body):
    """Serve one body, whatever is asked."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield ChatEndpointReplier(f"http://127.0.0.1:{server.server_port}/v1", None)
        server.shutdown()


def test_an_error_in_the_stream_is_raised():
    with (
        answering(200, b'data: {"error": {"message": "out of memory"}}\n\n') as replier,
        pytest.raises(ServerError, match=r"/v1 gave up: out of memory\. Look"),
    ):
        ask(replier, HELLO)


def test_an_endpoint_that_is_not_there_is_told_with_its_address():
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/v1"
    with pytest.raises(ConnectError) as caught:
        ask(ChatEndpointReplier(url, None), HELLO)
    assert caught.value.problem == f"{url} cannot be reached (Connection refused)."
    assert caught.value.remedy == "Start the chat endpoint, or check chat_url and chat_model."


def test_an_endpoint_that_falls_silent_is_told(monkeypatch):
    monkeypatch.setattr(chat_endpoint, "_TIMEOUT_S", 0.05)
    hold = threading.Event()
    with endpoint({"content": "one"}, hold=hold) as (replier, _):
        with pytest.raises(ConnectError, match="timed out"):
            ask(replier, HELLO)
        hold.set()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            b'{"error": {"message": "model \'x\' not found,\\n try pulling it first."}}',
            ": model 'x' not found, try pulling it first.",
        ),
        (b'{"error": "no such model"}', ": no such model."),
        (b"<html>404</html>", "."),
        (b"[]", "."),
    ],
)
def test_a_refusal_is_told_in_the_words_of_the_endpoint(body, said):
    with answering(404, body) as replier, pytest.raises(RefusedError) as caught:
        ask(replier, HELLO)
    assert caught.value.problem.endswith(f"/v1 refuses with 404 Not Found{said}")
    assert caught.value.status == 404


@pytest.mark.parametrize("body", [b"data: {broken\n\n", b"data: 5\n\n", b"<html>A web page</html>", b""])
def test_what_is_no_chat_endpoint_is_told(body):
    with answering(200, body) as replier, pytest.raises(ConnectError, match="as chat endpoints do"):
        ask(replier, HELLO)


def test_a_silent_endpoint_holds_nobody_who_wants_to_leave():
    hold, said = threading.Event(), []
    with endpoint({"content": "one"}, {"content": "two"}, hold=hold) as (replier, _):
        for part in replier.reply(MakeReply("resp_1", HELLO), lambda: bool(said)):
            said.append(part)  # noqa: PERF402 - it is looked at while it grows
        hold.set()
    assert said == ["one"]


@pytest.mark.parametrize("address", ["file:///etc/passwd", "http://", "https:///v1"])
def test_a_chat_endpoint_is_an_address_of_the_web(address):
    with pytest.raises(ConfigError) as caught:
        ChatEndpointReplier(address, None)
    assert "http://" in caught.value.remedy


@pytest.mark.parametrize("secret", ["me:hush-hush@", "hush-hush@", ":hush-hush@"])
def test_an_address_with_a_secret_is_refused_and_not_told(secret):
    with pytest.raises(ConfigError, match="key or password") as caught:
        ChatEndpointReplier(f"http://{secret}127.0.0.1:9/v1", "llama")
    assert "hush" not in str(caught.value)


def test_a_chat_endpoint_is_named_by_its_model_and_its_host_alone():
    assert ChatEndpointReplier("http://models.example:11434/hush-hush/v1", "llama").name == (
        "llama at models.example"
    )
