"""What a session can be told: `SessionConfig` and its turn detection.

Values are checked when they are made, so that a wrong one is refused in the cell that wrote it and not by
the endpoint a second later. Ranges and defaults are those of the Realtime API reference.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from rt_notebook.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rt_notebook.core.tools import Tool

__all__ = ["SemanticVad", "ServerVad", "SessionConfig", "TurnDetection", "changed_part"]


def _is_number(value: object) -> bool:
    """Whether it is one by its abstract kind, which numpy's numbers are of as well."""
    return isinstance(value, Real) and not isinstance(value, bool)


def _number(name: str, value: Any, low: float, high: float) -> float:
    if not _is_number(value) or not low <= value <= high:
        raise ConfigError(f"{name}={value!r} is out of range.", f"Give a number from {low:g} to {high:g}.")
    return min(max(float(value), low), high)  # a float32 passes for 1.2, and is a little more


def _check_switch(name: str, value: object) -> None:
    if not isinstance(value, bool):
        raise ConfigError(f"{name}={value!r} is neither True nor False.", "Give one of the two.")


def _whole(name: str, value: Any, low: int, high: int) -> int:
    if not _is_number(value) or not low <= value <= high or value != int(value):
        raise ConfigError(f"{name}={value!r} is not usable.", f"Give a whole number from {low} to {high}.")
    return int(value)


def _names(settings: Any) -> list[str]:
    return [f.name for f in dataclasses.fields(settings)]


class _Settings:
    """Shared by the frozen settings classes: a copy with changes that names what it does not know."""

    def replace(self, **changes: Any) -> Self:
        """Return a copy with some settings changed.

        Raises
        ------
        ConfigError
            A setting is unknown or its value is out of range.
        """
        known = _names(self)
        for name in changes:
            if name not in known:
                raise ConfigError(
                    f"{type(self).__name__} has no setting {name!r}.", f"Use one of: {', '.join(known)}."
                )
        return dataclasses.replace(self, **changes)  # type: ignore[type-var]


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerVad(_Settings):
    """Turn detection by the endpoint's voice activity detector (``server_vad``).

    Parameters
    ----------
    threshold
        Speech probability from which a frame counts as speech, 0 to 1. Higher needs clearer speech.
    prefix_padding_ms
        Audio kept from before the detected onset. It moves the start of what the model hears, no decision.
    silence_duration_ms
        Silence after which a turn ends. It adds directly to the latency.
    create_response
        Answer when a turn ends.
    interrupt_response
        Cancel a running answer when the user starts to speak.
    idle_timeout_ms
        Prompt the user after this much silence, 5000 to 30000; None never does. GA dialect only.
    """

    NUMBERS: ClassVar[tuple[str, ...]] = ("threshold", "prefix_padding_ms", "silence_duration_ms")
    """The settings that turns follow from: what is turned, swept and probed."""

    threshold: float = 0.5
    prefix_padding_ms: int = 300
    silence_duration_ms: int = 500
    create_response: bool = True
    interrupt_response: bool = True
    idle_timeout_ms: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "threshold", _number("threshold", self.threshold, 0.0, 1.0))
        for name in ("prefix_padding_ms", "silence_duration_ms"):
            object.__setattr__(self, name, _whole(name, getattr(self, name), 0, 10_000))
        _check_switch("create_response", self.create_response)
        _check_switch("interrupt_response", self.interrupt_response)
        if self.idle_timeout_ms is not None:
            idle_ms = _whole("idle_timeout_ms", self.idle_timeout_ms, 5_000, 30_000)
            object.__setattr__(self, "idle_timeout_ms", idle_ms)

    def numbers(self) -> dict[str, Any]:
        """Return the settings of `NUMBERS` by name, in that order."""
        return {name: getattr(self, name) for name in self.NUMBERS}

    def to_wire(self) -> dict[str, Any]:
        """Return the ``turn_detection`` object, every field in it: the defaults of servers differ."""
        return {"type": "server_vad"} | dataclasses.asdict(self)


@dataclass(frozen=True, kw_only=True, slots=True)
class SemanticVad(_Settings):
    """Turn detection by what is said (``semantic_vad``); it has no threshold, padding or silence.

    Parameters
    ----------
    eagerness
        How soon a turn is taken to be over. ``"auto"`` means ``"medium"``.
    create_response, interrupt_response
        As in `ServerVad`.
    """

    eagerness: Literal["low", "medium", "high", "auto"] = "auto"
    create_response: bool = True
    interrupt_response: bool = True

    def __post_init__(self) -> None:
        if self.eagerness not in ("low", "medium", "high", "auto"):
            raise ConfigError(f"eagerness={self.eagerness!r} is unknown.", "Use low, medium, high or auto.")
        _check_switch("create_response", self.create_response)
        _check_switch("interrupt_response", self.interrupt_response)

    def to_wire(self) -> dict[str, Any]:
        """Return the ``turn_detection`` object."""
        return {"type": "semantic_vad"} | dataclasses.asdict(self)


TurnDetection = ServerVad | SemanticVad | None
"""None is push-to-talk: the client commits the audio and asks for the answer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SessionConfig(_Settings):
    """Everything a session is told about the conversation.

    Parameters
    ----------
    instructions
        The system message. None leaves the endpoint's own.
    voice
        Name of the voice; any name is passed on, since endpoints add new ones. It is locked once the
        assistant has spoken.
    temperature
        Sampling temperature, 0.6 to 1.2. Preview dialect only; None leaves it to the endpoint.
    turn_detection
        `ServerVad` (default), `SemanticVad`, or None for push-to-talk.
    tools
        What the model may call: functions made into tools by `rt_notebook.tool`, which the session runs; or,
        to be answered by yourself, dicts in the API's own form:
        ``{"type": "function", "name", "description", "parameters"}``.
    output
        ``"audio"`` (speech with its transcript) or ``"text"``.
    transcription
        Model that writes down what the user says; on Azure it is the name of a deployment. None turns it off.
    """

    instructions: str | None = None
    voice: str = "alloy"
    temperature: float | None = None
    turn_detection: TurnDetection = field(default_factory=ServerVad)
    tools: Sequence[Tool | dict[str, Any]] = ()
    output: Literal["audio", "text"] = "audio"
    transcription: str | None = "whisper-1"

    def __post_init__(self) -> None:
        if self.temperature is not None:
            object.__setattr__(self, "temperature", _number("temperature", self.temperature, 0.6, 1.2))
        if not isinstance(self.voice, str) or not self.voice:
            raise ConfigError(f"voice={self.voice!r} is not a name.", 'Give a name such as "alloy".')
        if self.output not in {"audio", "text"}:
            raise ConfigError(f"output={self.output!r} is unknown.", 'Use "audio" or "text".')
        if self.turn_detection is not None and not isinstance(self.turn_detection, ServerVad | SemanticVad):
            raise ConfigError(
                f"turn_detection={self.turn_detection!r} is not usable.",
                "Give ServerVad(...), SemanticVad(...) or None.",
            )
        object.__setattr__(self, "tools", _checked_tools(self.tools))

    def replace(self, **changes: Any) -> Self:
        """Return a copy with some settings changed.

        The fields of the turn detection in use may be given directly: ``config.replace(threshold=0.7)``.

        Raises
        ------
        ConfigError
            A setting is unknown, out of range, or belongs to a turn detection that is not in use.
        """
        own = _names(self)
        detection_changes = {name: changes.pop(name) for name in list(changes) if name not in own}
        config = dataclasses.replace(self, **changes)
        detection = config.turn_detection
        known = [] if detection is None else _names(detection)
        for name in detection_changes:
            if name not in known:
                kinds = [kind.__name__ for kind in (ServerVad, SemanticVad) if name in _names(kind)]
                first = f", or set turn_detection={kinds[0]}(...) first" if kinds else ""
                raise ConfigError(
                    f"{name!r} is no setting of this session.",
                    f"Use one of: {', '.join(own + known)}{first}.",
                )
        if detection is None or not detection_changes:
            return config
        return dataclasses.replace(config, turn_detection=detection.replace(**detection_changes))

    def to_wire(self) -> dict[str, Any]:
        """Return the GA ``session`` object.

        ``temperature`` stands at the top level; the dialects decide what becomes of it.
        """
        audio_format = {"type": "audio/pcm", "rate": 24_000}
        session: dict[str, Any] = {
            "type": "realtime",
            "output_modalities": [self.output],
            "audio": {
                "input": {
                    "format": audio_format,
                    "transcription": None if self.transcription is None else {"model": self.transcription},
                    "turn_detection": None if self.turn_detection is None else self.turn_detection.to_wire(),
                },
                "output": {"format": audio_format, "voice": self.voice},
            },
            "tools": [one if isinstance(one, dict) else one.to_wire() for one in self.tools],
        }
        if self.instructions is not None:
            session["instructions"] = self.instructions
        if self.temperature is not None:
            session["temperature"] = self.temperature
        return session


def _checked_tools(tools: Sequence[Tool | dict[str, Any]]) -> tuple[Tool | dict[str, Any], ...]:
    checked = tuple(tools)
    names = set()
    for one in checked:
        # Not by class: a session without tools need not load what makes them.
        name = one.get("name") if isinstance(one, dict) else getattr(one, "name", None)
        if not isinstance(one, dict) and not hasattr(one, "to_wire"):
            raise ConfigError(f"{one!r} is no tool.", "Decorate the function with @tool, or give a dict.")
        if name is not None and name in names:
            raise ConfigError(f"Two tools are named {name!r}.", "Give one of them another name.")
        names.add(name)
    return checked


def changed_part(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """Return what a ``session.update`` has to name to get from one session object to another.

    ``audio`` is compared by its leaves, all else as a whole: a turn detection is always sent complete, and a
    voice is left out when it did not change, since an endpoint refuses to set it once it has spoken.
    """
    part: dict[str, Any] = {"type": after["type"]}
    part |= {k: v for k, v in after.items() if k != "audio" and before.get(k) != v}
    part |= {k: None for k in before if k not in after}
    for side in ("input", "output"):
        old, new = before["audio"][side], after["audio"][side]
        changes = {key: value for key, value in new.items() if old.get(key) != value}
        if changes:
            part.setdefault("audio", {})[side] = changes
    return part
