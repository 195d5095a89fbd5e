"""Build a small valid instance of a JSON schema: what is called with when nobody has said anything."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from rt_notebook.server.components.calls.json_schema import MAX_DEPTH, Schema, kinds, merged, resolve, valid
from rt_notebook.server.components.calls.pattern_text import text_like

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["smallest"]


def smallest(schema: Schema, root: Schema = None, depth: int = 0) -> Any:
    """Build a small instance: the first of the listed values, what is required and nothing else."""
    root = schema if root is None else root
    schema = resolve(schema, root)
    if not isinstance(schema, dict) or depth > MAX_DEPTH:
        return None
    found: Any = None
    for found in _candidates(schema, root, depth):
        if valid(found, schema, root):
            break
    return found


def _candidates(schema: dict[str, Any], root: Schema, depth: int) -> Iterator[Any]:
    if "const" in schema:
        yield schema["const"]
    yield from schema.get("enum", [])
    if "default" in schema:
        yield schema["default"]
    shell = {key: value for key, value in schema.items() if key not in {"anyOf", "oneOf", "allOf"}}
    # Plain alternatives first: what refers to something may lead back to where it came from.
    choices = schema.get("anyOf", []) + schema.get("oneOf", [])
    for choice in sorted(choices, key=lambda one: "$ref" in str(one)):
        yield smallest(merged([shell, *schema.get("allOf", []), choice], root), root, depth + 1)
    if "allOf" in schema:
        yield smallest(merged([shell, *schema["allOf"]], root), root, depth + 1)
    for kind in kinds(shell) or ["object", "string", "number", "boolean", "null"]:
        yield from _of_kind(kind, shell, root, depth)


def _of_kind(kind: str, schema: dict[str, Any], root: Schema, depth: int) -> Iterator[Any]:
    match kind:
        case "null":
            yield None
        case "boolean":
            yield from (False, True)
        case "integer" | "number":
            yield from _numbers(kind, schema)
        case "string":
            shortest = schema.get("minLength", 0)
            if "pattern" in schema:
                yield from (
                    text_like(schema["pattern"], extra).ljust(shortest, "x") for extra in (0, shortest)
                )
            yield from (letter * shortest for letter in "xyz" if shortest or letter == "x")
            yield from (f"{number:0{max(1, shortest)}}" for number in range(20))
        case "array":
            yield _items(schema, root, depth)
        case "object":
            known = schema.get("properties", {})
            names = dict.fromkeys(schema.get("required", []))
            lacking = schema.get("minProperties", 0) - len(names)
            spare = [
                name for name in [*known, *(f"key{number}" for number in range(20))] if name not in names
            ]
            names |= dict.fromkeys(spare[: max(0, lacking)])
            rest = schema.get("additionalProperties", True)
            yield {name: smallest(_plain(known.get(name, rest)), root, depth + 1) for name in names}


def _plain(schema: Schema) -> Schema:
    return {"type": "string"} if schema is True or schema == {} else schema


def _numbers(kind: str, schema: dict[str, Any]) -> Iterator[Any]:
    step = schema.get("multipleOf", 1)
    low = max(schema.get("minimum", -math.inf), schema.get("exclusiveMinimum", -math.inf))
    high = min(schema.get("maximum", math.inf), schema.get("exclusiveMaximum", math.inf))
    begin = low if low > 0 or low > -math.inf > -high else min(0, high) if high < 0 else max(0, low)
    at = math.ceil(begin / step) * step
    for offset in range(50):
        yield at + offset * step
        yield at - offset * step
    if kind == "number" and math.isfinite(low) and math.isfinite(high):
        yield from (low + (high - low) * part / 4 for part in (2, 1, 3))


def _items(schema: dict[str, Any], root: Schema, depth: int) -> list[Any]:
    prefix, rest = schema.get("prefixItems", []), schema.get("items", True)
    found: list[Any] = []
    for at in range(schema.get("minItems", 0)):
        item = _plain(prefix[at] if at < len(prefix) else rest)
        if schema.get("uniqueItems") and found:
            item = {**merged([item], root), "not": {"enum": list(found)}}
        found.append(smallest(item, root, depth + 1))
    return found
