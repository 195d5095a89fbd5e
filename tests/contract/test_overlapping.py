"""Operations that overlap: updates in flight, a close while something is awaited, a late connect."""

from __future__ import annotations

import pytest
from scripted_endpoint import scripted

from rt_notebook.errors import ConfigError, ServerError

# -- updates -------------------------------------------------------------------------------------------


def merged(peer):
    """What the endpoint was told of its session, all in all."""
    whole = {}
    for event in peer.received:
        if event["type"] == "session.update":
            for side, settings in event["session"].get("audio", {}).items():
                whole.setdefault(side, {}).update(settings)
    return whole


async def test_updates_in_flight_lose_none_of_each_other():
    async with scripted() as (session, peers):
        await session.connect()
        first, second = session.update(threshold=0.7), session.update(voice="verse")
        third = session.update(silence_duration_ms=700)
        for update in (first, second, third):
            await update
        detection = session.config.turn_detection
        assert (detection.threshold, detection.silence_duration_ms, session.config.voice) == (
            0.7,
            700,
            "verse",
        )
        told = merged(peers[0])
        assert told["input"]["turn_detection"] == detection.to_wire()
        assert told["output"]["voice"] == "verse"


async def test_a_refused_update_is_told_to_whoever_asked_for_it():
    async def script(peer, event):
        if event is not None and event.get("session", {}).get("audio", {}).get("output") == {
            "voice": "verse"
        }:
            error = {"type": "invalid_request_error", "code": "no", "event_id": event["event_id"]}
            await peer.say("error", error=error | {"message": "no"})
        else:
            await peer.usual(event)

    async with scripted(script) as (session, _):
        await session.connect()
        first, refused, last = (
            session.update(**c) for c in ({"threshold": 0.7}, {"voice": "verse"}, {"threshold": 0.8})
        )
        await first
        with pytest.raises(ServerError):
            await refused
        await last
        assert session.config.voice == "alloy"
        assert session.config.turn_detection.threshold == 0.8


async def test_an_update_that_another_makes_impossible_is_refused():
    async with scripted() as (session, _):
        await session.connect()
        off, late = session.update(turn_detection=None), session.update(threshold=0.7)
        await off
        with pytest.raises(ConfigError):
            await late
        with pytest.raises(ConfigError):
            session.update(threshold=0.7)
