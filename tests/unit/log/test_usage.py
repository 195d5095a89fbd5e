from __future__ import annotations

import pytest
from recorded_log import recorded_events
from scripted_log import Script

from rt_notebook.core.events import Event
from rt_notebook.errors import ConfigError
from rt_notebook.log.event_log import EventLog

PRICES = {"input_text": 4, "input_audio": 32, "cached_text": 0.4, "output_text": 16, "output_audio": 64}


def usage(text=0, audio=0, cached_text=0, out_text=0, out_audio=0) -> dict[str, object]:
    return {
        "total_tokens": text + audio + out_text + out_audio,
        "input_token_details": {
            "text_tokens": text,
            "audio_tokens": audio,
            "cached_tokens": cached_text,
            "cached_tokens_details": {"text_tokens": cached_text, "audio_tokens": 0},
        },
        "output_token_details": {"text_tokens": out_text, "audio_tokens": out_audio},
    }


def answered(script: Script, t_s: float, told: dict[str, object], **options) -> None:
    """One turn whose answer tells its usage, as endpoints do: in response.done."""
    script.type("Hello.", t_s)
    script.answer("One two three four.", t_s + 0.1, 2.0, **options)
    done = [event for _, _, event in script.events if event.type == "response.done"][-1]
    done.data["response"]["usage"] = told


def test_every_token_is_counted_in_one_column() -> None:
    script = Script()
    answered(script, 1.0, usage(text=100, audio=50, cached_text=64, out_text=20, out_audio=40))
    (row,) = script.log().usage(PRICES).to_dict("records")
    assert (row["input_text_tokens"], row["cached_text_tokens"], row["input_audio_tokens"]) == (36, 64, 50)
    assert (row["output_text_tokens"], row["output_audio_tokens"], row["total_tokens"]) == (20, 40, 210)
    expected = (36 * 4 + 64 * 0.4 + 50 * 32 + 20 * 16 + 40 * 64) / 1e6
    assert row["cost"] == pytest.approx(expected)


def test_without_prices_nothing_has_a_cost() -> None:
    script = Script()
    answered(script, 1.0, usage(text=10, out_audio=40))
    table = script.log().usage()
    assert table["cost"].isna().all()
    assert table["unheard_cost"].isna().all()


def test_audio_that_nobody_heard_has_its_share_of_the_tokens() -> None:
    script = Script()
    answered(script, 1.0, usage(text=10, out_audio=40), heard_s=0.5)
    log = script.log()
    (row,) = log.usage(PRICES).to_dict("records")
    (turn,) = log.fold_turns()
    assert row["unheard_ms"] == turn.audio_ms - turn.heard_ms > 0
    assert row["unheard_tokens"] == round(40 * row["unheard_ms"] / turn.audio_ms)
    assert row["unheard_cost"] == pytest.approx(row["unheard_tokens"] * 64 / 1e6)


def test_without_a_speaker_nobody_knows_what_was_heard() -> None:
    script = Script()
    answered(script, 1.0, usage(text=10, out_audio=40), speaker=False)
    assert script.log().usage(PRICES)[["unheard_ms", "unheard_tokens", "unheard_cost"]].isna().all(axis=None)


def test_a_price_for_tokens_that_do_not_exist_is_refused_and_the_log_goes_on() -> None:
    script = Script()
    answered(script, 1.0, usage(text=10))
    log = script.log()
    with pytest.raises(ConfigError, match="output_audio"):
        log.usage({"audio": 1.0})
    assert len(log.usage()) == len(log.turns()) == 1


def test_the_forecast_follows_the_growth_of_the_context() -> None:
    script = Script()
    for turn in range(4):
        answered(script, 1.0 + 10 * turn, usage(text=100 * (turn + 1), out_audio=40))
    log = script.log()
    minutes = (log[-1].t_s - log[0].t_s) / 60
    table = log.forecast(minutes, PRICES).set_index("kind")
    assert table.loc["input_text", "so_far_tokens"] == 100 + 200 + 300 + 400
    assert table.loc["input_text", "expected_tokens"] == 500 + 600 + 700 + 800
    assert table.loc["output_audio", "expected_tokens"] == 160
    assert table.loc["output_audio", "expected_cost"] == pytest.approx(160 * 64 / 1e6)
    assert log.forecast(0.0)["expected_tokens"].sum() == 0
    with pytest.raises(ConfigError):
        log.forecast(-1.0)


@pytest.mark.parametrize("claimed", [2**63, 10**400])
def test_more_tokens_than_there_can_be_are_none(claimed) -> None:
    script = Script()
    answered(script, 1.0, usage(text=10, out_audio=claimed))
    (row,) = script.log().usage(PRICES).to_dict("records")
    assert (row["total_tokens"], row["cost"]) == (10, 10 * 4 / 1e6)


def test_a_forecast_without_end_is_the_largest_number_of_a_column() -> None:
    script = Script()
    for turn in range(3):
        answered(script, 1.0 + 10 * turn, usage(text=2**37 * (turn + 1)))
    table = script.log().forecast(1e4).set_index("kind")
    assert table.loc["input_text", "expected_tokens"] == 2**63 - 1


def test_a_moment_says_nothing_of_the_pace() -> None:
    data = {"response": {"id": "r", "usage": usage(text=10)}}
    done = [Event(t_s, "received", "response.done", data) for t_s in (1.0, 1.0 + 1e-12)]
    table = EventLog(done).forecast(60.0).set_index("kind")
    assert (table.loc["input_text", "so_far_tokens"], table["expected_tokens"].sum()) == (10, 0)


def test_a_recorded_session_tells_its_tokens_and_its_transcription(shared_data) -> None:
    table = EventLog(recorded_events(shared_data, "openai_spoken_turn")).usage()
    (row,) = table[table["total_tokens"] > 0].to_dict("records")
    assert (row["input_text_tokens"], row["input_audio_tokens"]) == (14, 27)
    assert (row["output_text_tokens"], row["output_audio_tokens"], row["total_tokens"]) == (28, 136, 205)
    assert row["transcription_s"] == 3.0


def test_a_turn_with_a_tool_call_counts_both_answers(shared_data) -> None:
    table = EventLog(recorded_events(shared_data, "azure_tool_call")).usage()
    assert table["total_tokens"].sum() == 85 + 109
    assert table["cached_text_tokens"].sum() == 64
