"""Tokens, their cost, and the limits of a session, in virtual time."""

from __future__ import annotations

import pytest

from rt_notebook.core.events import Event
from rt_notebook.core.limits import Meter, SessionLimits
from rt_notebook.core.usage import cost, tokens
from rt_notebook.errors import ConfigError

PRICES = {"input_text": 4, "input_audio": 32, "cached_audio": 0.4, "output_text": 16, "output_audio": 64}


def done(t_s, response_id="r1", text_in=100, audio_in=1000, cached=600, text_out=20, audio_out=200):
    usage = {
        "input_token_details": {
            "text_tokens": text_in,
            "audio_tokens": audio_in,
            "cached_tokens_details": {"audio_tokens": cached},
        },
        "output_token_details": {"text_tokens": text_out, "audio_tokens": audio_out},
    }
    return Event(t_s, "received", "response.done", {"response": {"id": response_id, "usage": usage}})


def test_each_token_is_counted_once():
    assert tokens(done(1.0)) == {
        "input_text": 100,
        "input_audio": 400,
        "cached_audio": 600,
        "output_text": 20,
        "output_audio": 200,
    }
    by_hand = (100 * 4 + 400 * 32 + 600 * 0.4 + 20 * 16 + 200 * 64) / 1e6
    assert cost(tokens(done(1.0)), PRICES) == pytest.approx(by_hand)


@pytest.mark.parametrize(
    "usage", [None, 5, {}, {"input_token_details": []}, {"input_token_details": {"text_tokens": "x"}}]
)
def test_usage_of_any_shape_is_no_error(usage):
    assert tokens(Event(0, "received", "response.done", {"response": {"usage": usage}})) == {}


def test_the_budget_trips_within_one_turn():
    meter = Meter(SessionLimits(max_cost=0.05, prices=PRICES))
    meter.follow(Event(1.0, "local", "local.connected"))
    trips = []
    for turn in range(10):
        meter.follow(done(turn, f"r{turn}"))
        meter.follow(done(turn, f"r{turn}"))  # told twice, paid once
        trips.append(meter.check(turn) is not None)
    each = cost(tokens(done(0)), PRICES)
    assert trips.index(True) == int(0.05 // each)
    assert all(trips[trips.index(True) :])


def test_time_and_idleness():
    meter = Meter(SessionLimits(max_minutes=10, idle_minutes=2))
    assert meter.next_check_s() is None
    meter.follow(Event(30.0, "local", "local.connected"))
    assert meter.next_check_s() == 150.0
    assert meter.check(149.9) is None
    assert meter.check(150.0).limit == "idle_minutes"
    meter.follow(Event(140.0, "received", "input_audio_buffer.speech_started"))
    meter.follow(Event(200.0, "sent", "input_audio_buffer.append", {}, 960, -90.0))
    assert meter.next_check_s() == 260.0
    meter.follow(Event(500.0, "local", "local.connected"))  # another connection is the same session
    meter.follow(Event(600.0, "sent", "response.create"))
    assert meter.check(629.9) is None
    assert meter.check(630.0).limit == "max_minutes"


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_minutes": 0},
        {"idle_minutes": -1},
        {"max_cost": 1},
        {"max_cost": 1, "prices": {"input_audio": 0}},
        {"prices": {"audio": 1}},
        {"prices": {"input_audio": "1"}},
    ],
)
def test_limits_that_limit_nothing_are_refused(wrong):
    with pytest.raises(ConfigError):
        SessionLimits(**wrong)
