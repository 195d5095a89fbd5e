"""Arguments are valid for any schema of a reasonable family, whatever was said. jsonschema is the judge."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from rt_notebook.server.components.calls.arguments import arguments_for
from rt_notebook.server.components.calls.grounding import ground
from rt_notebook.server.components.calls.json_schema import valid
from rt_notebook.server.components.calls.smallest import smallest
from rt_notebook.server.components.calls.utterance import Utterance
from rt_notebook.server.engine.effects import Tool

NAMES = st.sampled_from(["city", "unit", "minutes", "when", "recipient", "text"])
SMALL = st.integers(-50, 50)
PATTERNS = [r"^\d{4}-\d{2}-\d{2}$", r"^[A-Z]{3}$", r"[a-z]+@[a-z]+\.com", r"^(foo|bar)\w*$", r"^[^a-z]+$"]
LEAVES = st.one_of(
    st.fixed_dictionaries(
        {"type": st.just("string")},
        optional={"minLength": st.integers(0, 3), "maxLength": st.integers(3, 20)},
    ),
    st.builds(lambda pattern: {"type": "string", "pattern": pattern}, st.sampled_from(PATTERNS)),
    st.builds(
        lambda values: {"enum": values},
        st.lists(
            st.one_of(st.text("ab", max_size=3), SMALL, st.none(), st.booleans()), min_size=1, max_size=4
        ),
    ),
    st.builds(
        lambda one, other, kind: {"type": kind, "minimum": min(one, other), "maximum": max(one, other)},
        SMALL,
        SMALL,
        st.sampled_from(["integer", "number"]),
    ),
    st.builds(
        lambda low, step: {"type": "integer", "minimum": low, "multipleOf": step}, SMALL, st.integers(1, 9)
    ),
    st.builds(lambda low: {"type": "number", "exclusiveMinimum": low, "exclusiveMaximum": low + 1}, SMALL),
    st.sampled_from([{"type": "boolean"}, {"type": "null"}, {"type": ["string", "null"]}, {"const": "x"}]),
    st.sampled_from([{}, True, {"type": "integer"}, {"type": "number"}, {"$ref": "#/$defs/node"}]),
)
NODE = {"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}, "n": {"type": "integer"}}}
NODE["required"] = ["n"]


def objects(properties, count, closed):
    return {
        "type": "object",
        "properties": properties,
        "required": sorted(properties)[:count],
        **({"additionalProperties": False} if closed else {}),
    }


def compound(inner):
    return st.one_of(
        st.builds(objects, st.dictionaries(NAMES, inner, max_size=4), st.integers(0, 4), st.booleans()),
        st.builds(
            lambda items, least, more: {
                "type": "array",
                "items": items,
                "minItems": least,
                "maxItems": least + more,
            },
            inner,
            st.integers(0, 3),
            st.integers(0, 3),
        ),
        st.builds(
            lambda least: {
                "type": "array",
                "items": {"type": "integer"},
                "minItems": least,
                "uniqueItems": True,
            },
            st.integers(0, 3),
        ),
        st.builds(lambda choices: {"anyOf": choices}, st.lists(inner, min_size=1, max_size=3)),
    )


ANY = st.recursive(LEAVES, compound, max_leaves=6)
PARAMETERS = st.builds(
    lambda properties, count: objects(properties, count, closed=False) | {"$defs": {"node": NODE}},
    st.dictionaries(NAMES, ANY, max_size=4),
    st.integers(0, 4),
)
WORDS = "the weather in Paris to Ann from ten 25 minutes that I am late , . : ? celsius a b and ABC"
SAID = st.lists(st.sampled_from(WORDS.split()), max_size=9).map(" ".join)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-5, 5), st.floats(-5, 5), st.text("ab@.1", max_size=4)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=3)),
    max_leaves=6,
)


@given(PARAMETERS, SAID)
def test_arguments_parse_and_are_valid(parameters, said):
    arguments = arguments_for(Tool("f", "Get the weather.", parameters), Utterance(said))
    Draft202012Validator(parameters).validate(json.loads(json.dumps(arguments)))


@given(PARAMETERS, SAID)
def test_a_narrowed_schema_is_bounded(parameters, said):
    def bounded(schema):
        if "enum" in schema:
            return len(schema["enum"]) > 0
        match schema["type"]:
            case "object":
                closed = schema["additionalProperties"] is False
                return closed and all(map(bounded, schema["properties"].values()))
            case "string":
                return schema["maxLength"] <= 50
            case "integer":
                return schema["maximum"] - schema["minimum"] < 10_000
        return False

    narrowed = ground(Tool("f", "", parameters), Utterance(said)).schema
    assert bounded(narrowed)
    assert Draft202012Validator(narrowed).is_valid(smallest(narrowed))


@given(PARAMETERS)
def test_the_smallest_instance_is_valid(parameters):
    Draft202012Validator(parameters).validate(smallest(parameters))


@given(ANY, VALUES)
def test_two_validators_agree(schema, value):
    root = {"allOf": [schema], "$defs": {"node": NODE}}
    assert valid(value, root) == Draft202012Validator(root).is_valid(value)


@given(st.text(max_size=60))
def test_any_text_is_read_without_losing_its_place(text):
    said = Utterance(text)
    for phrase in [*said.phrases(set(), set()), *(phrase for _, phrase in said.numbers)]:
        assert phrase.text in said.text
