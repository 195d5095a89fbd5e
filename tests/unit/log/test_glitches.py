from __future__ import annotations

import pytest
from scripted_log import Script, conversation

from rt_notebook.core.events import Event
from rt_notebook.log.event_log import EventLog


def test_a_clean_conversation_has_none() -> None:
    assert conversation().glitches().empty


def test_chunks_that_were_lost_have_their_place() -> None:
    events = [
        Event(1.0, "local", "local.mic_gap", {"lost_samples": 960}),
        Event(2.0, "local", "local.mic_gap", {"lost_samples": 4800, "where": "outbox"}),
    ]
    table = EventLog(events).glitches()
    assert table[["place", "kind", "lost_ms"]].to_numpy().tolist() == [
        ["carrier", "drop", 40.0],
        ["outbox", "drop", 200.0],
    ]


def test_a_connection_gap_begins_where_it_began() -> None:
    told = {"length_s": 2.5, "lost_samples": 24_000, "doubtful_samples": 2400, "cause": "1006"}
    (row,) = EventLog([Event(10.0, "local", "local.gap", told)]).glitches().to_dict("records")
    assert (row["place"], row["t_s"], row["length_ms"]) == ("connection", 7.5, 2500.0)
    assert (row["lost_ms"], row["doubtful_ms"], row["cause"]) == (1000.0, 100.0, "1006")


def test_a_speaker_that_runs_dry_in_the_middle_of_an_answer() -> None:
    script = Script()
    script.say("Hello.", 1.0, 2.0)
    item_id = script.answer("One two three.", 2.6, 2.0, speaker=False)
    for t_s, played_s in ((3.2, 0.1), (3.3, 0.2), (4.3, 0.2), (4.4, 0.3)):
        script.playback(t_s, item_id, played_s, "playing")
    (row,) = script.log().glitches().to_dict("records")
    assert (row["place"], row["kind"], row["turn"], row["item_id"]) == ("speaker", "underrun", 1, item_id)
    assert row["t_s"] == pytest.approx(3.3)
    assert row["length_ms"] == pytest.approx(1000.0)


def test_audio_that_no_front_end_played_is_dropped_and_what_was_flushed_is_not() -> None:
    script = Script()
    script.type("Hello.", 1.0)
    item_id = script.answer("One two three.", 1.1, 2.0, speaker=False)
    script.add(
        3.0, "local", "local.playback", item_id=item_id, played_samples=0, dropped_samples=2400, state="ended"
    )
    script.add(
        4.0,
        "local",
        "local.playback",
        item_id=item_id,
        played_samples=0,
        dropped_samples=9600,
        state="flushed",
    )
    (row,) = script.log().glitches().to_dict("records")
    assert (row["place"], row["kind"], row["lost_ms"], row["t_s"]) == ("speaker", "drop", 100.0, 3.0)


def test_an_open_microphone_that_gives_nothing_has_stalled() -> None:
    def chunk(t_s):
        return Event(t_s, "sent", "input_audio_buffer.append", {}, 960, -30.0)

    opened, closed = Event(1.0, "local", "local.mic_opened"), Event(3.0, "local", "local.mic_closed")
    log = EventLog([opened, chunk(1.1), chunk(1.14), chunk(2.14), closed, chunk(9.0), chunk(12.0)])
    (row,) = log.glitches().to_dict("records")
    assert (row["place"], row["kind"], row["t_s"]) == ("microphone", "stall", 1.14)
    assert row["length_ms"] == pytest.approx(960.0)
