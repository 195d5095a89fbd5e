"""JSON schemas, as far as the arguments of functions use them: whether a value is valid."""

from __future__ import annotations

import math
import re
from typing import Any

__all__ = ["MAX_DEPTH", "Schema", "kinds", "merged", "resolve", "valid"]

Schema = Any
"""A dict, or True or False, which accept anything and nothing."""

_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}
# Deeper than any arguments are; a schema that refers to itself ends here.
MAX_DEPTH = 12


def resolve(schema: Schema, root: Schema) -> Schema:
    """Follow local references (``#/...``); one that leads nowhere accepts anything."""
    for _ in range(MAX_DEPTH):
        if not isinstance(schema, dict) or "$ref" not in schema:
            return schema
        others = {key: value for key, value in schema.items() if key != "$ref"}
        target = root
        for step in str(schema["$ref"]).removeprefix("#").strip("/").split("/"):
            step = step.replace("~1", "/").replace("~0", "~")
            if step:
                target = target.get(step, True) if isinstance(target, dict) else True
        schema = {"allOf": [target, others]} if others.keys() - {"description", "title"} else target
    return True


def _is_a(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    if kind == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, _TYPES.get(kind, (object,)))


def kinds(schema: dict[str, Any]) -> list[str]:
    """Return the types that a schema allows, as far as it tells them."""
    kind = schema.get("type")
    if isinstance(kind, list):
        return kind
    if kind is not None:
        return [str(kind)]
    if "properties" in schema or "required" in schema:
        return ["object"]
    return ["array"] if "items" in schema or "prefixItems" in schema else []


def _same(left: Any, right: Any) -> bool:
    return bool(left == right) and isinstance(left, bool) == isinstance(right, bool)


def valid(value: Any, schema: Schema, root: Schema = None, depth: int = 0) -> bool:
    """Whether a value is valid. ``format`` is not checked, as the JSON schema standard has it."""
    root = schema if root is None else root
    schema = resolve(schema, root)
    if not isinstance(schema, dict):
        return schema is not False

    def holds(inner: Any, other: Schema) -> bool:
        return depth < 4 * MAX_DEPTH and valid(inner, other, root, depth + 1)

    kind = schema.get("type")
    if kind is not None and not any(_is_a(value, one) for one in ([kind] if isinstance(kind, str) else kind)):
        return False
    if "enum" in schema and not any(_same(value, one) for one in schema["enum"]):
        return False
    if "const" in schema and not _same(value, schema["const"]):
        return False
    if not all(holds(value, one) for one in schema.get("allOf", [])):
        return False
    if "anyOf" in schema and not any(holds(value, one) for one in schema["anyOf"]):
        return False
    if "oneOf" in schema and sum(holds(value, one) for one in schema["oneOf"]) != 1:
        return False
    if "not" in schema and holds(value, schema["not"]):
        return False
    if isinstance(value, str):
        pattern = schema.get("pattern")
        return schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", math.inf) and (
            pattern is None or re.search(pattern, value) is not None
        )
    if isinstance(value, list):
        prefix = schema.get("prefixItems", [])
        rest = schema.get("items", True)
        return (
            schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", math.inf)
            and not (
                schema.get("uniqueItems")
                and any(_same(one, other) for at, one in enumerate(value) for other in value[:at])
            )
            and all(holds(item, prefix[at] if at < len(prefix) else rest) for at, item in enumerate(value))
        )
    if isinstance(value, dict):
        known = schema.get("properties", {})
        rest = schema.get("additionalProperties", True)
        return (
            all(name in value for name in schema.get("required", []))
            and schema.get("minProperties", 0) <= len(value) <= schema.get("maxProperties", math.inf)
            and all(holds(item, known.get(name, rest)) for name, item in value.items())
        )
    if isinstance(value, int | float) and not isinstance(value, bool):
        step = schema.get("multipleOf")
        return (
            schema.get("minimum", -math.inf) <= value <= schema.get("maximum", math.inf)
            and schema.get("exclusiveMinimum", -math.inf) < value < schema.get("exclusiveMaximum", math.inf)
            and (step is None or math.isclose(value / step, round(value / step), abs_tol=1e-9))
        )
    return True


def merged(schemas: list[Schema], root: Schema) -> dict[str, Any]:
    """One schema for what satisfies several, as far as joining their keywords says it."""
    joined: dict[str, Any] = {}
    for one in schemas:
        one = resolve(one, root)
        keywords: dict[str, Any] = one if isinstance(one, dict) else {}
        for key, value in keywords.items():
            if key == "properties":
                joined[key] = joined.get(key, {}) | value
            elif key in {"required", "allOf", "anyOf", "oneOf"}:
                known = joined.get(key, [])
                joined[key] = known + [item for item in value if item not in known]
            elif key in {"minimum", "exclusiveMinimum", "minLength", "minItems"}:
                joined[key] = max(joined.get(key, value), value)
            elif key in {"maximum", "exclusiveMaximum", "maxLength", "maxItems"}:
                joined[key] = min(joined.get(key, value), value)
            elif key == "enum":
                joined[key] = [item for item in joined.get(key, value) if item in value]
            else:
                joined[key] = value
    return joined
