from __future__ import annotations

import math

import pytest
from scripted_log import Script, conversation

from rt_notebook.log.event_log import EventLog
from rt_notebook.log.latency import PARTS, fold_latency


def test_the_parts_are_those_of_the_script() -> None:
    script = Script(silence_ms=500)
    script.say("Hello.", 1.0, 2.0)
    script.answer("Hello.", 2.6, 1.0, first_audio_s=0.25)
    row = script.log().latency().loc[0]
    assert row["vad_wait_ms"] == pytest.approx(520, abs=0.25)
    assert row["commit_ms"] == pytest.approx(5, abs=0.25)
    assert row["response_ms"] == pytest.approx(75, abs=0.25)
    assert row["first_audio_ms"] == pytest.approx(250, abs=0.25)
    assert row["output_ms"] == pytest.approx(80, abs=0.25)
    assert math.isnan(row["first_text_ms"])
    assert row["total_ms"] == pytest.approx(930, abs=0.25)


def test_the_parts_sum_exactly_to_the_total() -> None:
    table = conversation().latency()
    assert len(table) == 3
    assert (table[list(PARTS)].sum(axis=1) == table["total_ms"]).all()


def test_a_typed_turn_begins_when_it_is_sent() -> None:
    script = Script()
    script.type("Hello?", 1.0)
    script.answer("Hello.", 1.1, 1.0, first_audio_s=0.2, speaker=False)
    row = script.log().latency().loc[0]
    assert math.isnan(row["vad_wait_ms"])
    assert row["total_ms"] == pytest.approx(300, abs=0.25)


def test_without_a_speaker_it_ends_with_the_arrival_of_audio() -> None:
    script = Script()
    script.say("Hello.", 1.0, 2.0)
    script.answer("Hello.", 2.6, 1.0, speaker=False)
    row = script.log().latency().loc[0]
    assert math.isnan(row["output_ms"])
    assert row["total_ms"] == pytest.approx(900, abs=0.25)


def test_an_answer_in_text_ends_with_its_first_words() -> None:
    script = Script()
    script.type("Hello?", 1.0)
    where = {"response_id": "resp_1", "item_id": "item_1", "content_index": 0}
    script.add(1.1, "received", "response.created", response={"id": "resp_1", "output": []})
    script.add(1.5, "received", "response.output_text.delta", **where, delta="Hi")
    row = script.log().latency().loc[0]
    assert row["first_text_ms"] == pytest.approx(400)
    assert math.isnan(row["first_audio_ms"])
    assert row["total_ms"] == pytest.approx(500)


def test_a_part_whose_end_is_missing_is_counted_in_the_next() -> None:
    log = conversation()
    without = EventLog([event for event in log if event.type != "response.created"])
    for a, b in zip(fold_latency(log), fold_latency(without), strict=True):
        assert math.isnan(b.response_ms)
        assert b.first_audio_ms == a.response_ms + a.first_audio_ms
        assert b.total_ms == a.total_ms


def test_an_unanswered_turn_has_no_total() -> None:
    script = Script()
    script.say("Hello.", 1.0, 2.0)
    row = script.log().latency().loc[0]
    assert row["vad_wait_ms"] == pytest.approx(520, abs=0.25)
    assert math.isnan(row["total_ms"])


def test_the_columns_are_the_same_when_empty() -> None:
    empty, table = EventLog().latency(), conversation().latency()
    assert list(empty.columns) == list(table.columns)
    assert list(empty.dtypes) == list(table.dtypes)
