"""docs/log.md describes every column of every frame, and every local event."""

from __future__ import annotations

import re

import pytest
from scripted_log import conversation

from rt_notebook.core.events import LOCAL_EVENTS
from rt_notebook.log.event_log import EventLog

FRAMES = ("to_pandas", "turns", "latency", "transcript", "usage", "forecast", "errors", "glitches")
UNITS = ("_s", "_ms", "_dbfs", "_tokens", "_cost")
NO_UNIT = {"turn", "interrupted", "cost"}
"""Numbers that have none: a count, a truth, and money in whatever currency the prices are in."""


@pytest.fixture(scope="module")
def rows(repository) -> list[list[str]]:
    text = (repository / "docs" / "log.md").read_text(encoding="utf-8")
    return [re.split(r"(?<!\\)\|", line.strip("|")) for line in text.splitlines() if line.startswith("| `")]


@pytest.mark.parametrize("name", FRAMES)
@pytest.mark.parametrize("log", [conversation(), EventLog()], ids=["full", "empty"])
def test_the_columns_are_those_of_the_table(rows, name, log) -> None:
    told = [(row[1].strip(" `"), row[2].strip()) for row in rows if row[0].strip(" `") == name]
    frame = getattr(log, name)()
    assert [(column, dtype.name) for column, dtype in frame.dtypes.items()] == told
    for column, dtype in frame.dtypes.items():
        assert re.fullmatch(r"[a-z][a-z0-9_]*", column)
        if dtype.name.lower() in {"float64", "int64", "bool"}:
            assert column.endswith(UNITS) or column in NO_UNIT


def test_every_column_of_the_table_has_a_frame_and_a_meaning(rows) -> None:
    columns = [row for row in rows if len(row) == 4]
    assert {row[0].strip(" `") for row in columns} == set(FRAMES)
    assert all(row[3].strip() for row in columns)


def test_every_local_event_is_described_as_it_is_in_the_code(rows) -> None:
    told = {row[0].strip(" `"): row[1].strip() for row in rows if row[0].strip(" `").startswith("local.")}
    assert told == LOCAL_EVENTS
