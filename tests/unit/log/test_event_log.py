from __future__ import annotations

from collections.abc import Sequence

import pytest
from scripted_log import conversation

from rt_notebook.core.events import Event
from rt_notebook.log.event_log import EventLog


def test_it_is_a_sequence_of_events() -> None:
    log = EventLog([Event(0.0, "local", "local.connected")])
    log.append(Event(1.5, "received", "session.created"))
    assert isinstance(log, Sequence)
    assert len(log) == 2
    assert log[-1].type == "session.created"
    assert [event.t_s for event in log] == [0.0, 1.5]
    with pytest.raises(IndexError):
        log[2]


def test_a_slice_is_a_log() -> None:
    log = conversation()
    half = log[: len(log) // 2]
    assert isinstance(half, EventLog)
    assert list(half) == list(log)[: len(log) // 2]


def test_a_reader_sees_the_log_as_it_was_when_it_began() -> None:
    log = conversation()
    before = len(log)
    seen = 0
    for _ in log:
        log.append(Event(99.0, "local", "local.error"))
        seen += 1
    assert (seen, len(log)) == (before, 2 * before)


def test_its_repr_is_one_short_line() -> None:
    assert repr(conversation()).count("\n") == 0
    assert len(repr(conversation())) < 80
