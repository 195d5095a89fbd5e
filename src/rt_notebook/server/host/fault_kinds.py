"""What can go wrong on purpose: one function a fault.

Each makes a transformer of one connection's outgoing events, in GA form: an event in, what is done instead
out. It knows no socket and no clock, and draws from the chance that it is given, so the same seed does the
same things to the same events.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rt_notebook.core import wire_json
from rt_notebook.server.engine.ids import IdMaker
from rt_notebook.server.host.wire_actions import Binary, Close, FailResponse, Pass, Reset, Stall, Text, Wait

if TYPE_CHECKING:
    import random

    from rt_notebook.server.host.wire_actions import FaultAction

__all__ = ["Fault", "When"]

Json = dict[str, Any]

_LESSON = "Closed on purpose, as a lesson"
Transform = Callable[[Json], "list[FaultAction]"]


class When:
    """When a fault strikes, and how.

    Parameters
    ----------
    settings
        ``after``: the first event of its kind that it strikes at, from 1; ``times``: how often, 0 for always;
        ``probability`` of each; and what the fault has of its own.
    """

    def __init__(self, settings: dict[str, float], chance: random.Random) -> None:
        self.settings = settings
        self.chance = chance
        self.new_id = IdMaker(chance)
        self._seen = 0
        self._struck = 0

    def strikes(self) -> bool:
        """Whether it strikes at this event of its kind, the next one; it is asked once for each."""
        self._seen += 1
        if self._seen < self.settings["after"] or self._struck >= (self.settings["times"] or self._seen):
            return False
        if self.chance.random() >= self.settings["probability"]:
            return False
        self._struck += 1
        return True


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault on one connection: what becomes of events to the client, and of those from it."""

    to_client: Transform
    from_client: Callable[[Json], Json] = lambda event: event


def _of_response(event: Json) -> bool:
    return str(event["type"]).startswith("response.")


def _at(when: When, act: Transform, of_kind: Callable[[Json], bool] = _of_response) -> Fault:
    return Fault(lambda event: act(event) if of_kind(event) and when.strikes() else [Pass(event)])


def drop(when: When) -> Fault:
    """Break the connection in the middle of a response, without a goodbye."""
    return _at(when, lambda event: [Pass(event), Reset()])


def stall(when: When) -> Fault:
    """Fall silent in the middle of a response; the socket stays open."""
    return _at(when, lambda event: [Pass(event), Stall()])


def close(when: When) -> Fault:
    """Say goodbye in the middle of a response."""
    code = int(when.settings["code"])
    return _at(when, lambda event: [Pass(event), Close(code, _LESSON)])


def accept_close(when: When) -> Fault:
    """Accept the connection and close it at once."""
    code = int(when.settings["code"])
    return _at(
        when,
        lambda _: [Close(code, _LESSON)],
        lambda event: event["type"] == "session.created",
    )


def invalid_json(when: When) -> Fault:
    """Send half an event, which is no JSON, before the whole one."""

    def act(event: Json) -> list[FaultAction]:
        whole = wire_json.encode(event)
        return [Text(whole[: len(whole) // 2]), Pass(event)]

    return _at(when, act)


def binary_frame(when: When) -> Fault:
    """Send a binary frame, which the API has not."""
    return _at(when, lambda event: [Binary(when.chance.randbytes(64)), Pass(event)])


def unknown_event(when: When) -> Fault:
    """Send events of a type that nobody knows, and unknown fields in those that one knows."""

    def act(event: Json) -> list[FaultAction]:
        unknown = {"type": "response.unheard_of.delta", "event_id": when.new_id("event"), "delta": {"new": 1}}
        return [Pass(unknown), Pass(event | {"unheard_of": [None, 1, {}]})]

    return _at(when, act)


def duplicate(when: When) -> Fault:
    """Send events twice."""
    return _at(when, lambda event: [Pass(event), Pass(event)])


def reorder(when: When) -> Fault:
    """Swap an event with the next one."""
    held: list[Json] = []

    def to_client(event: Json) -> list[FaultAction]:
        if held:
            return [Pass(event), Pass(held.pop())]
        # The last event of a response is never held: nothing may follow that would set it free.
        if _of_response(event) and event["type"] != "response.done" and when.strikes():
            held.append(event)
            return []
        return [Pass(event)]

    return Fault(to_client)


def huge_frame(when: When) -> Fault:
    """Send a frame that is larger than clients allow."""
    padding_bytes = int(when.settings["mib"] * 1024 * 1024)

    def act(event: Json) -> list[FaultAction]:
        huge = {"type": "response.unheard_of.delta", "event_id": when.new_id("event")}
        return [Text(wire_json.encode(huge | {"delta": "x" * padding_bytes})), Pass(event)]

    return _at(when, act)


def slow(when: When) -> Fault:
    """Delay each piece of what is said or written; the words to what is said come in time."""
    delay_s = when.settings["delay_ms"] / 1000
    pieces = {"response.output_audio.delta", "response.output_text.delta"}
    return _at(when, lambda event: [Wait(delay_s), Pass(event)], lambda event: event["type"] in pieces)


def rate_limit(when: When) -> Fault:
    """Let responses fail because of a rate limit."""
    message = "Rate limit reached. Please try again in 2 s."
    return _failing(when, {"type": "rate_limit_error", "code": "rate_limit_exceeded", "message": message})


def server_error(when: When) -> Fault:
    """Let every response fail from some point on, until the client connects anew."""
    message = "The server had an error while processing your request."
    return _failing(when, {"type": "server_error", "code": "server_error", "message": message}, aloud=True)


def _failing(when: When, error: Json, *, aloud: bool = False) -> Fault:
    failing: set[str] = set()

    def to_client(event: Json) -> list[FaultAction]:
        if event["type"] == "response.created" and when.strikes():
            response_id = event["response"]["id"]
            failing.add(response_id)
            return [Pass(event), FailResponse(response_id, error["message"])]
        if event["type"] == "response.done" and event["response"]["id"] in failing:
            details = {"type": "failed", "error": error}
            failed = Pass(event | {"response": event["response"] | {"status_details": details}})
            said: Json = {"type": "error", "event_id": when.new_id("event")}
            said["error"] = error | {"param": None, "event_id": None}
            return [failed, Pass(said)] if aloud else [failed]
        return [Pass(event)]

    return Fault(to_client)


def ignore_settings(when: When) -> Fault:
    """Acknowledge a new turn detection and go on with the old one."""
    acknowledged: dict[str, Json | None] = {}

    def from_client(event: Json) -> Json:
        audio = _dict(_dict(event.get("session")).get("audio"))
        given = _dict(audio.get("input"))
        is_update = event.get("type") == "session.update" and "turn_detection" in given
        if not is_update or not when.strikes():
            return event
        acknowledged["turn_detection"] = given["turn_detection"]
        rest = {key: value for key, value in given.items() if key != "turn_detection"}
        return event | {"session": event["session"] | {"audio": audio | {"input": rest}}}

    def to_client(event: Json) -> list[FaultAction]:
        if event["type"] != "session.updated" or not acknowledged:
            return [Pass(event)]
        session, audio = event["session"], event["session"]["audio"]
        wanted = acknowledged["turn_detection"]
        if isinstance(wanted, dict):
            wanted = _dict(audio["input"]["turn_detection"]) | wanted
        pretended = audio | {"input": audio["input"] | {"turn_detection": wanted}}
        return [Pass(event | {"session": session | {"audio": pretended}})]

    return Fault(to_client, from_client)


def _dict(value: object) -> Json:
    return value if isinstance(value, dict) else {}
