"""In virtual time: when to try again, when a connection is dead, what a turn is, where an item is cut."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rt_notebook.core.events import Event
from rt_notebook.core.reconnect import (
    NEVER_AGAIN,
    Ending,
    GiveUp,
    ReconnectPolicy,
    Reconnects,
    Retry,
    ending_of_close,
)
from rt_notebook.core.turn_watch import TurnWatch
from rt_notebook.core.watchdog import TICK_S, Watchdog
from rt_notebook.errors import ConfigError
from rt_notebook.io.audio.reply_player import ReplyPlayer

LOSS = Ending("loss", "gone", 1006)
seeds = st.integers(0, 2**32)


# -- when to try again ---------------------------------------------------------------------------------


@given(seeds, st.integers(1, 30))
def test_waits_double_with_jitter_up_to_the_longest(seed, attempts):
    policy = ReconnectPolicy(give_up_after_s=1e9)
    reconnects = Reconnects(policy, random.Random(seed))
    again = Reconnects(policy, random.Random(seed))
    for each in (reconnects, again):
        each.accepted(0)
        each.restored()
        each.fruitful()
    now_s = 100.0
    for attempt in range(attempts):
        decision = reconnects.ended(LOSS, now_s)
        assert decision == again.ended(LOSS, now_s), "the same seed decides alike"
        whole = min(policy.longest_delay_s, policy.first_delay_s * 2**attempt)
        assert isinstance(decision, Retry)
        assert whole * (1 - policy.jitter) <= decision.delay_s <= whole
        now_s += decision.delay_s


@given(seeds, st.floats(0, 500))
def test_what_the_endpoint_asks_for_is_waited(seed, wait_s):
    reconnects = Reconnects(ReconnectPolicy(), random.Random(seed))
    reconnects.accepted(0)
    reconnects.restored()
    decision = reconnects.ended(Ending("refused", "full", 429, retry_after_s=wait_s), 10.0)
    assert decision.delay_s >= wait_s


@given(seeds, st.lists(st.tuples(st.floats(0, 20), st.booleans(), st.booleans()), max_size=30))
def test_three_short_lives_in_a_row_and_no_fewer(seed, lives):
    policy = ReconnectPolicy()
    reconnects = Reconnects(policy, random.Random(seed))
    now_s, short = 0.0, 0
    for length_s, fruitful, spoiled in lives:
        reconnects.accepted(now_s)
        reconnects.restored()
        if fruitful:
            reconnects.fruitful()
        now_s += length_s
        decision = reconnects.ended(Ending("loss", "gone", fruitless=spoiled), now_s)
        short = short + 1 if spoiled or (length_s < policy.short_life_s and not fruitful) else 0
        assert isinstance(decision, GiveUp) is (short >= policy.short_lives)
        if short >= policy.short_lives:
            return


@given(
    st.sampled_from(sorted(NEVER_AGAIN)), st.sampled_from([1000, 1001, 1008, 3000, 4000, 1006]), st.booleans()
)
def test_what_no_attempt_can_mend_is_never_tried(code, close_code, in_reason):
    ending = ending_of_close(
        close_code,
        f"invalid_request_error.{code}" if in_reason else "",
        error_code=None if in_reason else code,
    )
    reconnects = Reconnects(ReconnectPolicy(), random.Random(0))
    reconnects.accepted(0)
    reconnects.restored()
    reconnects.fruitful()
    assert isinstance(reconnects.ended(ending, 1000.0), GiveUp)


@pytest.mark.parametrize(
    ("code", "reason", "error_code", "past_expiry", "by"),
    [
        (1000, "", None, False, "server"),
        (1001, "going away", None, False, "server"),
        (1006, "", None, False, "loss"),
        (None, "", None, False, "loss"),
        (1001, "Your session hit the maximum duration of 60 minutes.", None, False, "expiry"),
        (1000, "", "session_expired", False, "expiry"),
        (1006, "", None, True, "expiry"),
        (1011, "oops", "server_error", False, "server"),
    ],
)
def test_endings_are_told_apart(code, reason, error_code, past_expiry, by):
    ending = ending_of_close(code, reason, error_code=error_code, past_expiry=past_expiry)
    assert (ending.by, ending.fatal) == (by, False)
    assert ending.reason


@given(seeds)
def test_an_endpoint_that_cannot_be_reached_is_tried_for_a_time(seed):
    policy = ReconnectPolicy(give_up_after_s=60)
    reconnects = Reconnects(policy, random.Random(seed))
    reconnects.accepted(0)
    reconnects.restored()
    now_s = 1000.0
    while isinstance(decision := reconnects.ended(LOSS, now_s), Retry):
        now_s += decision.delay_s
        assert now_s <= 1000 + 60 + policy.longest_delay_s
    assert now_s > 1060
    first = Reconnects(policy, random.Random(seed))
    decisions = [first.ended(LOSS, 0.0) for _ in range(policy.first_attempts)]
    assert [isinstance(decision, Retry) for decision in decisions] == [True, True, False]


@pytest.mark.parametrize("wrong", [{"jitter": 1.5}, {"first_delay_s": -1}, {"ping_s": float("inf")}])
def test_a_policy_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(ConfigError):
        ReconnectPolicy(**wrong)


# -- when a connection is dead -------------------------------------------------------------------------


@given(st.lists(st.floats(0.01, 5.0), max_size=20), st.floats(0, 20), st.booleans())
def test_a_dead_connection_is_noticed_in_time_and_a_living_one_never(gaps_s, busy_after_s, answers):
    """Frames come, then nothing; a turn begins some time after that. The watchdog is asked when it wants."""
    policy = ReconnectPolicy()
    dog, now_s = Watchdog(policy, 0.0), 0.0
    for gap_s in gaps_s:
        now_s += gap_s
        dog.heard(now_s)
    last_s = now_s
    busy_s = last_s + busy_after_s
    pings = 0
    while True:
        now_s = max(now_s, dog.next_check_s(now_s, busy=now_s >= busy_s))
        verdict = dog.check(now_s, busy=now_s >= busy_s)
        if verdict == "ping":
            pings += 1
            if answers:
                dog.heard(now_s + 0.5 * policy.ping_s)
                last_s = now_s
        if verdict == "dead" or pings > 5:
            break
    if answers:
        assert verdict != "dead"
        return
    assert now_s <= last_s + 10.0 + 1e-9, "idle"
    turn_s = max(last_s, busy_s)
    assert now_s <= max(turn_s + 4.0 + TICK_S * (busy_s > last_s), last_s + 4.0) + 1e-9, "during a turn"
    assert now_s >= last_s + policy.silence_s + policy.ping_s - 1e-9


def test_four_seconds_into_the_silence_of_a_turn():
    policy = ReconnectPolicy()
    assert policy.silence_s + policy.ping_s <= 4
    assert policy.idle_silence_s + policy.ping_s <= 10


# -- what a turn is ------------------------------------------------------------------------------------


@given(st.permutations(["response.created", "response.done", "response.created", "response.done"]))
def test_a_response_that_is_over_stays_over(order):
    watch = TurnWatch()
    for type_ in order:
        watch.follow(Event(0, "received", type_, {"response": {"id": "r1"}}), answers_turns=True)
    assert not watch.busy


def test_a_turn_is_under_way_from_the_first_word_to_the_end_of_the_answer():
    watch, busy = TurnWatch(), []
    for type_ in (
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "response.created",
        "response.output_audio.delta",
        "response.done",
    ):
        watch.follow(Event(0, "received", type_, {"response": {"id": "r1"}}), answers_turns=True)
        busy.append(watch.busy)
    assert busy == [True] * 5 + [False]
    watch.follow(Event(0, "received", "input_audio_buffer.speech_stopped", {}), answers_turns=False)
    assert not watch.busy


# -- F28: where an item is cut -------------------------------------------------------------------------


@given(
    st.lists(st.tuples(st.sampled_from(["a", "b"]), st.integers(0, 5000)), max_size=12),
    st.dictionaries(st.sampled_from(["a", "b"]), st.integers(-10, 100_000)),
)
def test_a_cut_is_never_past_what_came_or_what_was_played(pieces, played):
    player, received = ReplyPlayer(None), {"a": 0, "b": 0}
    for item_id, samples in pieces:
        data = {"item_id": item_id, "response_id": "r"}
        player.take(Event(0, "received", "response.output_audio.delta", data, samples), bytes(2 * samples))
        received[item_id] += samples
    player.silence("r")
    for item_id, samples in played.items():
        cut = player.heard(item_id, samples, "flushed")
        heard = max(0, min(samples, received[item_id]))
        if received[item_id] == 0 or heard >= received[item_id]:
            assert cut is None
        elif heard < 24:
            assert cut == {"type": "conversation.item.delete", "item_id": item_id}
        else:
            assert cut["audio_end_ms"] == heard // 24
            assert cut["item_id"] == item_id
        assert player.heard(item_id, samples, "flushed") is None, "once"


def test_items_of_another_conversation_are_not_cut():
    player = ReplyPlayer(None)
    player.take(Event(0, "received", "response.output_audio.delta", {"item_id": "a"}, 4800), bytes(9600))
    player.conversation_over()
    player.silence(None)
    assert player.heard("a", 2400, "flushed") is None
