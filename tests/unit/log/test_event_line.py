from __future__ import annotations

import msgspec
import pytest

from rt_notebook.core.events import Event
from rt_notebook.log.event_line import EventLine, encode_event

AUDIO = Event(1.5, "sent", "append", {"type": "append"}, 960, -30.5)


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (
            AUDIO,
            b'{"t_s":1.5,"direction":"sent","type":"append","audio_samples":960,"level_dbfs":-30.5}',
        ),
        (Event(2.0, "local", "note"), b'{"t_s":2.0,"direction":"local","type":"note","data":{}}'),
        (
            Event(3.0, "received", "error", {"type": "error", "é": [float("nan"), None]}),
            '{"t_s":3.0,"direction":"received","type":"error","data":{"type":"error","é":[null,null]}}'.encode(),
        ),
    ],
)
def test_a_line_has_what_is_no_default(event, line) -> None:
    assert encode_event(event) == line


@pytest.mark.parametrize(
    "event", [AUDIO, Event(2.0, "local", "note"), Event(0.0, "sent", "x", {"a": 10**40})]
)
def test_a_line_is_the_event_again(event) -> None:
    assert msgspec.json.decode(encode_event(event), type=EventLine).event() == event


def test_data_that_goes_on_without_end_is_told_as_that() -> None:
    endless: dict[str, object] = {"type": "note"}
    endless["more"] = endless
    line = encode_event(Event(2.0, "local", "note", endless))
    assert msgspec.json.decode(line)["data"] == {"type": "note", "left_out": "RecursionError"}
