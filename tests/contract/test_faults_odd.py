"""Odd events, odd words and a speaker that fails: the row is kept, and the session goes on."""

from __future__ import annotations

import asyncio
import base64

import pytest
from scripted_endpoint import scripted
from survival import events

from rt_notebook.core.config import SessionConfig
from rt_notebook.core.tools import tool
from rt_notebook.errors import ConfigError, SessionClosedError
from rt_notebook.io.session.link import Link

TIMEOUT_S = 60


async def ask(session, text="Hello?"):
    async with asyncio.timeout(TIMEOUT_S):
        return await session.ask(text)


FAILED = {"status": "failed", "status_details": {"error": {"type": "x", "code": {"a": 1}}}}


@pytest.mark.parametrize(
    "odd",
    [
        {"type": "response.done", "response": ["x"]},
        {"type": "response.done", "response": {"id": "odd", "status": []}},
        {"type": "response.done", "response": {"id": "odd", "status": {}}},
        {"type": "response.done", "response": {"id": "odd", "conversation_id": "conv"} | FAILED},
        {"type": "session.created", "session": {"id": "sess_1", "expires_at": int("9" * 400)}},
        {"type": "error", "error": {"type": "server_error", "code": ["odd"], "message": "m"}},
        {"type": "response.output_audio.delta", "item_id": [], "response_id": {}, "delta": "AAAA"},
    ],
)
async def test_an_odd_event_is_kept_and_the_session_goes_on(odd):
    async def script(peer, event):
        if event is not None and event["type"] == "response.create":
            await peer.say(odd["type"], **{name: value for name, value in odd.items() if name != "type"})
        await peer.usual(event)

    async with scripted(script) as (session, peers):
        await session.connect()
        await ask(session)
        assert (await ask(session)).assistant == "Hello."
        assert len(peers) == 1
        assert sum(event.type == odd["type"] for event in session.log) > 1
        session.log.errors()
        session.log.explain()
        assert [e for e in events(session, "local.error") if "answer failed" not in e.data["message"]] == []


async def test_a_close_after_an_error_with_an_odd_code_is_a_goodbye():
    async def script(peer, event):
        if peer.number == 1 and event is not None and event["type"] == "response.create":
            await peer.say("error", error={"type": "server_error", "code": ["odd"], "message": "m"})
            await peer.socket.close(1000, "bye")
        else:
            await peer.usual(event)

    async with scripted(script) as (session, peers):
        await session.connect()
        with pytest.raises(SessionClosedError):
            await ask(session)
        assert (await ask(session)).assistant == "Hello."
        assert len(peers) == 2


async def test_what_fails_on_one_event_does_not_stop_the_reading(monkeypatch, caplog):
    take = Link.arrived

    def arrived(link, connection, event, audio):
        take(link, connection, event, audio)
        if event.type == "response.created":
            raise ZeroDivisionError

    monkeypatch.setattr(Link, "arrived", arrived)
    async with scripted() as (session, peers):
        await session.connect()
        assert (await ask(session)).assistant == "Hello."
        types = [event.type for event in session.log]
        assert types[types.index("local.error") - 1] == "response.created"
        assert "ZeroDivisionError" in caplog.text
        assert len(peers) == 1


async def test_what_cannot_be_written_is_left_out_and_told(monkeypatch, caplog):
    async with scripted() as (session, peers):
        await session.connect()
        session._runtime.call_soon(session._link.send, {"type": "odd.event", "said": object()})
        assert (await ask(session)).assistant == "Hello."
        assert "odd.event" in events(session, "local.error")[0].data["message"]
        assert "odd.event" not in {event["type"] for event in peers[0].received}


async def test_half_a_character_pair_is_sent_as_a_question_mark():
    async with scripted() as (session, peers):
        await session.connect()
        assert (await ask(session, "caf\udce9")).assistant == "Hello."
        (item,) = [event["item"] for event in peers[0].received if "item" in event]
        assert item["content"][0]["text"] == "caf?"


async def test_half_a_character_pair_in_a_tools_output_is_sent_as_a_question_mark():
    @tool(approve="never")
    def read() -> str:
        """Read a file."""
        raise FileNotFoundError("caf\udce9.txt")

    async def script(peer, event):
        if event is not None and event["type"] == "response.create" and peer.number_of(event["type"]) == 1:
            call = {"id": "call", "type": "function_call", "name": "read", "call_id": "c", "arguments": "{}"}
            await peer.answer(output=[call | {"status": "completed"}])
        else:
            await peer.usual(event)

    async with scripted(script, SessionConfig(tools=[read])) as (session, peers):
        await session.connect()
        assert (await ask(session)).assistant == "Hello."
        outputs = [e["item"]["output"] for e in peers[0].received if e.get("item", {}).get("output")]
        assert "caf?.txt" in outputs[0]


@pytest.mark.parametrize(
    "odd",
    [{"instructions": "caf\udce9"}, {"tools": [{"type": "function", "name": "f", "parameters": object()}]}],
)
async def test_settings_that_cannot_be_sent_are_refused_in_the_cell(odd):
    async with scripted() as (session, peers):
        with pytest.raises(ConfigError, match="cannot be sent"):
            type(session)(session.endpoint, SessionConfig(**odd))
        with pytest.raises(ConfigError, match="cannot be sent"):
            session.config = SessionConfig(**odd)
        await session.connect()
        with pytest.raises(ConfigError, match="cannot be sent"):
            await session.update(**odd)
        assert (await ask(session)).assistant == "Hello."
        assert len(peers) == 1


class BrokenSpeaker:
    """Whatever it is told to do fails."""

    def attach(self, report):
        pass

    def play(self, item_id, pcm):
        raise OSError("no sound device")

    def end(self, item_id):
        raise OSError("no sound device")

    def flush(self):
        raise OSError("no sound device")


async def test_a_speaker_that_fails_is_told_of_and_the_session_goes_on(caplog):
    async def script(peer, event):
        if event is not None and event["type"] == "response.create":
            where = {"response_id": "spoken", "item_id": "voice", "output_index": 0, "content_index": 0}
            await peer.say("response.created", response={"id": "spoken", "conversation_id": "conv"})
            delta = base64.b64encode(bytes(4800)).decode()
            await peer.say("response.output_audio.delta", **where, delta=delta)
            await peer.say("response.output_audio.done", **where)
            await peer.say("response.done", response={"id": "spoken", "status": "cancelled"})
        await peer.usual(event)

    async with scripted(script, speaker=BrokenSpeaker()) as (session, _):
        await session.connect()
        assert (await ask(session)).assistant is not None
        await session.interrupt()
        assert (await ask(session)).status == "completed"
        assert len(session.reply_audio("voice")) > 0
        await session.close()
    assert "no sound device" in caplog.text
