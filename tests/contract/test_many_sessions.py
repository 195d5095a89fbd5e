"""Twenty-five sessions at once on one server process: each gets its own audio back, to the sample."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest


@pytest.mark.speech
def test_nothing_is_lost_and_nothing_crosses(repository):
    command = [sys.executable, "bench/many_sessions.py", "--rounds", "2", "--limit-s", "100", "--json"]
    ended = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False, timeout=180)
    assert ended.stdout, ended.stderr
    told = json.loads(ended.stdout)
    assert told["errors"] == []
    assert told["turns_by_session"] == [2] * 25
    assert told["answered"] == told["exact"] == told["turns"] == 50
    assert told["crossed"] == 0
    assert ended.returncode == 0
