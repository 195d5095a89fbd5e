from __future__ import annotations

from scripted_log import Script, conversation

from rt_notebook.log.event_log import EventLog
from rt_notebook.log.transcript import heard_of


def test_who_said_what_in_order() -> None:
    table = conversation().transcript()
    assert list(table["role"]) == ["user", "assistant"] * 3
    assert list(table["turn"]) == [1, 1, 2, 2, 3, 3]
    assert table["t_s"].is_monotonic_increasing
    assert table.loc[4, "text"] == "Thanks!"
    assert table["item_id"].is_unique


def test_heard_is_less_than_generated_only_where_it_was_cut() -> None:
    table = conversation().transcript()
    cut = table.loc[1]
    assert cut["text"].startswith(cut["heard"])
    assert 0 < len(cut["heard"]) < len(cut["text"])
    assert table.loc[3, "heard"] == table.loc[3, "text"]


def test_the_words_of_a_turn_are_those_that_left_the_speaker() -> None:
    script = Script()
    script.say("Count.", 1.0, 2.0)
    item_id = script.answer("one two six ten", 2.6, 2.0, speaker=False)
    script.playback(6.0, item_id, 1.0, "flushed")
    (turn,) = script.log().fold_turns()
    assert heard_of(turn) == "one two"


def test_without_a_speaker_nothing_is_claimed_about_hearing() -> None:
    script = Script()
    script.say("Hello.", 1.0, 2.0)
    script.answer("Hello.", 2.6, 1.0, speaker=False)
    table = script.log().transcript()
    assert table["heard"].isna().all()


def test_the_columns_are_the_same_when_empty() -> None:
    empty, table = EventLog().transcript(), conversation().transcript()
    assert list(empty.columns) == list(table.columns)
    assert [d.name for d in empty.dtypes] == [d.name for d in table.dtypes]
