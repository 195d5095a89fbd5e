"""``rt-notebook replay``: print a recorded conversation, as it went or at once."""

from __future__ import annotations

import math
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from rt_notebook.commands.turn import print_turn, timings_of
from rt_notebook.io.bundle.recording import load
from rt_notebook.io.endpoints.endpoint import Endpoint
from rt_notebook.io.session.session import Session

if TYPE_CHECKING:
    import argparse

    from rt_notebook.core.events import Event
    from rt_notebook.log.event_log import EventLog

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("file", type=Path, metavar="FILE", help="a recording, .rtlog")
    parser.add_argument(
        "--speed", type=float, default=math.inf, help="1 is the recorded pace (default: all at once)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object a turn")


def run(args: argparse.Namespace) -> int:
    """Replay the recording and print each turn when it is over.

    Raises
    ------
    BundleError
        The recording cannot be opened.
    """
    recording = load(args.file)
    print(repr(recording)[1:-1], file=sys.stderr)
    print(f"Purpose: {recording.manifest.purpose or 'not told'}", file=sys.stderr)
    session = Session(Endpoint.replay(recording, speed=args.speed))
    moved, over = threading.Event(), threading.Event()

    def note(event: Event | None) -> None:
        if event is None:
            over.set()
        if event is None or event.type in {"response.done", "conversation.item.added"}:
            moved.set()

    session.subscribe(note)
    printed = 0
    try:
        session.connect_blocking()
        while not over.is_set():
            moved.wait()
            moved.clear()
            if not math.isinf(args.speed):
                # The newest turn may go on.
                printed = _print_new(session.log, -1, printed, as_json=args.json)
        _print_new(session.log, None, printed, as_json=args.json)
    finally:
        session.close_blocking()
    return 0


def _print_new(log: EventLog, end: int | None, printed: int, *, as_json: bool) -> int:
    turns = log.fold_turns()[:end]
    if len(turns) <= printed:
        return printed
    latency = log.latency()
    for turn in turns[printed:]:
        told = {
            "turn": turn.turn,
            "user": turn.user,
            "assistant": turn.assistant,
            "status": turn.status,
            "interrupted": turn.interrupted,
            **timings_of(turn, latency),
        }
        print_turn(f"turn {turn.turn} ({turn.status})", told, as_json=as_json)
    return len(turns)
