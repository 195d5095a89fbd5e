"""Nothing but the oldest audio is ever dropped, and all that is dropped is counted."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from rt_notebook.core.outbox import Outbox

whats = st.lists(
    st.one_of(st.integers(1, 400).map(lambda n: bytes(2 * n)), st.integers().map(lambda n: {"n": n}))
)


@given(whats, st.integers(1, 1000), st.lists(st.integers(0, 900), min_size=1))
def test_events_are_never_dropped_and_audio_is_counted(put, keep_samples, sizes):
    outbox = Outbox(keep_samples)
    for what in put:
        outbox.put(what)
        assert outbox.waiting_samples <= keep_samples
    assert outbox.waiting_events == sum(isinstance(what, dict) for what in put)
    taken = []
    for size_bytes in itertools.cycle(sizes):
        taken += outbox.take_audio(size_bytes)
        if (what := outbox.take()) is None:
            break
        taken.append(what)
    assert [w for w in taken if isinstance(w, dict)] == [w for w in put if isinstance(w, dict)]
    audio, kept = ([w for w in ws if isinstance(w, bytes)] for ws in (put, taken))
    assert kept == audio[len(audio) - len(kept) :], "the oldest goes first"
    lost = sum(len(w) for w in audio) - sum(len(w) for w in kept)
    assert outbox.take_dropped() == lost // 2
    assert outbox.take_dropped() == 0
    assert outbox.waiting_samples == 0


@given(whats, st.integers(-1, 2000))
def test_audio_is_taken_up_to_the_next_event_or_to_a_size(put, size_bytes):
    outbox = Outbox()
    for what in put:
        outbox.put(what)
    taken = outbox.take_audio(size_bytes)
    ahead = list(itertools.takewhile(lambda what: isinstance(what, bytes), put))
    assert taken == ahead[: len(taken)]
    assert taken == ahead or sum(map(len, taken)) >= size_bytes
    assert sum(map(len, taken[:-1])) < size_bytes or not taken
