"""Narrow the schema of a function's arguments to what the user's words offer.

A model of 135 million parameters copies badly and invents well. So the words choose first: each argument is
left with the numbers, names or values that were said, and only where several fit, or none, does the model
choose. Any instance of the narrowed schema is short, since all its texts and lists are bounded.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rt_notebook.server.components.calls.json_schema import Schema, kinds, merged, resolve, valid
from rt_notebook.server.components.calls.smallest import smallest
from rt_notebook.server.components.calls.utterance import Phrase, Utterance, stem, stems
from rt_notebook.server.components.calls.word_lists import DATES, LEADS, PREPOSITIONS, TELLS, TEXTS, WHOLES

if TYPE_CHECKING:
    from rt_notebook.server.engine.effects import Tool

__all__ = ["Grounding", "ground", "topic_of"]

_MAX_CHARS = 40
_MAX_DEPTH = 5
_MAX_NUMBER = 100

_LEADS = {preposition: {stem(word) for word in words} for preposition, words in LEADS.items()}
_TEXTS = {stem(word) for word in TEXTS}
_WHOLES = {stem(word) for word in WHOLES}
_DATES = {stem(word) for word in DATES}
_SECONDS = {"second": 1, "minut": 60, "hour": 3600, "day": 86_400}
_EXAMPLES = re.compile(r"\(?\b(e\.?g\.?|for example|for instance|such as)\b.*", re.IGNORECASE | re.DOTALL)


@dataclass
class Grounding:
    """What is left of a schema.

    Attributes
    ----------
    schema
        The narrowed schema; the first of the listed values fits best.
    said
        How many arguments were said.
    sure
        How many of them are surely values: numbers, names, listed values.
    guessed
        How many of them are words that may also mean something else.
    unsaid
        The required names, numbers and texts that were not.
    """

    schema: Schema
    said: int = 0
    sure: int = 0
    guessed: int = 0
    unsaid: list[str] = field(default_factory=list)


@dataclass
class _Slot:
    """One plain argument, wherever it stands in the arguments."""

    path: tuple[str, ...]
    schema: dict[str, Any]
    required: bool
    words: set[str]
    lead: str
    options: list[Any] = field(default_factory=list)
    said: bool = False
    sure: bool = False

    @property
    def kind(self) -> str:
        return "enum" if "enum" in self.schema else next(iter(kinds(self.schema)), "")


def topic_of(tool: Tool) -> set[str]:
    """Return the stems of what a function is about."""
    properties = tool.parameters.get("properties", {})
    return stems(f"{tool.name} {_plain(tool.description)}") | stems(" ".join(map(str, properties)))


def ground(tool: Tool, said: Utterance) -> Grounding:
    """Narrow a function's schema to the words of the user."""
    root: Schema = tool.parameters or {"type": "object"}
    slots: list[_Slot] = []
    _collect(root, root, (), "", slots, required=True)
    taken: set[int] = set()
    topic = topic_of(tool)
    _listed(slots, said, taken)
    _counted(slots, said, taken)
    _named(slots, said, taken, topic)
    by_path = {slot.path: slot for slot in slots}
    asked = [slot for slot in slots if slot.required and slot.kind not in {"enum", "boolean"}]
    return Grounding(
        _narrowed(root, root, (), by_path),
        sum(slot.said for slot in slots),
        sum(slot.said and slot.sure for slot in slots),
        sum(slot.said and not slot.sure and not slot.words & _WHOLES for slot in slots),
        [".".join(slot.path) for slot in asked if not slot.said],
    )


def _plain(description: object) -> str:
    return _EXAMPLES.sub("", str(description or ""))


def _single(given: Schema, root: Schema) -> dict[str, Any]:
    """Choose one of the alternatives: the first that is not null."""
    found = resolve(given, root)
    if not isinstance(found, dict):
        return {}
    schema: dict[str, Any] = {**found}
    parts = schema.pop("allOf", [])
    for key in ("anyOf", "oneOf"):
        choices = [resolve(choice, root) for choice in schema.pop(key, [])]
        choices.sort(key=lambda choice: isinstance(choice, dict) and choice.get("type") == "null")
        parts = [*parts, *choices[:1]]
    if parts:
        return _single(merged([schema, *parts], root), root)
    if isinstance(schema.get("type"), list):
        schema["type"] = next((kind for kind in schema["type"] if kind != "null"), "null")
    if "const" in schema:
        schema["enum"] = [schema.pop("const")]
    return schema


def _collect(
    schema: Schema, root: Schema, path: tuple[str, ...], about: str, slots: list[_Slot], *, required: bool
) -> None:
    one = _single(schema, root)
    about = f"{about} {path[-1] if path else ''} {_plain(one.get('description'))}"
    if kinds(one) == ["object"] and "enum" not in one:
        needed = one.get("required", [])
        for name, inner in one.get("properties", {}).items():
            if len(path) < _MAX_DEPTH and (name in needed or not path):
                _collect(inner, root, (*path, name), about, slots, required=required and name in needed)
    elif path:
        last = (re.findall(r"[a-z]+", about.lower()) or [""])[-1]
        slots.append(_Slot(path, one, required, stems(about) | {path[-1].lower()}, last))


def _preposition(said: Utterance, phrase: Phrase) -> str:
    at = phrase.first - 1
    while at >= 0 and said.words[at].low in {"the", "a", "an", "my"}:
        at -= 1
    return said.words[at].low if at >= 0 and said.words[at].low in PREPOSITIONS else ""


def _fits(slot: _Slot, preposition: str, slots: list[_Slot]) -> int:
    """How well a preposition leads to this argument rather than to another one."""
    if slot.lead == preposition and preposition in _LEADS:
        return 3
    words = _LEADS.get(preposition, set())
    if slot.words & words or preposition in slot.words:
        return 3
    elsewhere = any(
        other is not slot and (other.words & words or other.lead == preposition) for other in slots
    )
    return -2 if elsewhere else 0


def _assign(said: Utterance, scores: list[tuple[int, _Slot, Phrase, Any]], taken: set[int]) -> None:
    """Give each argument the best phrase that no other one has."""
    for score, slot, phrase, value in sorted(scores, key=lambda score: -score[0]):
        places = set(range(phrase.first, phrase.last + 1))
        if not slot.said and not places & taken:
            slot.options, slot.said = [value], True
            slot.sure = (
                not isinstance(value, str) or slot.kind == "enum" or said.named(phrase.first) or score >= 3
            )
            taken |= places


def _listed(slots: list[_Slot], said: Utterance, taken: set[int]) -> None:
    scores: list[tuple[int, _Slot, Phrase, Any]] = []
    for slot in (slot for slot in slots if slot.kind == "enum"):
        for value in slot.schema["enum"]:
            phrase = said.find(str(value)) if isinstance(value, str) else None
            if phrase is not None:
                fits = _fits(slot, _preposition(said, phrase), slots)
                scores.append((fits + phrase.last - phrase.first, slot, phrase, value))
    _assign(said, scores, taken)
    for slot in slots:
        if slot.kind == "array" and isinstance(items := slot.schema.get("items"), dict) and "enum" in items:
            found = [(said.find(str(value)), value) for value in items["enum"]]
            slot.options = [[value for phrase, value in found if phrase is not None]]
            slot.said = bool(slot.options[0])
            taken |= {
                at for phrase, _ in found if phrase is not None for at in range(phrase.first, phrase.last + 1)
            }


def _counted(slots: list[_Slot], said: Utterance, taken: set[int]) -> None:
    scores: list[tuple[int, _Slot, Phrase, Any]] = []
    for slot in (slot for slot in slots if slot.kind in {"integer", "number"}):
        for number, phrase in said.numbers:
            # "three rooms", "a table for six, please", "room 5": mostly the unit follows.
            after = [stem(word.text) for word in said.words[phrase.last + 1 : phrase.last + 3]]
            before = {stem(word.text) for word in said.words[max(0, phrase.first - 1) : phrase.first]}
            value = number * _scale(slot, after[0] if after else "")
            value = int(value) if float(value).is_integer() else value
            if valid(value, slot.schema):
                score = _fits(slot, _preposition(said, phrase), slots)
                score += 3 * bool(slot.words & set(after)) + bool(slot.words & before)
                scores.append((score, slot, phrase, value))
    _assign(said, scores, taken)
    for slot in slots:
        if slot.kind == "array" and set(kinds(slot.schema.get("items") or {})) & {"integer", "number"}:
            free = [(number, phrase) for number, phrase in said.numbers if phrase.first not in taken]
            slot.options = [[int(number) if number.is_integer() else number for number, _ in free]]
            slot.said = bool(free)


def _scale(slot: _Slot, unit: str) -> float:
    """Convert what is asked for in hours to minutes, if those are what the argument takes."""
    own = next((name for name in _SECONDS if name in {stem(word) for word in slot.words}), None)
    return _SECONDS[unit] / _SECONDS[own] if own and unit in _SECONDS else 1


def _named(slots: list[_Slot], said: Utterance, taken: set[int], topic: set[str]) -> None:
    texts = [slot for slot in slots if slot.kind == "string"]
    names = [slot for slot in texts if stem("name") in slot.words or not slot.words & _TEXTS]
    scores: list[tuple[int, _Slot, Phrase, Any]] = []
    told = said.told(topic, taken) if len(names) < len(texts) else None
    marked = told is not None and told.last == len(said.words) - 1 and said.words[told.first - 1].low in TELLS
    for slot in names:
        for phrase in said.phrases(topic, taken, keep_times=bool(slot.words & _DATES)):
            if marked and told is not None and phrase.overlaps(told):
                continue
            fits = _fits(slot, phrase.preposition, slots)
            named = said.named(phrase.first)
            # What is optional has to be clearly meant.
            if valid(phrase.text, slot.schema) and (fits > 0 or (slot.required and fits >= 0)):
                scores.append((fits + named + (phrase.preposition != ""), slot, phrase, phrase.text))
    _assign(said, scores, taken)
    for slot in (slot for slot in texts if slot not in names and not slot.said and slot.required):
        text = said.told(topic, taken)
        if text is not None and valid(text.text, slot.schema):
            _assign(said, [(0, slot, text, text.text)], taken)
        elif slot.words & _WHOLES and said.text and valid(said.text, slot.schema):
            slot.options, slot.said = [said.text], True
    for slot in slots:
        if slot.kind == "array" and kinds(slot.schema.get("items") or {}) == ["string"]:
            phrases = said.phrases(topic, taken)
            parts = [
                part for phrase in phrases for part in re.split(r",\s*(?:and\s+)?|\s+and\s+", phrase.text)
            ]
            slot.options, slot.said = [list(dict.fromkeys(filter(None, parts)))], bool(parts)


def _narrowed(
    schema: Schema, root: Schema, path: tuple[str, ...], slots: dict[tuple[str, ...], _Slot]
) -> Schema:
    one = _single(schema, root)
    if kinds(one) == ["object"] and "enum" not in one:
        if len(path) >= _MAX_DEPTH:
            return {"enum": [smallest(schema, root)]}
        needed = one.get("required", [])
        known = one.get("properties", {})
        properties = {
            name: _narrowed(inner, root, (*path, name), slots)
            for name, inner in known.items()
            if name in needed or ((slot := slots.get((*path, name))) is not None and slot.said)
        }
        for name in needed:
            if name not in known:
                properties[name] = {"enum": [smallest(one.get("additionalProperties", True), root)]}
        return {
            "type": "object",
            "properties": properties,
            "required": list(properties),
            "additionalProperties": False,
        }
    slot = slots.get(path)
    options = [value for value in (slot.options if slot else []) if valid(value, schema, root)]
    return {"enum": options} if options else _bounded(one, schema, root)


def _bounded(one: dict[str, Any], schema: Schema, root: Schema) -> Schema:
    """Leave a free choice to the model, within bounds."""
    if "enum" in one:
        options = [value for value in one["enum"] if valid(value, schema, root)]
        return {"enum": options or [smallest(schema, root)]}
    if "default" in one and valid(one["default"], schema, root):
        return {"enum": [one["default"]]}
    match next(iter(kinds(one)), ""):
        case "boolean":
            return {"enum": [value for value in (True, False) if valid(value, schema, root)] or [True]}
        case "integer" if "multipleOf" not in one:
            low = one.get("minimum", one.get("exclusiveMinimum", -1) + 1)
            high = one.get("maximum", one.get("exclusiveMaximum", max(low, 0) + _MAX_NUMBER + 1) - 1)
            return {"type": "integer", "minimum": low, "maximum": high}
        case "string" if "pattern" not in one:
            low = max(1, one.get("minLength", 0))
            high = min(max(low, _MAX_CHARS), one.get("maxLength", _MAX_CHARS))
            return {"type": "string", "minLength": min(low, high), "maxLength": high}
    return {"enum": [smallest(schema, root)]}
