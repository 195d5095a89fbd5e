"""Numbered messages arrive once and in order, whatever is lost on the way."""

from hypothesis import given
from hypothesis import strategies as st

from rt_notebook.widgets.port.carrier import Inbox, Lease, Outbox


@given(st.integers(1, 40), st.lists(st.booleans(), max_size=200), st.integers(1, 7))
def test_everything_arrives_once_and_in_order(count, losses, batch):
    outbox, inbox, received = Outbox(1000), Inbox(), []
    lost = iter(losses)

    def deliver(seq, chunks):
        if not next(lost, False):
            received.extend(inbox.receive(seq, chunks, outbox.first))
            outbox.ack(inbox.expected)

    for value in range(count):
        deliver(outbox.add(value), [value])
    # The losses come to an end, and so must the sending again.
    for _ in range(len(losses) + count + 1):
        held = outbox.since(inbox.expected)[:batch]
        if held:
            deliver(held[0][0], [value for _, value in held])
    assert received == list(range(count))
    assert outbox.first == outbox.next == count
    assert inbox.lost == 0


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 5), st.integers(0, 40)), max_size=60))
def test_an_inbox_never_goes_back_and_counts_what_it_skips(batches):
    inbox, taken = Inbox(), []
    for seq, count, first in batches:
        before = inbox.expected
        new = inbox.receive(seq, list(range(seq, seq + count)), first)
        taken.extend(new)
        assert inbox.expected >= before
        assert inbox.again == (seq > inbox.expected - len(new))
    assert taken == sorted(set(taken))
    assert len(taken) + inbox.lost == inbox.expected


def test_what_the_sender_gave_up_is_lost_and_not_waited_for():
    inbox = Inbox()
    assert inbox.receive(0, ["a"], 0) == ["a"]
    assert inbox.receive(5, ["f"], 5) == ["f"]
    assert (inbox.expected, inbox.lost) == (6, 4)


def test_a_full_outbox_gives_up_its_oldest():
    outbox = Outbox(2)
    assert [outbox.add(c) for c in "abc"] == [0, 1, 2]
    assert outbox.since(0) == [(1, "b"), (2, "c")]
    outbox.ack(99)
    assert outbox.since(0) == []
    assert outbox.add("d") == 3


def test_one_client_and_one_recording_at_a_time():
    lease = Lease()
    assert lease.grant("a", 1) is None
    assert lease.holds("a", 1)
    assert not lease.holds("a", 2)
    assert lease.grant("a", 2) is None
    assert not lease.holds("a", 1)
    assert lease.grant("b", 1) == "a"
    assert not lease.holds("a", 2)
    lease.release()
    assert not lease.holds("b", 1)
    assert not lease.holds(None, 1)
