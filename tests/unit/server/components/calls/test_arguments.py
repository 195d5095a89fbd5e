"""What a function is called with: what was said, and valid in any case."""

from __future__ import annotations

import json

import pytest
from spoken_functions import TOOLS
from spoken_requests import REMARKS, REQUESTS

from rt_notebook.server.components.calls.arguments import arguments_for
from rt_notebook.server.components.calls.json_schema import valid
from rt_notebook.server.components.calls.utterance import Utterance
from rt_notebook.server.components.reply import SmolLM2Replier
from rt_notebook.server.components.reply_pieces import CallPiece, LimitReached
from rt_notebook.server.components.rules import RulesReplier
from rt_notebook.server.engine.effects import FunctionCall, MakeReply, Message, Tool


def hits(arguments, wanted):
    def plain(value):
        return value.lower().removeprefix("the ").strip(" .?!") if isinstance(value, str) else value

    return all(name in arguments and plain(arguments[name]) == plain(wanted[name]) for name in wanted)


def test_arguments_are_what_was_said():
    found = [hits(arguments_for(TOOLS[name], Utterance(said)), wanted) for name, said, wanted in REQUESTS]
    assert sum(found) / len(found) > 0.9


def test_arguments_are_valid_whatever_is_said():
    for tool in TOOLS.values():
        for said in ["", *REMARKS, *(said for _, said, _ in REQUESTS)]:
            assert valid(arguments_for(tool, Utterance(said)), tool.parameters), (tool.name, said)


def schema(**properties):
    return Tool("f", "", {"type": "object", "properties": properties, "required": list(properties)})


@pytest.mark.parametrize(
    ("tool", "said", "wanted"),
    [
        (
            schema(origin={"type": "string"}, destination={"type": "string"}),
            "To Rome from Oslo.",
            ("Oslo", "Rome"),
        ),
        (schema(hours={"type": "integer"}, rooms={"type": "integer"}), "Three rooms, two hours.", (2, 3)),
        (schema(minutes={"type": "number"}), "For two hours.", (120,)),
        (schema(amount={"type": "number"}), "It is twenty five thousand three hundred.", (25_300,)),
        (schema(film={"type": "string"}), "I want The Lord of the Rings.", ("Lord of the Rings",)),
        (schema(names={"type": "array", "items": {"type": "string"}}), "With Ann and Bo.", (["Ann", "Bo"],)),
        (schema(to={"anyOf": [{"type": "null"}, {"type": "string"}]}), "Go to Bonn.", ("Bonn",)),
        (
            schema(
                place={"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
            ),
            "In Bern.",
            ({"city": "Bern"},),
        ),
    ],
)
def test_what_goes_where(tool, said, wanted):
    assert tuple(arguments_for(tool, Utterance(said)).values()) == wanted


def test_what_is_optional_is_there_only_when_it_was_said():
    weather = TOOLS["get_weather"]
    assert arguments_for(weather, Utterance("The weather in Rome?")) == {"city": "Rome"}
    said = Utterance("The weather in Rome in Celsius?")
    assert arguments_for(weather, said) == {"city": "Rome", "unit": "celsius"}


def test_a_chooser_is_asked_only_for_a_choice_and_not_trusted():
    asked = []

    def choose(narrowed):
        asked.append(narrowed)
        return {"city": 7}

    assert arguments_for(TOOLS["get_weather"], Utterance("The weather in Rome?"), choose) == {"city": "Rome"}
    assert asked == []
    found = arguments_for(TOOLS["get_weather"], Utterance("The weather?"), choose)
    assert len(asked) == 1
    assert valid(found, TOOLS["get_weather"].parameters)


def call(pieces):
    assert isinstance(pieces[0], CallPiece)
    assert all(isinstance(piece, CallPiece) and not piece.name for piece in pieces[1:])
    return pieces[0].name, json.loads("".join(piece.arguments for piece in pieces))


def reply(replier, messages, tools=(), choice="auto", **more):
    work = MakeReply("resp_1", messages, tools=tuple(tools), tool_choice=choice, **more)
    return list(replier.reply(work, lambda: False))


def outcome(output):
    return [
        Message("user", "What is the weather in London?"),
        Message("assistant", "", call=FunctionCall("call_1", "get_weather", '{"city": "London"}')),
        Message("tool", output, call_id="call_1"),
    ]


def test_rules_call_and_tell_what_came_of_it():
    rules, tools = RulesReplier(), [TOOLS["get_weather"], TOOLS["set_timer"]]
    asked = [Message("user", "What is the weather in London?")]
    assert call(reply(rules, asked, tools)) == ("get_weather", {"city": "London"})
    name, arguments = call(reply(rules, [Message("user", "Hello!")], tools, "set_timer"))
    assert (name, valid(arguments, TOOLS["set_timer"].parameters)) == ("set_timer", True)
    assert "".join(reply(rules, outcome('{"temperature": 14, "sky": "light rain"}'), tools)) == (
        "Temperature: 14, sky: light rain."
    )
    assert reply(rules, [Message("user", "Hello!")], max_tokens=2) == ["Hello! ", "I ", LimitReached()]


@pytest.fixture(scope="module")
def smollm():
    return SmolLM2Replier()


@pytest.mark.speech
def test_the_model_calls_with_what_was_said(smollm):
    tools = [TOOLS["get_weather"], TOOLS["set_timer"]]
    asked = [Message("system", "Be brief."), Message("user", "What is the weather in London?")]
    # A call is whole, however few tokens the answer may have.
    for more in ({}, {"max_tokens": 1}):
        assert call(reply(smollm, asked, tools, **more)) == ("get_weather", {"city": "London"})
    assert isinstance(reply(smollm, asked, tools, "none", max_tokens=5)[0], str)


# Each leaves something that only the model can choose: which words were meant, or what nobody said.
OPEN = [
    {"type": "object", "properties": {"mood": {"enum": ["happy", "sad"]}}, "required": ["mood"]},
    {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    {
        "type": "object",
        "properties": {"n": {"type": "integer", "minimum": 3, "maximum": 9}},
        "required": ["n"],
    },
    {
        "type": "object",
        "properties": {"code": {"type": "string", "pattern": "^[A-Z]{3}-\\d{2}$"}},
        "required": ["code"],
    },
    {
        "type": "object",
        "properties": {"who": {"$ref": "#/$defs/person"}, "sure": {"type": "boolean"}},
        "required": ["who", "sure"],
        "$defs": {
            "person": {
                "type": "object",
                "properties": {"name": {"type": "string"}, "friend": {"$ref": "#/$defs/person"}},
                "required": ["name"],
            }
        },
    },
]


@pytest.mark.speech
@pytest.mark.parametrize("parameters", OPEN)
def test_what_the_model_chooses_is_valid(smollm, parameters):
    tool = Tool("note", "Make a note.", parameters)
    name, arguments = call(reply(smollm, [Message("user", "Um, hello.")], [tool], "required", max_tokens=3))
    assert name == "note"
    assert valid(arguments, parameters)


@pytest.mark.speech
@pytest.mark.parametrize(
    ("output", "contained"),
    [
        ('{"temperature": 14, "sky": "light rain"}', ["14", "light rain"]),
        ("Sunny, 21 degrees", ["Sunny", "21"]),
        ('[{"flight": "IB3677", "departs": "09:40"}, {"flight": "LH1124"}]', ["IB3677", "09:40", "LH1124"]),
        ('{"ok": true}', ["yes"]),
        ("", ["Done"]),
    ],
)
def test_the_model_tells_what_a_function_has_answered(smollm, output, contained):
    pieces = reply(smollm, outcome(output), [TOOLS["get_weather"]])
    assert all(isinstance(piece, str) for piece in pieces)
    for part in contained:
        assert part.lower() in "".join(pieces).lower()


@pytest.mark.speech
def test_after_a_call_the_model_still_answers_other_things(smollm):
    told = outcome('{"temperature": 14}')
    asked = [*told, Message("user", "What is the capital of France?")]
    assert "Paris" in "".join(reply(smollm, asked, [TOOLS["get_weather"]]))


@pytest.mark.speech
def test_reading_ahead_changes_no_answer(smollm):
    history = [
        Message("system", "Answer in one sentence."),
        Message("user", "Hi."),
        Message("assistant", "Hello!"),
    ]
    asked = [*history, Message("user", "Where do whales live?")]
    plain = reply(smollm, asked)
    smollm.prepare([Message("system", "Answer at length."), *history[1:]], ())
    smollm.prepare(history, ())
    assert reply(smollm, asked) == plain


@pytest.mark.speech
def test_a_limit_of_the_client_is_told(smollm):
    asked = [Message("user", "Why is the sky blue?")]
    assert reply(smollm, asked, max_tokens=4)[-1] == LimitReached()
    assert LimitReached() not in reply(smollm, [Message("user", "What is the capital of France?")])


@pytest.mark.speech
def test_a_cancelled_reply_ends_at_the_next_piece(smollm):
    pieces = []
    work = MakeReply("resp_1", [Message("user", "Tell me about whales.")])
    for piece in smollm.reply(work, lambda: len(pieces) >= 2):
        pieces.append(piece)  # noqa: PERF402 - it is looked at while it grows
    assert len(pieces) == 2
