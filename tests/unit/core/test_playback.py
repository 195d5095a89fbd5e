"""Played is not received: where an interrupted item is cut."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rt_notebook.core.playback import Playback


def test_cut_at_what_was_heard_once():
    playback = Playback()
    assert playback.receive("a", 24_000)
    playback.report("a", 12_345)
    assert playback.audible() == ["a"]
    playback.silence("a")
    assert playback.truncate_at_ms("a") == 514
    assert playback.truncate_at_ms("a") is None
    assert not playback.receive("a", 960), "a silenced item must stay silent"
    assert playback.audible() == []


def test_an_item_that_was_heard_to_its_end_is_not_cut():
    playback = Playback()
    playback.receive("a", 960)
    playback.report("a", 960)
    playback.silence("a")
    assert playback.truncate_at_ms("a") is None


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 50_000)), max_size=30))
def test_the_cut_never_passes_what_arrived(steps):
    playback, received = Playback(), 0
    for arrives, samples in steps:
        if arrives:
            playback.receive("a", samples)
            received += samples
        else:
            playback.report("a", samples)
    playback.silence("a")
    cut = playback.truncate_at_ms("a")
    assert cut is None or 0 <= cut * 24 <= received
