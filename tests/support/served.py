"""`rt-notebook serve` as a process of its own, for tests that are other people's clients."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["serving"]


@contextmanager
def serving(*arguments: str) -> Iterator[dict[str, Any]]:
    """Serve with these arguments; give the ready line, the only one on stdout; see that the end is clean."""
    process = subprocess.Popen(
        [sys.executable, "-m", "rt_notebook", "serve", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        yield json.loads(line)
    finally:
        process.send_signal(signal.SIGTERM)
        rest = process.stdout.read()
        code = process.wait(10)
    assert code == 0
    assert rest == "", "stdout holds more than the one line"
