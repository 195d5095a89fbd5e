"""A function becomes a tool: its schema, its description, its arguments, and what is refused."""

from __future__ import annotations

import enum
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, Optional, TypedDict

import msgspec
import pytest

from rt_notebook.core.config import SessionConfig, changed_part
from rt_notebook.core.docstrings import read_docstring
from rt_notebook.core.tools import Tool, tool
from rt_notebook.errors import ConfigError


class Unit(enum.Enum):
    celsius = "c"
    fahrenheit = "f"


@dataclass
class Place:
    """A place on a map."""

    title: str
    height_m: float = 0.0
    tags: list[str] = field(default_factory=list)


class Window(TypedDict, total=False):
    first_hour: int
    last_hour: int


@dataclass
class Tree:
    children: list[Tree]


@tool
def forecast(
    place: Place,
    unit: Unit = Unit.celsius,
    days: Annotated[int, "how many days", msgspec.Meta(ge=1, le=14)] = 3,
    window: Optional[Window] = None,  # noqa: UP045 - people write it so
    detail: Literal["short", "long"] | None = None,
    weights: dict[str, float] | list[float] | None = None,
) -> str:
    """Tell the weather.

    For the next days only.

    Parameters
    ----------
    place : Place
        Where. It is looked up
        on a map.
    unit, detail
        How to say it.

    Returns
    -------
    days
        Never taken for a description.
    """
    return f"{place.title} {unit} {days} {window} {detail} {weights}"


def test_the_schema_says_what_the_hints_and_the_docstring_say():
    assert forecast.to_wire() == {
        "type": "function",
        "name": "forecast",
        "description": "Tell the weather.\n\nFor the next days only.",
        "parameters": {
            "type": "object",
            "properties": {
                "place": {
                    "type": "object",
                    "description": "A place on a map.",
                    "properties": {
                        "title": {"type": "string"},
                        "height_m": {"type": "number", "default": 0.0},
                        "tags": {"type": "array", "items": {"type": "string"}},
                    },
                    "required": ["title"],
                },
                "unit": {"enum": ["c", "f"], "description": "How to say it.", "default": "c"},
                "days": {
                    "type": "integer",
                    "minimum": 1,
                    "maximum": 14,
                    "description": "how many days",
                    "default": 3,
                },
                "window": {
                    "anyOf": [
                        {
                            "type": "object",
                            "properties": {
                                "first_hour": {"type": "integer"},
                                "last_hour": {"type": "integer"},
                            },
                            "required": [],
                        },
                        {"type": "null"},
                    ],
                    "default": None,
                },
                "detail": {"anyOf": [{"enum": ["long", "short"]}, {"type": "null"}], "default": None},
                "weights": {
                    "anyOf": [
                        {"type": "object", "additionalProperties": {"type": "number"}},
                        {"type": "array", "items": {"type": "number"}},
                        {"type": "null"},
                    ],
                    "default": None,
                },
            },
            "required": ["place"],
            "additionalProperties": False,
        },
    }


def test_arguments_become_what_the_hints_say_and_defaults_stay_the_functions_own():
    given = forecast.read_arguments(
        '{"place": {"title": "Oslo", "height_m": 23}, "unit": "f", "window": null}'
    )
    assert given == {"place": Place("Oslo", 23.0), "unit": Unit.fahrenheit, "window": None}
    assert forecast.function(**given) == "Oslo Unit.fahrenheit 3 None None None"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("{", "truncated"),
        ("[]", "Expected `object`"),
        ("{}", "missing required field `place`"),
        ('{"place": "Oslo"}', "Expected `object`, got `str`"),
        ('{"place": {"title": 3}}', r"Expected `str`, got `int` - at `\$.place.title`"),
        ('{"place": {"title": "Oslo"}, "days": "3"}', "Expected `int`, got `str`"),
        ('{"place": {"title": "Oslo"}, "days": 15}', "<= 14"),
        ('{"place": {"title": "Oslo"}, "unit": "k"}', "Invalid enum value 'k'"),
        ('{"place": {"title": "Oslo"}, "sudo": true}', "unknown field `sudo`"),
        ('{"place": {"title": "\ud800"}}', "surrogates"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(arguments, says):
    with pytest.raises(ValueError, match=says):
        forecast.read_arguments(arguments)


def test_a_tool_is_still_the_function():
    @tool(name="sum-up", description="Adds.", approve="never", timeout_s=2)
    def add(a: int, b: int = 1) -> int:
        """Not this."""
        return a + b

    assert isinstance(add, Tool)
    assert add(1, b=2) == 3
    assert (add.name, add.description, add.approve, add.timeout_s) == ("sum-up", "Adds.", "never", 2)
    assert forecast.approve == "always"


def test_a_method_and_a_function_without_parameters_are_tools():
    class Lamp:
        on = False

        def switch(self, on: bool) -> None:
            self.on = on

    lamp = Lamp()
    switch = tool(lamp.switch)
    switch(**switch.read_arguments('{"on": true}'))
    assert lamp.on

    @tool
    async def now() -> str:
        return "noon"

    assert now.to_wire() == {
        "type": "function",
        "name": "now",
        "parameters": {"type": "object", "properties": {}, "additionalProperties": False},
    }
    assert now.read_arguments("") == {}


def test_a_default_that_json_cannot_say_is_left_out():
    nothing = object()

    @tool
    def find(name: str | None = nothing, most: float = math.inf) -> None: ...

    assert find.parameters["properties"]["name"] == {"anyOf": [{"type": "string"}, {"type": "null"}]}
    assert "required" not in find.parameters
    assert msgspec.json.encode(find.to_wire())


def no_hint(city): ...


def part_hint(city: str, unit=3): ...


def odd_hint(what: object): ...


def call_hint(what: Callable[[], None]): ...


def union_hint(what: Place | Window): ...


def deep_hint(what: Tree): ...


def lost_hint(what: Nowhere): ...  # noqa: F821


def stars(*cities: str): ...


def double_stars(**cities: str): ...


def by_place(city: str, /): ...


def yields(city: str):
    yield city


class Callee:
    def __call__(self, city: str): ...


@pytest.mark.parametrize(
    ("function", "names"),
    [
        (no_hint, "city"),
        (part_hint, "unit"),
        (odd_hint, "what, object,"),
        (call_hint, "what"),
        (union_hint, "what"),
        (deep_hint, "what, Tree,"),
        (lost_hint, "Nowhere"),
        (stars, "cities"),
        (double_stars, "cities"),
        (by_place, "city"),
        (yields, "yields"),
        (Callee(), "Callee"),
        (lambda: None, "<lambda>"),
        (len, "len|obj"),
    ],
)
def test_what_a_model_cannot_be_told_is_refused_in_one_sentence(function, names):
    with pytest.raises(ConfigError, match=names) as caught:
        tool(function)
    assert "\n" not in str(caught.value)
    assert caught.value.problem.endswith((".", "'"))


@pytest.mark.parametrize(
    "options",
    [
        {"approve": "sometimes"},
        {"approve": True},
        {"timeout_s": 0},
        {"timeout_s": True},
        {"approval_s": math.nan},
    ],
)
def test_an_option_that_is_wrong_is_refused(options):
    with pytest.raises(ConfigError):
        tool(**options)


@pytest.mark.parametrize("name", ["", "get weather", "x" * 65, "wetter_für", 3])
def test_a_name_that_the_api_refuses_is_refused(name):
    with pytest.raises(ConfigError, match="name"):
        tool(name=name)(part_of_speech)


def part_of_speech(word: str): ...


NUMPY = """Do it.

    Parameters
    ----------
    city : str
        The city.

        With a second paragraph.
    unit : {"c", "f"}, optional
        The unit.

    Raises
    ------
    city
        Not this.
    """

GOOGLE = """Do it.

    Args:
        city (str): The city.

            With a second paragraph.
        unit (Literal["c", "f"]): The unit.

    Returns:
        city: Not this.
    """

SPHINX = """Do it.

    :param str city: The city.

        With a second paragraph.
    :param unit: The unit.
    :type unit: str
    :returns: Not this.
    """

PLAIN = """Do it.

    city: The city.

        With a second paragraph.
    unit - The unit.
    """


@pytest.mark.parametrize("docstring", [NUMPY, GOOGLE, SPHINX, PLAIN])
def test_docstrings_of_every_style_say_the_same(docstring):
    told = {"city": "The city. With a second paragraph.", "unit": "The unit."}
    assert read_docstring(docstring, {"city", "unit"}) == ("Do it.", told)


def test_what_only_looks_like_a_parameter_is_text():
    summary, told = read_docstring("Note: city matters.\n\nExample: unit.", {"city", "unit"})
    assert summary == "Note: city matters.\n\nExample: unit."
    assert told == {}
    assert read_docstring(None, {"city"}) == ("", {})


def test_a_config_takes_tools_and_dicts_and_the_wire_stays_json():
    own: dict[str, Any] = {"type": "function", "name": "own", "parameters": {"type": "object"}}
    config = SessionConfig(tools=[forecast, own])
    wire = config.to_wire()
    assert wire["tools"] == [forecast.to_wire(), own]
    assert msgspec.json.decode(msgspec.json.encode(wire)) == wire
    without = config.replace(tools=[own])
    assert changed_part(wire, without.to_wire()) == {"type": "realtime", "tools": [own]}


def test_a_config_refuses_a_bare_function_and_two_of_one_name():
    with pytest.raises(ConfigError, match="@tool"):
        SessionConfig(tools=[part_of_speech])
    with pytest.raises(ConfigError, match="forecast"):
        SessionConfig(tools=[forecast, {"type": "function", "name": "forecast"}])
