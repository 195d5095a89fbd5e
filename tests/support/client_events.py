"""Strategies for whatever a client may do: legal and illegal events in GA form, and the components' results.

A script is a list of `Send`, `Hear` and `Result`. What an event refers to (an item, a response, a call) is a
`Ref`, which becomes a real id only when the script is played, so that scripts shrink well and legal ones stay
legal. `Player.play` plays one in any dialect::

    @given(scripts)
    def test_something(script):
        client = Player("preview").play(script)
        check_order(client.driver.events)         # engine_order.py
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

from engine_driver import FRAME
from hypothesis import strategies as st
from wire_client import WEATHER, WireClient, message

__all__ = ["Hear", "Player", "Ref", "Result", "Send", "illegal", "json_values", "legal", "results", "scripts"]

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Ref:
    """An id of what is known at that moment: ``"item"``, ``"response"`` or ``"call"``."""

    kind: str
    number: int


@dataclass(frozen=True, slots=True)
class Send:
    """A client's event, in GA form, with `Ref` for ids."""

    event: Json


@dataclass(frozen=True, slots=True)
class Hear:
    """Audio, of which the detector will say this frame by frame; `odd_bytes` cut a frame in two."""

    probabilities: tuple[float, ...]
    odd_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Result:
    """What the component with the oldest work does next."""

    kind: str


# -- legal events -----------------------------------------------------------------------------------------

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 3000) | st.floats(-1, 2) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)
_words = st.sampled_from(["Hello.", "What is two plus two?", "Grüße, 你好!", " ", "a" * 200])
_items = st.integers(0, 5).map(lambda number: Ref("item", number))
_formats = st.sampled_from(
    [{"type": "audio/pcm", "rate": 24_000}, {"type": "audio/pcmu"}, {"type": "audio/pcma"}]
)
_detections = st.one_of(
    st.none(),
    st.fixed_dictionaries(
        {"type": st.just("server_vad")},
        optional={
            "threshold": st.sampled_from([0.0, 0.3, 0.5, 1.0]),
            "prefix_padding_ms": st.sampled_from([0, 100, 300, 1000]),
            "silence_duration_ms": st.sampled_from([0, 64, 200, 500]),
            "create_response": st.booleans(),
            "interrupt_response": st.booleans(),
            "idle_timeout_ms": st.sampled_from([None, 5000]),
        },
    ),
    st.fixed_dictionaries(
        {"type": st.just("semantic_vad")},
        optional={
            "eagerness": st.sampled_from(["low", "medium", "high", "auto"]),
            "create_response": st.booleans(),
            "interrupt_response": st.booleans(),
        },
    ),
)
_tools = st.sampled_from([[], [WEATHER], [WEATHER, WEATHER | {"name": "get_time"}]])
_metadata = st.none() | st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2)
_audio_parts = st.integers(0, 4).map(
    lambda frames: {"type": "input_audio", "audio": base64.b64encode(FRAME * frames).decode()}
)
_ids = st.sampled_from(["mine_1", "mine_2", "mine_3"])


def _with(base: Json, **optional: st.SearchStrategy[Any]) -> st.SearchStrategy[Json]:
    return st.fixed_dictionaries({key: st.just(value) for key, value in base.items()}, optional=optional)


_parts = _audio_parts | _words.map(lambda words: {"type": "input_text", "text": words})
_new_items = st.one_of(
    st.builds(message, _words, st.sampled_from(["user", "system", "assistant"])),
    st.builds(lambda text, id_: message(text, id=id_), _words, _ids),
    st.lists(_parts, min_size=1, max_size=2).map(lambda parts: message("") | {"content": parts}),
    st.integers(0, 3).map(
        lambda n: {"type": "function_call_output", "call_id": Ref("call", n), "output": "12 degrees"}
    ),
    st.just({"type": "function_call", "name": "get_weather", "call_id": "call_mine", "arguments": "{}"}),
)
_sessions = _with(
    {"type": "realtime"},
    instructions=_words | st.just(""),
    output_modalities=st.sampled_from([["text"], ["audio"]]),
    tools=_tools,
    max_output_tokens=st.sampled_from(["inf", 1, 4096]),
    audio=st.fixed_dictionaries(
        {},
        optional={
            "input": st.fixed_dictionaries(
                {},
                optional={
                    "format": _formats,
                    "turn_detection": _detections,
                    "transcription": st.sampled_from([None, {"model": "whisper-1"}]),
                    "noise_reduction": st.sampled_from([None, {"type": "near_field"}]),
                },
            ),
            "output": st.fixed_dictionaries(
                {}, optional={"format": _formats, "voice": st.sampled_from(["alloy", "echo"])}
            ),
        },
    ),
)
_responses = _with(
    {},
    instructions=_words,
    output_modalities=st.sampled_from([["text"], ["audio"]]),
    conversation=st.sampled_from(["auto", "none"]),
    metadata=_metadata,
    tools=_tools,
    max_output_tokens=st.sampled_from(["inf", 1, 4096]),
    audio=st.fixed_dictionaries({"output": st.fixed_dictionaries({"format": _formats})}),
    input=st.lists(_new_items | _items.map(lambda ref: {"type": "item_reference", "id": ref}), max_size=2),
)
legal = st.one_of(
    _sessions.map(lambda session: {"type": "session.update", "session": session}),
    _with({"type": "conversation.item.create"}, previous_item_id=_items | st.just("root")).flatmap(
        lambda event: _new_items.map(lambda item: event | {"item": item})
    ),
    _items.map(lambda ref: {"type": "conversation.item.retrieve", "item_id": ref}),
    _items.map(lambda ref: {"type": "conversation.item.delete", "item_id": ref}),
    st.builds(
        lambda ref, ms: {
            "type": "conversation.item.truncate",
            "item_id": ref,
            "content_index": 0,
            "audio_end_ms": ms,
        },
        _items,
        st.sampled_from([0, 1, 500, 1000, 1001]),
    ),
    _with({"type": "response.create"}, response=_responses),
    st.integers(0, 2).map(lambda n: {"type": "response.cancel", "response_id": Ref("response", n)}),
    st.sampled_from(
        [
            *("input_audio_buffer.commit", "input_audio_buffer.clear", "response.create", "response.cancel"),
            "output_audio_buffer.clear",
        ]
    ).map(lambda kind: {"type": kind}),
)
"""Events as a right client sends them; what they refer to may be gone by then."""

# -- illegal events ---------------------------------------------------------------------------------------

_known_words = st.sampled_from(
    [
        *("realtime", "transcription", "message", "user", "assistant", "inf", "none", "function", "root"),
        *([], {}, ["audio"], ["text"], ["audio", "text"], {"input": {"format": 1}}, {"output": None}),
        *({"type": "server_vad"}, {"type": "item_reference"}, [{"type": "function"}], [None]),
    ]
)


def _named(*keys: str) -> st.SearchStrategy[Json]:
    """Return objects with the right keys and anything in them."""
    return st.fixed_dictionaries({}, optional=dict.fromkeys(keys, json_values | _known_words))


illegal = st.fixed_dictionaries(
    {
        "type": st.sampled_from(
            [
                *("session.update", "input_audio_buffer.append", "input_audio_buffer.commit"),
                *("conversation.item.create", "conversation.item.retrieve", "conversation.item.delete"),
                *("conversation.item.truncate", "response.create", "response.cancel", "nonsense", ""),
                "transcription_session.update",
            ]
        )
    },
    optional={
        "session": json_values
        | _named(
            *("type", "instructions", "output_modalities", "audio", "temperature", "tools", "tool_choice"),
            *("max_output_tokens", "tracing", "prompt", "include", "truncation", "modalities", "voice"),
            *("turn_detection", "input_audio_format", "speed"),
        ),
        "audio": json_values,
        "item": json_values
        | _named("id", "type", "role", "content", "call_id", "output", "name", "arguments"),
        "item_id": json_values | _items,
        "content_index": json_values,
        "audio_end_ms": json_values,
        "response": json_values
        | _named(
            *("output_modalities", "audio", "instructions", "max_output_tokens", "metadata", "input"),
            *("conversation", "tools", "tool_choice", "temperature", "modalities"),
        ),
        "response_id": json_values,
        "previous_item_id": json_values,
        "event_id": json_values,
    },
)
"""Events with known names and anything in them."""

# -- scripts ----------------------------------------------------------------------------------------------

results = st.sampled_from(
    [
        *("transcribe", "transcribe nothing", "fail to transcribe", "judge end", "judge pause"),
        *(
            "reply",
            "reply half",
            "call",
            "call half",
            "words and call",
            "finish",
            "cut",
            "break",
            "end nothing",
        ),
    ]
).map(Result)
"""What components do."""

_sounds = st.builds(
    Hear,
    st.lists(st.sampled_from([0.0, 0.0, 0.4, 0.9, 0.9]), max_size=14).map(tuple)
    | st.sampled_from([(0.9,) * 12 + (0.0,) * 16, (0.0,) * 170]),
    st.sampled_from([0, 0, 1, 7]),
)
_appends = _sounds
scripts = st.lists(
    st.one_of(legal.map(Send), legal.map(Send), _appends, _appends, results, results, illegal.map(Send)),
    max_size=25,
)
"""Whole sessions."""


class Player(WireClient):
    """A client that plays scripts; afterwards `wire` and `driver.events` hold what was sent."""

    def play(self, script: list[Send | Hear | Result]) -> Player:
        """Play a script."""
        for step in script:
            match step:
                case Send(event):
                    self.send(event["type"], **{k: self._real(v) for k, v in event.items() if k != "type"})
                case Hear(probabilities, odd_bytes):
                    self.driver.probabilities += probabilities
                    audio = FRAME * len(probabilities) + bytes(odd_bytes)
                    self.send("input_audio_buffer.append", audio=base64.b64encode(audio).decode())
                case Result(kind):
                    self._do(kind)
        return self

    def finish_all(self) -> Player:
        """Let all work end, so that nothing is left open."""
        for _ in range(100):
            if not self.driver.transcribing and not self.driver.replying and not self._working:
                break
            for kind in ("transcribe", "reply", "finish"):
                self._do(kind)
        return self

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._working: list[str] = []

    def _real(self, value: Any) -> Any:
        if isinstance(value, Ref):
            known = self._known(value.kind)
            return known[value.number % len(known)] if known else f"{value.kind}_unknown"
        if isinstance(value, list):
            return [self._real(inner) for inner in value]
        return {k: self._real(v) for k, v in value.items()} if isinstance(value, dict) else value

    def _known(self, kind: str) -> list[str]:
        events = self.driver.events
        if kind == "item":
            return [e["item"]["id"] for e in events if e["type"] == "conversation.item.added"]
        if kind == "response":
            return [e["response"]["id"] for e in events if e["type"] == "response.created"]
        return [e["call_id"] for e in events if e["type"] == "response.function_call_arguments.done"]

    def _do(self, kind: str) -> None:
        driver, engine = self.driver, self.engine
        if "transcribe" in kind and driver.transcribing:
            words = {"transcribe": "hello there", "transcribe nothing": ""}.get(kind)
            driver.transcribe(words, None if words is not None else "It failed.")
        elif kind.startswith("judge") and driver.judging:
            job_id = driver.judging.pop(0).job_id
            driver.take(engine.judged(job_id, 0.9 if kind == "judge end" else 0.1))
        elif kind in {"finish", "cut", "break"} and self._working:
            job_id = self._working.pop(0)
            problem = "It broke." if kind == "break" else None
            driver.take(engine.finished(job_id, problem, cut=kind == "cut"))
        elif kind in {"reply", "reply half", "call", "call half", "words and call", "end nothing"}:
            self._reply(kind)

    def _reply(self, kind: str) -> None:
        if not self.driver.replying:
            return
        work = self.driver.replying.pop(0)
        take, engine, job_id = self.driver.take, self.engine, work.response_id
        if kind in {"reply", "reply half", "words and call"}:
            for number, words in enumerate(("Yes. ", "No, not at all.")):
                take(engine.replied(job_id, words))
                if work.aloud:
                    take(engine.spoke(job_id, bytes(range(256)) * 100, len("Yes. ") + number * 15))
        if kind in {"call", "call half", "words and call"}:
            take(engine.called(job_id, "get_weather", ""))
            take(engine.called(job_id, "", '{"city": '))
            take(engine.called(job_id, "", '"London"}'))
        if kind.endswith("half"):
            self._working.append(job_id)
        else:
            take(engine.finished(job_id))
