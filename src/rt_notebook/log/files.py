"""A log as a file that other programs read, and back: JSON lines, Parquet.

The only module here that touches files. Keys and tokens are blotted out on the way.

JSON lines: first ``{"schema": "rt_notebook.events", "version": 1}``, then one event a line, with the fields
of `Event`; a field that has its default is left out, and so is `data` that holds nothing but the type. In
Parquet, the columns of `EventLog.to_pandas` come first, then ``audio_samples`` and ``data_json``; schema and
version stand in the file's metadata.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rt_notebook.core.events import Event
from rt_notebook.core.scrub import scrubbed
from rt_notebook.errors import ComponentMissingError, LogFileError
from rt_notebook.log.fields import as_number
from rt_notebook.log.table import DIRECTIONS, events_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["read_jsonl", "read_parquet", "write_jsonl", "write_parquet"]

SCHEMA = "rt_notebook.events"
VERSION = 1
_REMEDY = "Give a file that to_jsonl or to_parquet of this version, or of an older one, has written."


def write_jsonl(events: Iterable[Event], path: str | Path) -> Path:
    """Write events as JSON lines; see `EventLog.to_jsonl`."""
    with _create(path).open("w", encoding="ascii", newline="\n") as file:
        file.write(_json({"schema": SCHEMA, "version": VERSION}) + "\n")
        for event in map(scrubbed, events):
            file.write(_json(_fields(event)) + "\n")
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
    table = table.append_column("data_json", arrow.array([_json(e.data) for e in events], arrow.string()))
    metadata = (table.schema.metadata or {}) | {b"schema": SCHEMA.encode(), b"version": str(VERSION).encode()}
    with _create(path).open("wb") as file:
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


def _create(path: str | Path) -> Path:
    """Make the file, readable by nobody else: it holds what was said."""
    path = Path(path)
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    return path


def _fields(event: Event) -> dict[str, Any]:
    fields: dict[str, Any] = {"t_s": event.t_s, "direction": event.direction, "type": event.type}
    if event.data != {"type": event.type}:
        fields["data"] = event.data
    if event.audio_samples:
        fields["audio_samples"] = event.audio_samples
    if event.level_dbfs is not None:
        fields["level_dbfs"] = event.level_dbfs
    return fields


def _event(fields: object, where: str) -> Event:
    """Make an event of what a file says, having looked at every field."""
    told = fields if isinstance(fields, dict) else {}
    t_s, samples, level = (as_number(told.get(name, 0)) for name in ("t_s", "audio_samples", "level_dbfs"))
    direction, type_ = told.get("direction"), told.get("type")
    data, exact = told.get("data", {"type": type_}), told.get("audio_samples", 0)
    if (
        "t_s" not in told
        or t_s is None
        or samples is None
        or not isinstance(exact, int)
        or not 0 <= exact < 2**63
        or (level is None and told.get("level_dbfs") is not None)
        or direction not in DIRECTIONS
        or not isinstance(type_, str)
        or not isinstance(data, dict)
    ):
        raise LogFileError(f"{where} is no event.", _REMEDY)
    return Event(t_s, direction, type_, data, exact, level if "level_dbfs" in told else None)


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


def _json(value: object) -> str:
    try:
        return json.dumps(value, separators=(",", ":"), default=_plain, allow_nan=False)
    except ValueError:
        return json.dumps(_finite(value), separators=(",", ":"), default=str)


def _plain(value: object) -> object:
    """Make something plain of what JSON does not have: users note what they like."""
    numbers = getattr(value, "tolist", None)
    return numbers() if callable(numbers) else str(value)


def _finite(value: Any, depth: int = 0) -> Any:
    """Put null for numbers that JSON does not have, and for what goes on without end."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return None if depth > 50 else {key: _finite(entry, depth + 1) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return None if depth > 50 else [_finite(entry, depth + 1) for entry in value]
    return value


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
