"""`rt-notebook serve` on the command line: every line of its log is an event, its options are checked."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import pytest
import websockets.sync.client
from websockets.exceptions import InvalidStatus

KEY = "a key of this test"


def test_every_line_is_an_event(tmp_path):
    with (tmp_path / "stderr").open("w+") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "rt_notebook", "serve", "--log-format", "json", "--api-key", KEY],
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
        ready = json.loads(process.stdout.readline())
        connect = websockets.sync.client.connect
        with connect(ready["realtime_url"], additional_headers={"api-key": KEY}) as socket:
            created = json.loads(socket.recv(timeout=30))
            socket.send(f'{{"type": "session.update", "session": {{"instructions": "{KEY}"}}}}')
            socket.recv(timeout=30)
        with pytest.raises(InvalidStatus):
            connect(ready["realtime_url"], additional_headers={"api-key": "wrong " + KEY})
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        stderr.seek(0)
        told = stderr.read()
    events = [json.loads(line) for line in told.splitlines()]
    told_of = {event["event"]: event for event in events}
    assert set(told_of) == {"component", "listening", "session_opened", "session_closed", "refused"}
    opened, closed, refused = (told_of[name] for name in ("session_opened", "session_closed", "refused"))
    assert opened["session_id"] == closed["session_id"] == created["session"]["id"]
    assert (closed["close_code"], opened["dialect"], refused["status"]) == (1000, "ga", 401)
    assert closed["duration_s"] >= 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--allow-origin", "*"], "is not the origin of a web page. Name it as the browser does"),
        (["--session-minutes", "0"], "Give a number above 0"),
        (["--max-sessions", "0"], "Give 1 or more."),
        (["--fault", "explode"], "There is no fault 'explode'. Choose one of drop, "),
    ],
)
def test_a_wrong_option_is_one_clear_sentence(arguments, words):
    command = [sys.executable, "-m", "rt_notebook", "serve", *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert words in ended.stderr
    assert ended.stderr.count("\n") == 1
