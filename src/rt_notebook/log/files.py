"""A log as a file that other programs read, and back: JSON lines, Parquet.

The only module here that touches files. Keys and tokens are blotted out on the way.

JSON lines: first ``{"schema": "rt_notebook.events", "version": 1}``, then one event a line (`event_line`). In
Parquet, the columns of `EventLog.to_pandas` come first, then ``audio_samples`` and ``data_json``; schema and
version stand in the file's metadata.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from rt_notebook.core.scrub import scrubbed
from rt_notebook.errors import ComponentMissingError, LogFileError
from rt_notebook.log.event_line import EventLine, encode_data, encode_event, encode_json
from rt_notebook.log.table import events_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rt_notebook.core.events import Event

__all__ = ["private_file", "read_jsonl", "read_parquet", "write_jsonl", "write_parquet"]

SCHEMA = "rt_notebook.events"
VERSION = 1
_REMEDY = "Give a file that to_jsonl or to_parquet of this version, or of an older one, has written."


def private_file(path: str | Path) -> Path:
    """Make an empty file that nobody else may read, since it is to hold what was said; return its path.

    What is there is replaced. A link is replaced as well, never followed.

    Raises
    ------
    LogFileError
        It cannot be made there.
    """
    path = Path(path)
    try:
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
    except OSError as error:
        remedy = "Give a name in a folder that is there, and in which you may write."
        raise LogFileError(f"{path} cannot be written ({error.strerror}).", remedy) from None
    return path


def write_jsonl(events: Iterable[Event], path: str | Path) -> Path:
    """Write events as JSON lines; see `EventLog.to_jsonl`."""
    with private_file(path).open("wb") as file:
        file.write(encode_json({"schema": SCHEMA, "version": VERSION}) + b"\n")
        for event in map(scrubbed, events):
            file.write(encode_event(event) + b"\n")
    return Path(path)


def read_jsonl(path: str | Path) -> Iterator[Event]:
    """Read events from JSON lines; see `EventLog.from_jsonl`."""
    number = 0
    with Path(path).open(encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(file, start=1):
            try:
                fields = json.loads(line)
            except (ValueError, RecursionError):
                raise LogFileError(f"Line {number} of {path} is not JSON.", _REMEDY) from None
            if number == 1:
                _check_version(fields, path)
            else:
                yield _event(fields, f"Line {number} of {path}")
    if number == 0:
        raise LogFileError(f"{path} is empty.", _REMEDY)


def write_parquet(events: Iterable[Event], path: str | Path) -> Path:
    """Write events as Parquet; see `EventLog.to_parquet`."""
    arrow, parquet = _arrow()
    events = list(map(scrubbed, events))
    table = arrow.Table.from_pandas(events_table(events), preserve_index=False)
    samples = arrow.array([event.audio_samples for event in events], arrow.int64())
    table = table.append_column("audio_samples", samples)
    table = table.append_column(
        "data_json", arrow.array([encode_data(e).decode() for e in events], arrow.string())
    )
    metadata = (table.schema.metadata or {}) | {b"schema": SCHEMA.encode(), b"version": str(VERSION).encode()}
    with private_file(path).open("wb") as file:
        parquet.write_table(table.replace_schema_metadata(metadata), file, compression="zstd")
    return Path(path)


def read_parquet(path: str | Path) -> Iterator[Event]:
    """Read events from Parquet; see `EventLog.from_parquet`."""
    arrow, parquet = _arrow()
    names = ["t_s", "direction", "type", "audio_samples", "level_dbfs", "data_json"]
    try:
        metadata = parquet.read_schema(path).metadata or {}
        told = {"schema": metadata.get(b"schema", b"").decode(), "version": int(metadata.get(b"version", 0))}
        _check_version(told, path)
        columns = parquet.read_table(path, columns=names).to_pydict()
    except (arrow.ArrowException, ValueError, KeyError) as error:
        raise LogFileError(f"{path} cannot be read as Parquet ({error}).", _REMEDY) from None
    for number, row in enumerate(zip(*(columns[name] for name in names), strict=True), start=1):
        fields = dict(zip(names, row, strict=True))
        try:
            fields["data"] = json.loads(fields.pop("data_json"))
        except (TypeError, ValueError, RecursionError):
            raise LogFileError(f"Row {number} of {path} is not JSON.", _REMEDY) from None
        if fields["level_dbfs"] is not None and math.isnan(fields["level_dbfs"]):
            fields["level_dbfs"] = None
        yield _event(fields, f"Row {number} of {path}")


def _event(fields: object, where: str) -> Event:
    """Make an event of what a file says, having looked at every field."""
    try:
        return msgspec.convert(fields, EventLine).event()
    except msgspec.ValidationError as error:
        raise LogFileError(f"{where} is no event ({error}).", _REMEDY) from None


def _check_version(told: object, path: str | Path) -> None:
    known = isinstance(told, dict) and told.get("schema") == SCHEMA
    version = told.get("version") if isinstance(told, dict) else None
    if not known or not isinstance(version, int):
        raise LogFileError(f"{path} holds no log.", _REMEDY)
    if version > VERSION:
        raise LogFileError(
            f"{path} was written by a later version of rt_notebook (schema {version}).",
            "Upgrade rt_notebook, and read it with that.",
        )


def _arrow() -> tuple[Any, Any]:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        raise ComponentMissingError(
            "Parquet needs pyarrow, which is not installed.",
            "Run pip install 'rt-notebook[parquet]', or use to_jsonl.",
        ) from None
    return pa, parquet
