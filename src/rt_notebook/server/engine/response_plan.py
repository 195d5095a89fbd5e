"""What a response is to be: the session's settings, with the overrides of a ``response.create``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rt_notebook.core.audio_format import AudioFormat
from rt_notebook.server.engine.effects import MakeReply, Tool, ToolChoice
from rt_notebook.server.engine.item_check import checked_item
from rt_notebook.server.engine.items import Item, messages_of
from rt_notebook.server.engine.refusal import BadRequest, list_at, object_at, refuse_unknown, required
from rt_notebook.server.engine.settings import chosen_temperature, updated_session

if TYPE_CHECKING:
    from rt_notebook.server.engine.state import SessionState

__all__ = ["ResponsePlan", "planned"]

Json = dict[str, Any]

_SETTINGS = frozenset(
    {"instructions", "tools", "tool_choice", "output_modalities", "audio", "max_output_tokens", "prompt"}
    | {"reasoning", "parallel_tool_calls"}
)
# What a response has and a session has not.
_ONLY_RESPONSE = frozenset({"conversation", "metadata", "input"})
_MOST_PAIRS, _LONGEST_KEY_CHARS, _LONGEST_VALUE_CHARS = 16, 64, 512


@dataclass(frozen=True, slots=True)
class ResponsePlan:
    """What a response is to be: the session's settings with the overrides of its ``response.create``.

    Parameters
    ----------
    settings
        Its part of the wire's response object.
    given
        The items that it answers instead of the conversation; None for the conversation.
    shared
        Whether it writes into the conversation; a response out of band does not.
    """

    settings: Json
    instructions: str | None
    aloud: bool
    output_format: AudioFormat
    shared: bool = True
    given: tuple[Item, ...] | None = None
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice = "auto"
    max_tokens: int | None = None
    temperature: float | None = None
    speed: float = 1.0

    def context(self, state: SessionState) -> list[Item]:
        """Return the items that it answers."""
        return list(state.conversation.items if self.given is None else self.given)

    def work(self, job_id: str, context: list[Item]) -> MakeReply:
        """Return the work that it is."""
        spoken = [item.heard for item in context if item.wire.get("role") == "user"]
        return MakeReply(
            response_id=job_id,
            messages=messages_of(context, self.instructions),
            aloud=self.aloud,
            temperature=self.temperature,
            max_tokens=self.max_tokens,
            tools=self.tools,
            tool_choice=self.tool_choice,
            heard=spoken[-1] if spoken else b"",
            speed=self.speed,
        )


def planned(state: SessionState, overrides: object) -> ResponsePlan:
    """Return the plan of a response.

    Raises
    ------
    BadRequest
        An override is unknown or out of range.
    """
    overrides = object_at(overrides, "response")
    chosen = _chosen(state.session, overrides)
    output = chosen["audio"]["output"]
    settings: Json = {
        "output_modalities": chosen["output_modalities"],
        "max_output_tokens": chosen["max_output_tokens"],
        "audio": {"output": {"format": output["format"], "voice": output["voice"]}},
        "metadata": _metadata(overrides.get("metadata")),
    }
    if "temperature" in chosen:
        settings["temperature"] = chosen["temperature"]
    limit = chosen["max_output_tokens"]
    return ResponsePlan(
        settings=settings,
        instructions=chosen["instructions"],
        aloud="audio" in chosen["output_modalities"] and state.abilities.speaks,
        output_format=AudioFormat.from_wire(output["format"]),
        shared=_shared(overrides.get("conversation")),
        given=_given(state, overrides.get("input")),
        tools=tuple(_tool(tool) for tool in chosen["tools"]),
        tool_choice=_tool_choice(chosen["tool_choice"]),
        max_tokens=limit if isinstance(limit, int) else None,
        temperature=chosen_temperature(chosen),
        speed=output["speed"],
    )


def _chosen(session: Json, overrides: Json) -> Json:
    known = _SETTINGS | ({"temperature"} & session.keys())
    refuse_unknown(overrides, known | _ONLY_RESPONSE, "response")
    patch = {key: value for key, value in overrides.items() if key in known}
    if not patch:
        return session
    try:
        return updated_session(session, {"type": session["type"]} | patch, has_spoken=False)
    except BadRequest as refusal:
        where = (refusal.param or "response").replace("session", "response", 1)
        raise BadRequest(refusal.code, str(refusal).replace("'session.", "'response."), where) from None


def _metadata(given: object) -> Json | None:
    if given is None:
        return None
    path = "response.metadata"
    pairs = object_at(given, path)
    if len(pairs) > _MOST_PAIRS:
        raise BadRequest("invalid_value", f"'{path}' holds at most {_MOST_PAIRS} pairs.", path)
    for key, value in pairs.items():
        if len(key) > _LONGEST_KEY_CHARS or not isinstance(value, str) or len(value) > _LONGEST_VALUE_CHARS:
            message = (
                f"'{path}' holds strings, keys of at most {_LONGEST_KEY_CHARS} characters and values of at "
                f"most {_LONGEST_VALUE_CHARS}."
            )
            raise BadRequest("invalid_value", message, path)
    return pairs


def _shared(conversation: object) -> bool:
    if conversation in (None, "auto", "none"):
        return conversation != "none"
    message = f"Invalid value: {conversation!r}. Supported values are: 'auto' and 'none'."
    raise BadRequest("invalid_value", message, "response.conversation")


def _given(state: SessionState, items: object) -> tuple[Item, ...] | None:
    if items is None:
        return None
    path = "response.input"
    found: list[Item] = []
    for number, given in enumerate(list_at(items, path)):
        where = f"{path}[{number}]"
        if isinstance(given, dict) and given.get("type") == "item_reference":
            item_id = required(given, "id", f"{where}.id")
            item = state.conversation.find(item_id)
            if item is None:
                message = f"Item with id '{item_id}' not found."
                raise BadRequest("invalid_value", message, f"{where}.id")
        else:
            known = [*state.conversation.items, *found]
            item = checked_item(given, state.new_id, known, state.input_format, where)
        found.append(item)
    return tuple(found)


def _tool(wire: Json) -> Tool:
    return Tool(wire["name"], wire.get("description") or "", wire.get("parameters") or {})


def _tool_choice(wire: object) -> ToolChoice:
    if isinstance(wire, dict):
        # GA names the function at the top, the preview dialect one level below.
        return str(wire.get("name") or wire["function"]["name"])
    return str(wire)
