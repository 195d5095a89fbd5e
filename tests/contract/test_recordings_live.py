"""Recorded clients at `rt-notebook serve`: through sockets, with speech, with real components behind."""

from __future__ import annotations

import pytest
from canonical import main_line, transcriptions, types
from engine_replay import FRAME_MS, speech_frames
from live_replay import PATHS, replay_live
from served import serving
from wire_recordings import RECORDINGS, frames

from rt_notebook.core.dialects import DIALECTS

pytestmark = pytest.mark.speech
NEAR_MS = 200


@pytest.fixture(scope="module")
def served(speech):
    with serving() as ready:
        yield ready


@pytest.mark.parametrize("name", list(PATHS))
@pytest.mark.conformance("rule/wire.recordings")
async def test_a_recorded_client_gets_what_the_endpoint_sent(served, speech, shared_data, name):
    recorded = frames(shared_data, name)
    theirs = [frame.event for frame in recorded if not frame.sent]
    ours = await replay_live(recorded, name, served, speech, "Hello my name is Marcelo.")
    expected, got = (types(main_line(events, rate_limits=False)) for events in (theirs, ours))
    assert got == expected
    assert transcriptions(ours) == transcriptions(theirs)
    from_wire = DIALECTS[RECORDINGS[name]].server_from_wire
    heard, found = (speech_frames([from_wire(event) for event in events]) for events in (theirs, ours))
    assert len(found) == len(heard)
    for (start, _), (at, _) in zip(heard, found, strict=True):
        assert abs(start - at) * FRAME_MS <= NEAR_MS
