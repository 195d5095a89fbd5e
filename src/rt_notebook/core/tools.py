"""`tool`: a Python function that the model may call. Its schema comes from its type hints and docstring."""

from __future__ import annotations

import inspect
import re
import typing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

import msgspec

from rt_notebook.core.docstrings import read_docstring
from rt_notebook.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Approval", "Tool", "tool"]

Approval = Literal["always", "once", "never"]

T = TypeVar("T")

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_HINTS = (
    "str, int, float, bool, list, dict, Literal, an Enum, a dataclass, a TypedDict, Optional or Annotated"
)
_Kind = inspect.Parameter


@dataclass(frozen=True, slots=True, eq=False)
class Tool:
    """A function that the model may call. Made by `tool`; calling it calls the function.

    Attributes
    ----------
    function
        What runs.
    name, description
        What the model knows it by.
    parameters
        The JSON schema of its arguments.
    approve
        When somebody is asked: ``"always"``, ``"once"`` a session, ``"never"``.
    timeout_s
        How long it may run.
    approval_s
        How long an answer is waited for before the call is denied.
    """

    function: Callable[..., Any]
    name: str
    description: str
    parameters: dict[str, Any]
    approve: Approval
    timeout_s: float
    approval_s: float
    _arguments: type[msgspec.Struct] = field(repr=False)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function, as if it had not been decorated."""
        return self.function(*args, **kwargs)

    def to_wire(self) -> dict[str, Any]:
        """Return the tool in the API's own form."""
        told = {"description": self.description} if self.description else {}
        return {"type": "function", "name": self.name} | told | {"parameters": self.parameters}

    def read_arguments(self, arguments: str) -> dict[str, Any]:
        """Return the arguments of a call as the function takes them; what was left out is left out here.

        Raises
        ------
        ValueError
            They are not JSON, or not what the hints say; the message tells what is wrong, for the model.
        """
        values = msgspec.json.decode(arguments or "{}", type=self._arguments)
        given = {name: getattr(values, name) for name in values.__struct_fields__}
        return {name: value for name, value in given.items() if value is not msgspec.UNSET}


@overload
def tool(function: Callable[..., Any], /) -> Tool: ...
@overload
def tool(
    *,
    name: str | None = None,
    description: str | None = None,
    approve: Approval = "always",
    timeout_s: float = 30.0,
    approval_s: float = 60.0,
) -> Callable[[Callable[..., Any]], Tool]: ...
def tool(
    function: Callable[..., Any] | None = None,
    /,
    *,
    name: str | None = None,
    description: str | None = None,
    approve: Approval = "always",
    timeout_s: float = 30.0,
    approval_s: float = 60.0,
) -> Tool | Callable[[Callable[..., Any]], Tool]:
    """Make a function into a tool: ``@tool``, or ``@tool(approve="never")``.

    A synchronous function runs in a thread of its own, an asynchronous one in a loop for tools. Its result
    goes to the model: a text as it is, all else as JSON. Of an exception, the model is told in a line.

    Parameters
    ----------
    name
        What the model calls it. Default: the function's name.
    description
        What it does and when to use it. Default: the docstring, up to its first section.
    approve
        When somebody is asked before it runs: ``"always"`` (default), ``"once"`` in a session, or, for
        functions that change nothing, ``"never"``. What the model heard is not consent.
    timeout_s
        How long it may run before the model is told that it took too long.
    approval_s
        How long an answer is waited for before the call is denied.

    Raises
    ------
    ConfigError
        A type hint is missing or cannot be told to the model, or an option is wrong.

    Examples
    --------
    >>> @tool(approve="never")
    ... def get_weather(city: str, unit: Literal["celsius", "fahrenheit"] = "celsius") -> str:
    ...     '''Tell the weather in a city.
    ...
    ...     Parameters
    ...     ----------
    ...     city
    ...         Name of the city, such as Paris.
    ...     '''
    ...     return f"18 degrees {unit} in {city}, light rain"
    >>> session = Session(config=SessionConfig(tools=[get_weather]))
    """

    def make(function: Callable[..., Any]) -> Tool:
        _check_function(function)
        own_name = function.__name__ if name is None else name
        if not isinstance(own_name, str) or _NAME.fullmatch(own_name) is None:
            raise ConfigError(
                f"{own_name!r} cannot be the name of a tool.",
                "Give name= up to 64 letters, digits, underscores and hyphens.",
            )
        hints = _hints(function)
        summary, told = read_docstring(function.__doc__, hints)
        return Tool(
            function,
            own_name,
            summary if description is None else description,
            _schema(own_name, hints, told),
            approve,
            timeout_s,
            approval_s,
            _arguments_type(own_name, hints),
        )

    if approve not in ("always", "once", "never"):
        raise ConfigError(f"approve={approve!r} is unknown.", 'Use "always", "once" or "never".')
    for option, value in (("timeout_s", timeout_s), ("approval_s", approval_s)):
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 3600:
            raise ConfigError(
                f"{option}={value!r} is out of range.", "Give seconds, more than 0, up to 3600."
            )
    return make if function is None else make(function)


def _check_function(function: Callable[..., Any]) -> None:
    if not inspect.isroutine(function):
        raise ConfigError(f"{function!r} is not a function.", "Decorate a function or give a method.")
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise ConfigError(
            f"{function.__name__} yields its results, and a call has one.", "Return them, as a list, say."
        )


def _hints(function: Callable[..., Any]) -> dict[str, tuple[Any, Any]]:
    """Return each parameter's type hint and default (``inspect.Parameter.empty`` for none)."""
    try:
        signature = inspect.signature(function)
        known = typing.get_type_hints(function, include_extras=True)
    except (NameError, TypeError, ValueError) as error:
        raise ConfigError(
            f"The type hints of {function.__name__} cannot be read: {error}.",
            "Define the types that it names before it, outside of functions.",
        ) from None
    hints = {}
    for parameter in signature.parameters.values():
        if parameter.kind in {_Kind.VAR_POSITIONAL, _Kind.VAR_KEYWORD, _Kind.POSITIONAL_ONLY}:
            raise ConfigError(
                f"{function.__name__}: {parameter} cannot be told to a model.",
                "Give the function parameters that have names.",
            )
        if parameter.name not in known:
            raise ConfigError(
                f"{function.__name__}: {parameter.name} has no type hint to tell the model.",
                f"Give it one: {_HINTS}.",
            )
        hints[parameter.name] = (_described(known[parameter.name]), parameter.default)
    return hints


def _described(hint: Any) -> Any:
    """Let a text beside a hint describe it: ``Annotated[str, "name of the city"]``."""
    if typing.get_origin(hint) is not typing.Annotated:
        return hint
    extras = [msgspec.Meta(description=x) if isinstance(x, str) else x for x in hint.__metadata__]
    return typing.Annotated[(hint.__origin__, *extras)]


def _arguments_type(name: str, hints: dict[str, tuple[Any, Any]]) -> type[msgspec.Struct]:
    """Make the type that arguments are checked against. It leaves the defaults to the function."""
    fields: list[Any] = [
        (parameter, hint)
        if default is _Kind.empty
        else (parameter, typing.Union[hint, msgspec.UnsetType], msgspec.UNSET)  # noqa: UP007 - of values
        for parameter, (hint, default) in hints.items()
    ]
    return msgspec.defstruct(re.sub(r"\W", "_", name), fields, forbid_unknown_fields=True, kw_only=True)


def _schema(name: str, hints: dict[str, tuple[Any, Any]], told: dict[str, str]) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    for parameter, (hint, default) in hints.items():
        try:
            schema = msgspec.json.schema(hint)
            msgspec.json.Decoder(hint)
            properties[parameter] = _plain(schema, schema.get("$defs", {}), ())
        except (TypeError, NameError, ValueError, RecursionError):
            raise ConfigError(
                f"{name}: the type hint of {parameter}, {_shown(hint)}, cannot be told to a model.",
                f"Use {_HINTS}.",
            ) from None
        if parameter in told:
            properties[parameter].setdefault("description", told[parameter])
        if default is not _Kind.empty:
            _tell_default(properties[parameter], default)
    required = [parameter for parameter, (_, default) in hints.items() if default is _Kind.empty]
    schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return schema | ({"required": required} if required else {})


def _plain(schema: Any, definitions: dict[str, Any], inside: tuple[str, ...]) -> Any:
    """Write out what is referred to, and leave out what tells nothing: small models follow no references."""
    if isinstance(schema, list):
        return [_plain(part, definitions, inside) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        if name in inside:
            raise RecursionError(name)
        return _plain(definitions[name], definitions, (*inside, name)) | {
            key: value for key, value in schema.items() if key not in {"$ref", "$defs"}
        }
    # Below "properties" stand names of the user's, "title" among them.
    return {
        key: {name: _plain(part, definitions, inside) for name, part in value.items()}
        if key == "properties"
        else _plain(value, definitions, inside)
        for key, value in schema.items()
        if key not in {"title", "$defs"}
    }


def _tell_default(schema: dict[str, Any], default: object) -> None:
    try:
        schema["default"] = msgspec.to_builtins(default)
    except (TypeError, ValueError):
        schema.pop("default", None)  # nothing that JSON can say; the function knows


def _shown(hint: Any) -> str:
    return hint.__qualname__ if isinstance(hint, type) else str(hint)
