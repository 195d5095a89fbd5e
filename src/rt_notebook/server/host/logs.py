"""What the server tells about itself: one line an event, and never a key, a word that was said, or audio.

An exception is told by its type and by where it was raised. Its text is not: it may quote what a client sent.
"""

from __future__ import annotations

import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from rt_notebook.core import wire_json

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["JsonFormatter", "LogFormat", "TextFormatter", "configure_logs", "log_event"]

LogFormat = Literal["text", "json"]

_logger = logging.getLogger("rt_notebook.server")


def log_event(
    event: str, *, level: int = logging.INFO, error: Exception | None = None, **fields: Any
) -> None:
    """Tell that something has happened.

    Parameters
    ----------
    event
        What, such as ``"session_opened"``.
    error
        An exception that belongs to it.
    fields
        Facts about it, such as the id of a session. None is left out.
    """
    known = {name: value for name, value in fields.items() if value is not None}
    _logger.log(level, event, exc_info=error, extra={"fields": known})


class JsonFormatter(logging.Formatter):
    """One JSON object a record: ``time``, ``level``, ``event``, and the event's own fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {"time": time, "level": record.levelname.lower(), "event": record.getMessage()}
        return wire_json.encode(line | _facts(record))


class TextFormatter(logging.Formatter):
    """The same for people."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        facts = [f"{name}={value}" for name, value in _facts(record).items()]
        said = record.getMessage().replace("_", " ") if hasattr(record, "fields") else record.getMessage()
        return "  ".join([f"{record.levelname} {said}", *facts])


def configure_logs(log_format: LogFormat) -> None:
    """Send the logs of this process to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if log_format == "json" else TextFormatter())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    _logger.setLevel(logging.INFO)


def _facts(record: logging.LogRecord) -> dict[str, Any]:
    facts: dict[str, Any] = dict(getattr(record, "fields", {}))
    kind, _, trace = record.exc_info or (None, None, None)
    if kind is not None:
        facts |= {"error": kind.__name__, "at": _where(trace)}
    return facts


def _where(trace: TracebackType | None) -> list[str]:
    frames = traceback.extract_tb(trace)[-8:]
    return [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames]
