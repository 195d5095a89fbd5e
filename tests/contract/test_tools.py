"""Tools in a real session with the real server: allowed, run, told, and all that can go wrong."""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
import threading
import time
from contextlib import asynccontextmanager

import pytest
from chaos_proxy import chaos
from hosting import hosting
from survival import QUICK, TIMEOUT_S, asked, check_whole, endpoint_of, events, happens

from rt_notebook.core.config import SessionConfig
from rt_notebook.core.tools import tool
from rt_notebook.errors import SessionClosedError
from rt_notebook.io.endpoints.endpoint import Endpoint
from rt_notebook.io.session.session import Session
from rt_notebook.server.components.load import load_components
from rt_notebook.server.components.reply_pieces import CallPiece

PARIS = '{"city": "Paris"}'
GO_ON = None


class Scripted:
    """A model that wants what the test says, and then tells what it was told."""

    name = "scripted"
    needs_words = True

    def __init__(self, *wanted):
        self._wanted = [list(calls) for calls in wanted]

    def reply(self, work, cancelled):
        if work.messages[-1].role == "tool":
            told = itertools.takewhile(lambda message: message.role == "tool", reversed(work.messages))
            yield "I was told: " + " & ".join(reversed([message.text for message in told]))
        elif self._wanted:
            for call in self._wanted.pop(0):
                if call is not GO_ON:
                    yield CallPiece(*call)
                while call is GO_ON and not cancelled():
                    yield "and on "
                    time.sleep(0.01)
        else:
            yield "Nothing to do."


class Weather:
    """A tool that keeps an account of its runs, and waits to be let go where it is told to."""

    def __init__(self, **options):
        self.cities = []
        self.began = threading.Event()
        self.go = threading.Event()

        @tool(**{"approve": "never"} | options)
        def get_weather(city: str) -> str:
            """Tell the weather in a city."""
            self.cities.append(city)
            self.began.set()
            if city == "Nowhere":
                assert self.go.wait(TIMEOUT_S)
            return f"rain in {city}"

        self.tool = get_weather


@asynccontextmanager
async def calling(monkeypatch, tools, *wanted, faults=(), strikes=None, **options):
    """A session whose model wants these calls, one list a response."""

    def load(*args):
        return dataclasses.replace(load_components(reply="rules"), replier=Scripted(*wanted))

    monkeypatch.setattr("rt_notebook.server.host.app.load_components", load)
    config = SessionConfig(output="text", tools=[getattr(one, "tool", one) for one in tools])
    async with hosting(faults=faults) as server, chaos(server.port, *(strikes or ())) as proxy:
        session = Session(endpoint_of(server, proxy.port), config, reconnect=QUICK, **options)
        try:
            yield await session.connect()
        finally:
            await session.close()


def states(session):
    return [event.data["state"] for event in events(session, "local.tool_call")]


def outputs(session):
    items = [event.data["item"] for event in events(session, "conversation.item.create")]
    return [item["output"] for item in items if item["type"] == "function_call_output"]


@pytest.mark.speech
@pytest.mark.parametrize("dialect", ["ga", "preview"])
async def test_a_question_is_answered_by_a_function(speech, dialect):
    weather = Weather()
    async with Session(Endpoint.local(dialect=dialect), SessionConfig(tools=[weather.tool])) as session:
        turn = await session.ask(speech("What is the weather in Paris?"))
        assert weather.cities == ["Paris"]
        assert "rain" in turn.assistant.lower()
        assert (turn.turn, turn.status) == (1, "completed")
        assert states(session) == ["running", "done"]
        assert not events(session, "error")
        assert {event.type for event in session.log if not event.known} == set()


async def test_outputs_go_once_and_the_answer_is_asked_for_once_after_them(monkeypatch):
    weather = Weather()
    wanted = [("get_weather", PARIS), ("get_weather", '{"city": "Rome"}')]
    async with calling(monkeypatch, [weather], wanted) as session:
        turn = await session.ask("Both, please.")
        assert sorted(weather.cities) == ["Paris", "Rome"]
        assert sorted(outputs(session)) == ["rain in Paris", "rain in Rome"]
        assert "rain in Paris" in turn.assistant
        assert "rain in Rome" in turn.assistant
        order = [event.type for event in session.log if event.type in {"response.create", "response.done"}]
        assert order == ["response.create", "response.done"] * 2
        last_output = events(session, "conversation.item.create")[-1].t_s
        assert (
            events(session, "response.create")[-1].t_s > last_output > events(session, "response.done")[0].t_s
        )


async def test_calls_that_cannot_run_are_told_to_the_model(monkeypatch):
    weather = Weather()
    huge = '{"city": "' + "x" * 5_000_000 + '"}'
    wanted = [
        ("format_disk", "{}"),
        ("get_weather", '{"city": 3}'),
        ("get_weather", huge),
        ("get_weather", PARIS),
    ]
    async with calling(monkeypatch, [weather], wanted) as session:
        await session.ask("Go.")
        assert weather.cities == ["Paris"]
        unknown, wrong, long, right = outputs(session)
        assert "no tool named 'format_disk'" in unknown
        assert "Expected `str`, got `int`" in wrong
        assert "too long" in long
        assert right == "rain in Paris"
        assert len(events(session, "response.create")) == 2


async def test_events_that_come_twice_run_nothing_twice(monkeypatch):
    weather = Weather()
    async with calling(monkeypatch, [weather], [("get_weather", PARIS)], faults=["duplicate"]) as session:
        await session.ask("Go.")
        assert weather.cities == ["Paris"]
        assert outputs(session) == ["rain in Paris"]
        assert len(events(session, "response.create")) == 2


async def test_without_anybody_to_ask_it_waits_and_says_so_once(monkeypatch):
    weather = Weather(approve="always")
    wanted = [("get_weather", PARIS)], [("get_weather", PARIS)]
    async with calling(monkeypatch, [weather], *wanted) as session:
        asking = asyncio.ensure_future(asked(session, "Go."))
        await happens(session, "local.tool_call", state="pending")
        [call] = session.pending_calls
        assert (call.name, call.arguments) == ("get_weather", {"city": "Paris"})
        assert call.call_id in session.log.explain().text
        assert weather.cities == []
        assert await session.approve("another") is False
        assert await session.approve(dataclasses.replace(call, digest="0")) is False
        assert await session.approve(call) is True
        assert await session.approve(call) is False
        assert "rain in Paris" in (await asking).assistant
        assert session.pending_calls == ()

        again = asyncio.ensure_future(asked(session, "Once more."))
        await happens(session, "local.tool_call", count=2, state="pending")
        assert await session.deny(session.pending_calls[0].call_id, "I am in a hurry.") is True
        assert "did not allow this call. I am in a hurry." in (await again).assistant
        assert weather.cities == ["Paris"]
        [told] = events(session, "local.error")
        assert "session.approve(call_id)" in told.data["message"]
        assert states(session) == ["pending", "approved", "running", "done", "pending", "denied"]


async def test_a_call_that_nobody_allows_is_denied_in_the_end(monkeypatch):
    weather = Weather(approve="always", approval_s=0.2)
    async with calling(monkeypatch, [weather], [("get_weather", PARIS)]) as session:
        turn = await session.ask("Go.")
        assert weather.cities == []
        assert "Nobody allowed this call" in turn.assistant


@pytest.mark.parametrize(
    ("answer", "runs"), [(True, 1), (False, 0), ("n", 0), ("y", 0), (1, 0), (ValueError("no"), 0)]
)
@pytest.mark.parametrize("asynchronous", [False, True])
async def test_a_function_is_asked_and_only_true_is_a_yes(monkeypatch, answer, runs, asynchronous):
    weather, seen = Weather(approve="always"), []

    def say(call):
        seen.append((call.name, call.arguments, threading.current_thread().name))
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def say_later(call):
        return say(call)

    approve = say_later if asynchronous else say
    async with calling(monkeypatch, [weather], [("get_weather", PARIS)], approve=approve) as session:
        await session.ask("Go.")
        assert len(weather.cities) == runs
        assert seen == [("get_weather", {"city": "Paris"}, "rt_notebook approval")]
        assert len(events(session, "local.error")) == isinstance(answer, Exception)


async def test_none_leaves_the_answer_for_later(monkeypatch):
    weather, asked_for = Weather(approve="once"), []
    wanted = [("get_weather", PARIS)], [("get_weather", '{"city": "Rome"}')]
    async with calling(monkeypatch, [weather], *wanted, approve=asked_for.append) as session:
        asking = asyncio.ensure_future(asked(session, "Go."))
        await happens(session, "local.tool_call", state="pending")
        await session.approve(session.pending_calls[0])
        await asking
        await session.ask("And Rome?")
        assert weather.cities == ["Paris", "Rome"]
        assert [call.arguments for call in asked_for] == [{"city": "Paris"}], "once in a session"
        assert not events(session, "local.error")


async def test_a_function_that_blocks_holds_nobody_up_and_times_out(monkeypatch):
    weather = Weather(timeout_s=0.5)
    async with calling(monkeypatch, [weather], [("get_weather", '{"city": "Nowhere"}')]) as session:
        asking = asyncio.ensure_future(asked(session, "Go."))
        await asyncio.to_thread(weather.began.wait, TIMEOUT_S)
        await session.update(instructions="The session goes on.")
        assert "took longer than 0.5 s" in (await asking).assistant
        weather.go.set()
        await session.ask("Anything else?")
        assert states(session) == ["running", "timed_out"]
        assert len(outputs(session)) == 1


async def test_an_asynchronous_function_has_a_loop_of_its_own_and_is_cancelled(monkeypatch):
    began, ended = threading.Event(), []

    @tool(approve="never")
    async def wait(city: str) -> str:
        began.set()
        try:
            await asyncio.sleep(TIMEOUT_S if city == "Paris" else 0)
        except asyncio.CancelledError:
            ended.append(threading.current_thread().name)
            raise
        return threading.current_thread().name

    wanted = [("wait", PARIS)], [("wait", '{"city": "Rome"}')]
    async with calling(monkeypatch, [wait], *wanted) as session:
        await session.send_text("Go.")
        await asyncio.to_thread(began.wait, TIMEOUT_S)
        await session.interrupt()
        await happens(session, "local.tool_call", state="cancelled")
        turn = await session.ask("And now?")
        assert "rt_notebook tools" in turn.assistant
        assert ended == ["rt_notebook tools"]


CANARY = "canary-9f3b2c1d8e7a6b5c"


async def test_what_a_function_raises_is_a_line_without_keys(monkeypatch):
    session_key = []

    @tool(approve="never")
    def fail(city: str) -> str:
        raise PermissionError(f"sk-{CANARY} and {session_key[0]}: api_key={CANARY} refused\nmore lines")

    @tool(approve="never")
    def leave(city: str) -> str:
        raise SystemExit(3)

    @tool(approve="never")
    def odd(city: str) -> object:
        endless = [city]
        endless.append(endless)
        return endless

    @tool(approve="never")
    def half(city: str) -> str:
        return "\ud83d half of a pair"

    wanted = [(name, PARIS) for name in ("fail", "leave", "odd", "half")]
    async with calling(monkeypatch, [fail, leave, odd, half], wanted) as session:
        session_key.append(session.endpoint.secrets()[0].reveal())
        await session.ask("Go.")
        pair, permission, recursion, leaving = sorted(outputs(session))
        assert pair == "? half of a pair"
        assert permission.startswith("Error: PermissionError: *")
        assert permission.endswith(" refused")
        assert recursion.startswith("Error: RecursionError")
        assert leaving == "Error: SystemExit: 3"
        everything = "".join(f"{event.data}" for event in session.log)
        assert CANARY not in everything
        assert session_key[0] not in everything
        assert "Traceback" not in everything


@pytest.mark.parametrize("how", ["interrupt", "send_text"])
async def test_a_yes_after_an_interruption_does_nothing(monkeypatch, how):
    weather = Weather(approve="always")
    async with calling(monkeypatch, [weather], [("get_weather", PARIS)]) as session:
        await session.send_text("Go.")
        await happens(session, "local.tool_call", state="pending")
        [call] = session.pending_calls
        await (session.interrupt() if how == "interrupt" else session.send_text("Leave it."))
        assert await session.approve(call) is False
        await happens(session, "local.tool_call", state="cancelled")
        turn = await session.ask("What now?")
        assert weather.cities == []
        [told] = outputs(session)
        assert told == "The user interrupted. It did not run."
        asked_for = {"interrupt": 2, "send_text": 3}[how]
        assert len(events(session, "response.create")) == asked_for, "nobody wants the answer any more"
        assert turn.status == "completed"


async def test_a_yes_after_the_close_does_nothing(monkeypatch):
    weather = Weather(approve="always")
    async with calling(monkeypatch, [weather], [("get_weather", PARIS)]) as session:
        await session.send_text("Go.")
        await happens(session, "local.tool_call", state="pending")
        [call] = session.pending_calls
        await session.close()
        with pytest.raises(SessionClosedError):
            await session.approve(call)
        assert states(session) == ["pending", "cancelled"]
        assert session.pending_calls == ()
        assert weather.cities == []


async def test_an_answer_that_is_cancelled_runs_nothing(monkeypatch):
    weather = Weather()
    async with calling(monkeypatch, [weather], [("get_weather", PARIS), GO_ON]) as session:
        await session.send_text("Go.")
        await happens(session, "response.output_text.delta")
        await session.interrupt()
        done = await happens(session, "response.done")
        assert done.data["response"]["status"] == "cancelled"
        assert done.data["response"]["output"][0]["name"] == "get_weather"
        await session.ask("What now?")
        assert weather.cities == []
        assert outputs(session) == []
        assert states(session) == ["cancelled"]


async def test_a_lost_connection_takes_its_calls_along(monkeypatch):
    weather = Weather()
    wanted = [("get_weather", '{"city": "Nowhere"}')], [("get_weather", PARIS)]
    async with calling(monkeypatch, [weather], *wanted) as session:
        await session.send_text("Go.")
        await asyncio.to_thread(weather.began.wait, TIMEOUT_S)
        session._runtime.call_soon(session._link.life.connection._transport.abort)
        await happens(session, "local.gap")
        assert states(session) == ["running", "cancelled"]
        weather.go.set()
        turn = await asked(session, "And Paris?")
        assert "rain in Paris" in turn.assistant
        assert outputs(session) == ["rain in Paris"], "what belonged to the old conversation is not told"
        assert (turn.turn, turn.user) == (2, "And Paris?")
        lost = session.log.fold_turns()[0]
        assert (lost.status, lost.status_reason) == ("incomplete", "connection_closed")
        check_whole(session)


@pytest.mark.speech
async def test_who_speaks_meanwhile_is_answered_once(monkeypatch, speech):
    weather = Weather()
    async with calling(monkeypatch, [weather], [("get_weather", '{"city": "Nowhere"}')]) as session:
        await session.send_text("Go.")
        await asyncio.to_thread(weather.began.wait, TIMEOUT_S)
        speaking = session.speak(speech("Is it raining there? I would like to know that."))
        await happens(session, "input_audio_buffer.speech_started")
        weather.go.set()
        await speaking
        await happens(session, "response.done", count=2)
        await session.ask("Thank you.")
        assert outputs(session) == ["rain in Nowhere"]
        asked_for = [event.t_s for event in events(session, "response.create")]
        assert len(asked_for) == 2, "the first question and the last; the spoken one is answered by itself"
        assert "error" not in {event.type for event in session.log}
