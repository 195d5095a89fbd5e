"""A session with the real local server: spoken, typed, interrupted, changed, closed; and ways to fail."""

from __future__ import annotations

import asyncio
import gc
import threading
import time

import numpy as np
import pytest

from rt_notebook.core.config import ServerVad, SessionConfig
from rt_notebook.errors import (
    AuthenticationError,
    ConfigError,
    ConnectError,
    EndpointNotFoundError,
    NoReplyError,
    ServerError,
    SessionClosedError,
)
from rt_notebook.io.audio.speakers import SilentSpeaker
from rt_notebook.io.endpoints.endpoint import Endpoint
from rt_notebook.io.session.session import Session
from rt_notebook.widgets.playground.playground import Playground

pytestmark = pytest.mark.speech


@pytest.fixture
async def session(speech):
    async with Session(config=SessionConfig(turn_detection=ServerVad(silence_duration_ms=300))) as session:
        yield session


async def test_a_spoken_turn(session, speech):
    turn = await session.ask(speech("What is the capital of France?"))
    assert "capital of france" in turn.user.lower()
    assert "paris" in turn.assistant.lower()
    assert (turn.kind, turn.status, turn.interrupted) == ("spoken", "completed", False)
    order = [
        turn.speech_end_s,
        turn.speech_stopped_s,
        turn.committed_s,
        turn.response_created_s,
        turn.first_audio_s,
    ]
    assert order == sorted(order)
    reply = session.reply_audio(turn.assistant_item_id)
    assert reply.size == round(turn.audio_ms * 24)
    assert np.abs(reply).max() > 0.05


@pytest.mark.parametrize("dialect", ["ga", "preview"])
async def test_a_typed_turn_in_each_dialect(speech, dialect):
    async with Session(Endpoint.local(dialect=dialect)) as session:
        turn = await session.ask("What is the capital of France?")
    assert "paris" in turn.assistant.lower()
    assert turn.kind == "typed"
    assert {event.type for event in session.log if not event.known} == set()


async def test_an_empty_message_is_answered_too(speech):
    async with Session() as session:
        turn = await session.ask("")
    assert turn.status == "completed"
    assert turn.assistant


async def test_an_interruption_cuts_the_item_at_what_was_heard(speech):
    speaker = SilentSpeaker()
    config = SessionConfig(turn_detection=ServerVad(silence_duration_ms=300))
    async with Session(config=config, speaker=speaker) as session:
        heard = asyncio.Event()
        loop = asyncio.get_running_loop()

        def watch(event):
            if event is not None and event.type == "local.playback" and event.data["state"] == "playing":
                loop.call_soon_threadsafe(heard.set)

        session.subscribe(watch)
        await session.send_text("Why is the sky blue?")
        async with asyncio.timeout(60):
            await heard.wait()
        await session.ask(speech("Stop, please. What is the capital of France?"))
        first, *_ = session.log.fold_turns()
    assert first.interrupted
    assert 0 < first.heard_ms < first.audio_ms
    cut = next(event for event in session.log if event.type == "conversation.item.truncate")
    assert cut.data["item_id"] == first.assistant_item_id
    assert cut.data["audio_end_ms"] == int(first.heard_ms)
    assert any(event.type == "conversation.item.truncated" for event in session.log)
    assert not any(event.type == "error" for event in session.log)


async def test_a_question_put_while_another_is_answered_gets_its_own_answer(session):
    first = asyncio.ensure_future(_asked(session, "Why is the sky blue?"))
    async with asyncio.timeout(60):
        async for event in session:
            if event.type == "response.created":
                break
    first.cancel()
    turn = await session.ask("What is the capital of France?")
    assert (turn.status, turn.turn) == ("completed", 2)
    assert "paris" in turn.assistant.lower()


async def _asked(session, text):
    return await session.ask(text)


async def test_an_update_is_acknowledged_and_acts(session):
    await session.update(threshold=0.7, silence_duration_ms=600, instructions="Be brief.")
    detection = session.info["audio"]["input"]["turn_detection"]
    assert (detection["threshold"], detection["silence_duration_ms"]) == (0.7, 600)
    assert session.info["instructions"] == "Be brief."
    assert session.config.turn_detection.threshold == 0.7


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("azure",), "A str is no Endpoint. Give one such as Endpoint.local()."),
        ((None, {}), 'A dict is no SessionConfig. Give one such as SessionConfig(voice="alloy").'),
    ],
)
@pytest.mark.parametrize("door", [Session, Playground])
def test_arguments_of_the_wrong_kind_are_refused(door, arguments, told):
    with pytest.raises(ConfigError) as caught:
        door(*arguments)
    assert str(caught.value) == told


async def test_a_bad_update_changes_nothing(session):
    with pytest.raises(ConfigError):
        await session.update(threshold=7)
    with pytest.raises(ConfigError):
        await session.update(volume=7)
    with pytest.raises(ServerError) as caught:
        await session.update(voice="alloy", tools=({"type": "function"},), output="text", instructions=5)
    assert caught.value.param == "session.instructions"
    assert session.config.output == "audio"
    assert session.state == "open"


async def test_silence_is_not_heard_and_says_so(session, monkeypatch):
    monkeypatch.setattr("rt_notebook.io.session.conversation.HEARING_TIMEOUT_S", 1.0)
    with pytest.raises(NoReplyError, match="No speech was heard"):
        await session.ask(np.zeros(12_000))
    assert session.state == "open"


async def test_iteration_ends_with_the_session(session):
    seen = []

    async def follow():
        async for event in session:
            seen.append(event.type)  # noqa: PERF401 - what came before the end counts, whatever ends it

    following = asyncio.create_task(follow())
    await asyncio.sleep(0)
    await session.update(instructions="x")
    await session.close()
    await asyncio.wait_for(following, 10)
    assert "session.updated" in seen
    assert seen[-1] == "local.closed"


async def test_a_loop_that_is_left_stops_listening(session):
    async def first():
        async for event in session:
            return event
        return None

    before = len(session._link.listeners)
    waiting = asyncio.create_task(first())
    await asyncio.sleep(0)
    assert len(session._link.listeners) == before + 1
    await session.update(instructions="x")
    assert await waiting is not None
    del waiting
    gc.collect()
    assert len(session._link.listeners) == before


async def test_a_listener_that_fails_does_not_end_the_session(session, caplog):
    def broken(event):
        raise RuntimeError("my own mistake")

    session.subscribe(broken)
    await session.update(instructions="x")
    assert session.state == "open"
    assert "my own mistake" in caplog.text


def test_blocking_twins_and_context_manager(speech):
    with Session() as session:
        assert "paris" in session.ask_blocking("What is the capital of France?").assistant.lower()
    session.close_blocking()
    session.close_blocking()
    assert session.state == "closed"
    with pytest.raises(SessionClosedError):
        session.send_text("anyone there?")
    assert len(session.log) > 5, "closing has lost the log"


def test_every_operation_has_a_blocking_twin():
    awaitable = {"connect", "ask", "speak", "send_text", "update", "interrupt", "close"}
    for name in awaitable:
        assert callable(getattr(Session, f"{name}_blocking")), name


def test_an_interruption_by_hand(speech):
    with Session(speaker=SilentSpeaker()) as session:
        session.send_text_blocking("Why is the sky blue?")
        for _ in range(600):
            if any(event.type == "local.playback" for event in session.log):
                break
            time.sleep(0.05)
        time.sleep(0.2)  # of an answer that was not heard at all, nothing is left to cut
        session.interrupt_blocking(30)
        session.update_blocking(instructions="Be brief.")
        cut = next(event for event in session.log if event.type == "conversation.item.truncate")
        assert cut.data["audio_end_ms"] == int(session.log.fold_turns()[0].heard_ms)
        session.interrupt_blocking(30)  # nothing to interrupt is no error
    assert session.log.fold_turns()[0].interrupted


def test_threads_do_not_pile_up(speech):
    before = set(threading.enumerate())
    for _ in range(3):
        with Session():
            pass
    for _ in range(100):
        left = [each for each in set(threading.enumerate()) - before if each.name == "rt_notebook session"]
        if not left:
            break
        time.sleep(0.05)
    assert left == []


async def refused(endpoint):
    session = Session(endpoint)
    with pytest.raises(ConnectError) as caught:
        await session.connect()
    assert session.state == "closed"
    return caught.value


async def test_connections_that_fail(speech, unused_tcp_port):
    address = await Endpoint.local().address()
    wrong_key = await refused(Endpoint.url(address.url, api_key="wrong"))
    assert isinstance(wrong_key, AuthenticationError)
    assert "Check the key" in wrong_key.remedy
    lost = await refused(Endpoint.url(address.url.replace("/v1/", "/v9/"), api_key="wrong"))
    assert isinstance(lost, EndpointNotFoundError)
    assert "deployment" in lost.remedy
    nobody = await refused(Endpoint.url(f"ws://127.0.0.1:{unused_tcp_port}/v1/realtime"))
    assert "cannot be reached" in nobody.problem


def test_a_temperature_needs_the_preview_dialect():
    with pytest.raises(ConfigError, match="GA dialect has no temperature"):
        Session(config=SessionConfig(temperature=0.8))
    Session(Endpoint.local(dialect="preview"), SessionConfig(temperature=0.8))
    session = Session()
    with pytest.raises(ConfigError, match="GA dialect has no temperature"):
        session.config = SessionConfig(temperature=0.8)
    assert session.config == SessionConfig()
