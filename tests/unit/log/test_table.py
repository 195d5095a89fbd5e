from __future__ import annotations

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from scripted_log import Script, conversation

from rt_notebook.core.events import Event
from rt_notebook.log.event_log import EventLog
from rt_notebook.log.table import events_table


def test_one_row_an_event_in_the_order_of_the_log() -> None:
    log = conversation()
    table = log.to_pandas()
    assert len(table) == len(log)
    assert list(table["t_s"]) == [event.t_s for event in log]
    assert list(table["type"]) == [event.type for event in log]
    assert list(table["item_id"].dropna()) == [event.item_id for event in log if event.item_id]


def test_the_columns_stand_in_the_docstring_and_do_not_depend_on_the_log() -> None:
    empty, table = EventLog().to_pandas(), conversation().to_pandas()
    assert list(empty.columns) == list(table.columns)
    assert events_table.__doc__ is not None
    for name, dtype in table.dtypes.items():
        assert f"    {name} " in events_table.__doc__
        assert empty.dtypes[name].name == dtype.name


def test_audio_and_levels() -> None:
    table = conversation().to_pandas()
    audio = table[table["audio_ms"] > 0]
    assert set(audio["type"]) == {"input_audio_buffer.append", "response.output_audio.delta"}
    assert audio["level_dbfs"].notna().all()
    assert table.loc[table["audio_ms"] == 0, "level_dbfs"].isna().all()


def test_writing_into_the_frame_does_not_reach_the_log() -> None:
    log = conversation()
    before = list(log)
    table = log.to_pandas()
    table.loc[:, "t_s"] = -1.0
    table.loc[:, "text"] = "changed"
    assert list(log) == before
    assert (log.to_pandas()["t_s"] >= 0).all()


def test_frames_share_nothing_that_can_be_written() -> None:
    log = EventLog()
    whole = list(conversation())
    handed_out = []
    for index, event in enumerate(whole * 12, start=1):  # enough for the columns to have grown in between
        log.append(event)
        if index % 97 == 0:
            handed_out.append((index, log.to_pandas()))
    for _, frame in handed_out[1::2]:
        frame.loc[:, "t_s"] = -1.0
        frame["audio_ms"] *= 2
        frame.loc[0, "text"] = "changed"
        frame.iloc[0, frame.columns.get_loc("item_id")] = "changed"
        frame.loc[frame["type"] == "response.done", "event_id"] = None
        frame["direction"] = "local"
        if int(pd.__version__.split(".")[0]) >= 3:  # before, a frame is a copy, and may be written into
            assert not frame["audio_ms"].to_numpy().flags.writeable
    for index, frame in handed_out[::2]:
        pd.testing.assert_frame_equal(frame, events_table((whole * 12)[:index]), check_categorical=False)
    assert list(log) == whole * 12
    pd.testing.assert_frame_equal(log.to_pandas(), events_table(whole * 12))


def test_not_even_behind_the_back_of_pandas_does_a_frame_reach_the_log() -> None:
    log, whole = conversation(), list(conversation())
    turns = log.turns()
    table = log.to_pandas()
    for name in table:
        values = table[name].array  # which pandas does not protect
        values[0] = values[1]
        values[0] = values[-1]
    assert list(log) == whole
    pd.testing.assert_frame_equal(log.turns(), turns)


def test_more_types_than_fit_into_a_byte() -> None:
    events = [Event(float(n), "received", f"type.{n}", {}) for n in range(400)]
    log = EventLog(events[:120])
    early = log.to_pandas()
    for event in events[120:]:
        log.append(event)
    assert list(log.to_pandas()["type"]) == [event.type for event in events]
    assert list(early["type"]) == [event.type for event in events[:120]]


def test_filters_take_missing_text() -> None:
    table = conversation().to_pandas()
    assert len(table[table["text"].str.contains("Lisbon")]) >= 2
    assert len(table[table["item_id"] == "item_user_1"]) > 3


def test_error_codes_of_every_kind_of_error() -> None:
    script = Script()
    script.add(
        1.0, "received", "error", error={"type": "invalid_request_error", "code": "bad", "message": "No."}
    )
    script.add(1.1, "received", "error", error={"type": "server_error", "code": None})
    kind = "conversation.item.input_audio_transcription.failed"
    script.add(1.2, "received", kind, item_id="item_1", error={"code": "DeploymentNotFound"})
    details = {"status_details": {"error": {"code": "rate_limit"}}}
    script.add(1.3, "received", "response.done", response={"id": "resp_1"} | details)
    table = script.log(microphone=False).to_pandas()
    assert list(table["error_code"].dropna()) == ["bad", "server_error", "DeploymentNotFound", "rate_limit"]
    assert table.loc[table["error_code"] == "bad", "text"].item() == "No."


def test_fields_of_unexpected_types_are_missing_values() -> None:
    event = Event(
        0.0, "received", "strange", {"event_id": 3, "item_id": [], "error": "text", "response": None}
    )
    row = events_table([event]).loc[0]
    assert all(pd.isna(row[name]) for name in ("event_id", "item_id", "response_id", "error_code"))


@given(st.data())
def test_the_table_of_a_type_is_what_a_comparison_picks_out(data) -> None:
    whole = list(conversation())
    wanted = data.draw(st.sampled_from([*{event.type for event in whole}, "never.seen"]))
    log = EventLog()
    for event in data.draw(st.lists(st.sampled_from(whole), max_size=60)):
        log.append(event)
        if data.draw(st.booleans()):
            log.to_pandas(wanted)
    table = log.to_pandas()
    picked = table[table["type"] == wanted].reset_index(drop=True)
    only = log.to_pandas(wanted)
    assert list(only.columns) == list(picked.columns)
    pd.testing.assert_frame_equal(only.astype({"type": object}), picked.astype({"type": object}))
