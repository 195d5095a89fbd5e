"""A server that applies other settings than it acknowledges: what a probe has to find out."""

from __future__ import annotations

import dataclasses
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from hosting import hosting

from rt_notebook.io.endpoints.endpoint import Endpoint
from rt_notebook.server.host.fault_kinds import Fault
from rt_notebook.server.host.faults import FaultLine
from rt_notebook.server.host.wire_actions import Pass

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Planted:
    """Stands where the faults do: these fields of a turn detection stay, whatever is asked for."""

    def __init__(self, fields: dict[str, Any]) -> None:
        self._fields = fields

    def next_connection(self) -> FaultLine:
        asked: dict[str, Any] = {}

        def from_client(event: dict[str, Any]) -> dict[str, Any]:
            wanted = detection(event)
            if event["type"] != "session.update" or wanted is None:
                return event
            asked.update(wanted)
            return with_detection(event, wanted | self._fields)

        def to_client(event: dict[str, Any]) -> list[Any]:
            if event["type"] != "session.updated" or not asked:
                return [Pass(event)]
            return [Pass(with_detection(event, detection(event) | asked))]

        return FaultLine([Fault(to_client, from_client)])


def detection(event: dict[str, Any]) -> Any:
    return event.get("session", {}).get("audio", {}).get("input", {}).get("turn_detection")


def with_detection(event: dict[str, Any], vad: dict[str, Any]) -> dict[str, Any]:
    audio = event["session"]["audio"]
    heard = audio | {"input": audio["input"] | {"turn_detection": vad}}
    return event | {"session": event["session"] | {"audio": heard}}


@asynccontextmanager
async def planted(faults: object = None, detector: object = None, **options: Any) -> AsyncIterator[Endpoint]:
    """Run a server with something in place of its faults, or of its detector; give the endpoint."""
    async with hosting(**options) as server:
        if detector is not None:
            sessions = server._sessions
            sessions.components = dataclasses.replace(sessions.components, detector=detector)
        if faults is not None:
            server._sessions._faults = faults
        yield Endpoint.url(f"{server.realtime_url}?model=local", api_key=server.key)
