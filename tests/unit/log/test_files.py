from __future__ import annotations

import json
import stat
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recorded_log import GA_RECORDINGS, recorded_events
from scripted_log import conversation

from rt_notebook.core.events import Event
from rt_notebook.errors import ComponentMissingError, LogFileError
from rt_notebook.log.event_log import EventLog

FORMS = ("jsonl", "parquet")
CANARY = "sk-canary-0123456789abcdefghij"


def write(log: EventLog, form: str, path):
    if form == "parquet":
        pytest.importorskip("pyarrow", reason="pyarrow is an extra: pip install 'rt-notebook[parquet]'")
    return getattr(log, f"to_{form}")(path)


def read(form: str, path) -> EventLog:
    return getattr(EventLog, f"from_{form}")(path)


@pytest.mark.parametrize("form", FORMS)
def test_what_is_written_is_read_again(form, tmp_path) -> None:
    log = conversation()
    path = write(log, form, tmp_path / "log")
    again = read(form, path)
    assert list(again) == list(log)
    assert again.turns().equals(log.turns())
    first = path.read_bytes()
    write(again, form, path)
    assert path.read_bytes() == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", GA_RECORDINGS)
def test_recorded_sessions_come_back_whole(form, name, shared_data, tmp_path) -> None:
    events = recorded_events(shared_data, name)
    assert list(read(form, write(EventLog(events), form, tmp_path / "log"))) == events


@pytest.mark.parametrize("form", FORMS)
def test_an_empty_log(form, tmp_path) -> None:
    assert list(read(form, write(EventLog(), form, tmp_path / "log"))) == []


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
EVENTS = st.builds(
    Event,
    st.floats(0, 1e6),
    st.sampled_from(["sent", "received", "local"]),
    st.text(),
    st.dictionaries(st.text(max_size=5), PLAIN, max_size=3),
    st.integers(0, 2**40),
    st.none() | st.floats(-100, 0),
)


@given(st.lists(EVENTS, max_size=5))
def test_any_event_that_json_has_comes_back(tmp_path_factory, events) -> None:
    path = tmp_path_factory.mktemp("log") / "log.jsonl"
    assert list(EventLog.from_jsonl(EventLog(events).to_jsonl(path))) == events


def test_what_json_does_not_have_is_told_as_near_as_it_can_be(tmp_path) -> None:
    import numpy as np

    data = {"nan": float("nan"), "array": np.arange(3), "path": tmp_path, "inner": {"inf": [float("inf")]}}
    path = EventLog([Event(0.0, "local", "local.error", data)]).to_jsonl(tmp_path / "log.jsonl")
    (event,) = EventLog.from_jsonl(path)
    assert event.data["nan"] is None
    assert event.data["inner"] == {"inf": [None]}
    assert event.data["path"] == str(tmp_path)
    assert json.loads(path.read_text().splitlines()[0]) == {"schema": "rt_notebook.events", "version": 1}


def test_an_event_that_json_cannot_hold_ends_no_file(tmp_path) -> None:
    noted = [{(1, 2): 3}, {"half of a character": "\ud800"}]
    kept = Event(3.0, "received", "response.done", {"type": "response.done", "text": "Grüße 😀"})
    events = [*(Event(1.0, "local", "note", data) for data in noted), kept]
    first, second, last = EventLog.from_jsonl(EventLog(events).to_jsonl(tmp_path / "log.jsonl"))
    assert first.data == {"(1, 2)": 3}
    assert second.data == {"type": "note", "left_out": "UnicodeEncodeError"}
    assert last == kept


HEAD = '{"schema":"rt_notebook.events","version":1}\n'


def test_a_file_of_an_earlier_release_is_read_as_it_was(tmp_path) -> None:
    """It was all ASCII, and had halves of characters where an event had them."""
    path = tmp_path / "log.jsonl"
    line = r'{"t_s":1,"direction":"local","type":"note","data":{"a":"\u00e9 \ud83d\ude00 \ud800","b":1e999}}'
    path.write_text(f'{HEAD}{line}\n{{"t_s":2.5,"direction":"sent","type":"x","level_dbfs":null}}\n')
    assert list(EventLog.from_jsonl(path)) == [
        Event(1.0, "local", "note", {"a": "é 😀 \ud800", "b": float("inf")}),
        Event(2.5, "sent", "x", {"type": "x"}),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "{}",
        '{"schema":"rt_notebook.events"}',
        '{"schema":"rt_notebook.events","version":2}',
        HEAD + "[]",
        HEAD + "{",
        HEAD + "[" * 100_000,
        HEAD + '{"t_s":1,"direction":"up","type":"x"}',
        HEAD + '{"t_s":"1","direction":"sent","type":"x"}',
        HEAD + '{"t_s":NaN,"direction":"sent","type":"x"}',
        HEAD + '{"t_s":1,"direction":"sent","type":"x","data":[]}',
        HEAD + '{"t_s":1,"direction":"sent","type":"x","audio_samples":-1}',
        HEAD + '{"t_s":1,"direction":"sent","type":"x","audio_samples":1e3}',
        HEAD + '{"t_s":1,"direction":"sent","type":"x","audio_samples":' + "9" * 300 + "}",
        HEAD + '{"t_s":' + "9" * 400 + ',"direction":"sent","type":"x"}',
        HEAD + '{"t_s":1,"direction":"sent","type":"x","level_dbfs":"loud"}',
        "\udcff\ud800".encode("utf-8", "surrogatepass").decode("latin-1"),
    ],
)
def test_what_is_no_log_is_refused_with_a_remedy(text, tmp_path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(LogFileError, match=r"\.$"):
        EventLog.from_jsonl(path)


def test_what_is_no_parquet_is_refused(tmp_path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    (tmp_path / "text").write_text("hello")
    parquet.write_table(pyarrow.table({"a": [1]}), tmp_path / "other")
    for name in ("text", "other"):
        with pytest.raises(LogFileError):
            EventLog.from_parquet(tmp_path / name)


def test_parquet_without_pyarrow_names_the_remedy(tmp_path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ComponentMissingError, match=r"rt-notebook\[parquet\]"):
        conversation().to_parquet(tmp_path / "log")
    assert not (tmp_path / "log").exists()


def test_a_planted_link_is_not_followed(tmp_path) -> None:
    (tmp_path / "other").write_text("precious")
    (tmp_path / "log").symlink_to(tmp_path / "other")
    conversation().to_jsonl(tmp_path / "log")
    assert (tmp_path / "other").read_text() == "precious"


@pytest.mark.parametrize("form", FORMS)
def test_keys_are_in_no_file(form, tmp_path) -> None:
    tool = {"type": "mcp", "server_url": "https://tools.example", "authorization": "plain words"}
    tool["headers"] = {"X-Key": "other plain words"}
    events = [
        Event(
            0.0, "sent", "session.update", {"session": {"tools": [tool], "instructions": f"Say {CANARY}."}}
        ),
        Event(1.0, "received", "error", {"error": {"message": f"Incorrect API key provided: {CANARY}"}}),
        Event(2.0, "local", "local.invalid_frame", {"head": f"Authorization: Bearer {CANARY[3:]}"}),
    ]
    raw = write(EventLog(events), form, tmp_path / "log").read_bytes()
    again = read(form, tmp_path / "log")
    told = repr([event.data for event in again]).encode()
    for secret in (CANARY, CANARY[3:], "plain words", "other plain words"):
        assert secret.encode() not in raw
        assert secret.encode() not in told
    assert "https://tools.example" in repr(again[0].data)
    assert events[0].data["session"]["tools"][0]["authorization"] == "plain words", "the log itself stays"


@pytest.mark.parametrize("form", FORMS)
def test_what_is_nested_without_end_is_left_out_and_the_rest_stays(form, tmp_path) -> None:
    circle: dict[str, object] = {}
    circle["itself"] = circle
    deep: list[object] = []
    for _ in range(1000):
        deep = [deep]
    notes = [
        Event(1.0, "local", "local.mine", {"type": "local.mine", "d": d}) for d in (circle, deep, "plain")
    ]
    write(EventLog(notes), form, tmp_path / "log")
    *broken, plain = read(form, tmp_path / "log")
    left_out = {"type": "local.mine", "left_out": "RecursionError"}
    assert [event.data for event in broken] == [left_out, left_out]
    assert plain == notes[-1]


def test_json_lines_load_no_tables(tmp_path) -> None:
    path = conversation().to_jsonl(tmp_path / "log.jsonl")
    code = (
        "import sys; from rt_notebook.log.event_log import EventLog;"
        f"EventLog.from_jsonl({str(path)!r}).to_jsonl({str(path)!r}); print('pandas' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize("form", FORMS)
def test_a_file_that_cannot_be_made_is_told_with_a_remedy(form, tmp_path) -> None:
    with pytest.raises(LogFileError, match=r"nowhere/log cannot be written .* folder that is there"):
        write(conversation(), form, tmp_path / "nowhere" / "log")
