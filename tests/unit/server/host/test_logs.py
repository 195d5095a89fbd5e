"""The server's log lines: one a record, for machines and for people, without the words of an exception."""

from __future__ import annotations

import json
import logging

from rt_notebook.server.host.logs import JsonFormatter, TextFormatter, log_event

SECRET = "what was said"


def logged(caplog):
    caplog.set_level(logging.INFO, "rt_notebook.server")
    log_event("session_closed", session_id="sess_1", close_code=None, duration_s=1.5)
    try:
        raise ValueError(SECRET)
    except ValueError as error:
        log_event("session_failed", level=logging.ERROR, error=error)
    logging.getLogger("rt_notebook.server").warning("two\nlines of %s", "another library")
    return caplog.records


def test_json(caplog):
    lines = [JsonFormatter().format(record) for record in logged(caplog)]
    assert not any("\n" in line for line in lines)
    closed, failed, other = map(json.loads, lines)
    assert closed.pop("time").endswith("+00:00")
    assert closed == {"level": "info", "event": "session_closed", "session_id": "sess_1", "duration_s": 1.5}
    assert failed["error"] == "ValueError"
    assert failed["at"][-1].startswith("test_logs.py:")
    assert SECRET not in str(failed)
    assert (other["level"], other["event"]) == ("warning", "two\nlines of another library")


def test_text(caplog):
    closed, failed, _ = (TextFormatter().format(record) for record in logged(caplog))
    assert closed == "INFO session closed  session_id=sess_1  duration_s=1.5"
    assert "error=ValueError" in failed
    assert SECRET not in failed
