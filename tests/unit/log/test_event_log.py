from __future__ import annotations

import threading
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


def test_many_read_while_one_writes() -> None:
    events = list(conversation()) * 6
    log, failures, done = EventLog(), [], threading.Event()

    def read() -> None:
        try:
            while not done.is_set():
                before = len(log)
                frame, turns = log.to_pandas(), log.turns()
                assert before <= len(frame) <= len(log)
                assert list(frame["t_s"]) == [event.t_s for event in events[: len(frame)]]
                assert list(turns["turn"]) == list(range(1, len(turns) + 1))
        except BaseException as error:
            failures.append(error)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for event in events:
        log.append(event)
    done.set()
    for reader in readers:
        reader.join()
    assert failures == []
    assert list(log) == events


def test_its_repr_is_one_short_line() -> None:
    assert repr(conversation()).count("\n") == 0
    assert len(repr(conversation())) < 80
