"""Many sessions at once against one server process on the loopback, in real time.

Every bot speaks a sentence of its own, 20 ms at a time, with Silero finding its turns. With the echo as
replier it checks by hash that exactly the audio of its turn comes back: nothing lost, nothing of another
session; then it deletes the turn, so that the server's memory has no reason to grow. With --chain the whole
speech chain answers, and no session may wait for the others.

    python bench/many_sessions.py [--sessions 25] [--rounds 5] [--limit-s 180] [--chain] [--json]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from bots import Bot, digest

from rt_notebook import voice
from rt_notebook.core.audio import to_pcm

QUESTIONS = (
    "What is the capital of France?",
    "Why is the sky blue?",
    "Where do whales live?",
    "How many legs does a spider have?",
)
TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
UNITS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
)
UNITS += "seventeen eighteen nineteen"


def spelled(number: int) -> str:
    small = UNITS.split()
    return (
        small[number] if number < 20 else f"{TENS[number // 10]} {small[number % 10] if number % 10 else ''}"
    )


class ServerProcess:
    """``rt-notebook serve`` in a process of its own, measured from outside (Linux)."""

    def __init__(self, reply: str) -> None:
        command = [sys.executable, "-m", "rt_notebook", "serve", "--reply", reply]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self.process.stdout is not None
        ready = json.loads(self.process.stdout.readline())
        self.url, self.key = f"{ready['realtime_url']}?model=local", ready["api_key"]
        self.memory_mb: list[float] = []

    def _proc(self, name: str) -> str:
        return Path(f"/proc/{self.process.pid}/{name}").read_text(encoding="ascii")

    @property
    def cpu_s(self) -> float:
        fields = self._proc("stat").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    async def watch(self) -> None:
        while True:
            pages = int(self._proc("statm").split()[1])
            self.memory_mb.append(pages * os.sysconf("SC_PAGE_SIZE") / 2**20)
            await asyncio.sleep(1)

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()


async def talk(
    server: ServerProcess, clips: list[list[bytes]], rounds: int, limit_s: float, *, echo: bool
) -> list[Bot]:
    bots = [Bot(server.url, server.key, own, rounds, forget=echo) for own in clips]
    watching = asyncio.create_task(server.watch())
    begin_s = time.perf_counter() + 1.0
    # Spread over a turn, as people are, so that not all of them stop at the same moment.
    runs = [asyncio.create_task(bot.run(begin_s + i * 2.0 / len(bots))) for i, bot in enumerate(bots)]
    _, late = await asyncio.wait(runs, timeout=limit_s)
    for run in late:
        run.cancel()
    for bot, outcome in zip(bots, await asyncio.gather(*runs, return_exceptions=True), strict=True):
        if isinstance(outcome, BaseException):
            bot.errors.append(f"not finished: {outcome!r}")
    watching.cancel()
    return bots


def percentiles_ms(seconds: list[float]) -> dict[str, float]:
    if not seconds:
        return {}
    values = {"p50": np.percentile(seconds, 50), "p99": np.percentile(seconds, 99), "max": max(seconds)}
    return {name: round(float(value) * 1000, 1) for name, value in values.items()}


def report(bots: list[Bot], server: ServerProcess, *, echo: bool) -> dict[str, Any]:
    turns = [turn for bot in bots for turn in bot.turns]
    ended = [turn for turn in turns if turn.stopped_s]
    owners: dict[str, set[int]] = {}
    for number, bot in enumerate(bots):
        for turn in bot.turns:
            owners.setdefault(turn.sent, set()).add(number)
    crossed = sum(
        bool(owners.get(digest(bytes(turn.echoed)), set()) - {number})
        for number, bot in enumerate(bots)
        for turn in bot.turns
    )
    by_time = sorted(ended, key=lambda turn: turn.stopped_s)
    third = max(1, len(by_time) // 3)
    waits = [
        [turn.first_audio_s - turn.stopped_s for turn in bot.turns if turn.first_audio_s] for bot in bots
    ]
    facts: dict[str, Any] = {
        "turns": len(turns),
        "answered": sum(turn.status == "completed" for turn in turns),
        "turns_by_session": [len(bot.turns) for bot in bots],
        "errors": [error for bot in bots for error in bot.errors],
        "stop_after_deciding_frame_ms": percentiles_ms([turn.stopped_s - turn.decided_s for turn in ended]),
        "the_same_first_third_ms": percentiles_ms([t.stopped_s - t.decided_s for t in by_time[:third]]),
        "the_same_last_third_ms": percentiles_ms([t.stopped_s - t.decided_s for t in by_time[-third:]]),
        "first_audio_after_stop_ms": percentiles_ms([wait for own in waits for wait in own]),
        "socket_round_trip_ms": percentiles_ms([ping for bot in bots for ping in bot.pings_s]),
        "bots_sent_late_ms": percentiles_ms([late for bot in bots for late in bot.late_s]),
        "server_memory_mb": {
            "begin": round(server.memory_mb[0]),
            "max": round(max(server.memory_mb)),
            "each_tenth": [
                round(float(np.mean(part))) for part in np.array_split(server.memory_mb, 10) if part.size
            ],
        },
    }
    if echo:
        facts["exact"] = sum(turn.exact for turn in turns)
        facts["crossed"] = crossed
    else:
        facts["median_wait_by_session_ms"] = [
            round(float(np.median(own)) * 1000) if own else None for own in waits
        ]
    return facts


def main() -> int:
    """Run it; the exit code says whether every turn was answered, and with its own audio."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sessions", type=int, help="default: 25, with --chain 4")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--limit-s", type=float, default=180.0, help="give up after this time")
    parser.add_argument("--chain", action="store_true", help="the whole speech chain instead of the echo")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    args = parser.parse_args()
    sessions = args.sessions or (4 if args.chain else 25)
    if args.chain:
        spoken = [to_pcm(voice(question)) for question in QUESTIONS]
        clips = [spoken[i % 4 :] + spoken[: i % 4] for i in range(sessions)]
    else:
        clips = [[to_pcm(voice(f"I am speaker number {spelled(i)}."))] for i in range(sessions)]
    load_before = os.getloadavg()
    server = ServerProcess("auto" if args.chain else "echo")
    try:
        began_s, cpu_s = time.perf_counter(), server.cpu_s
        bots = asyncio.run(talk(server, clips, args.rounds, args.limit_s, echo=not args.chain))
        took_s, cpu_s = time.perf_counter() - began_s, server.cpu_s - cpu_s
        facts = {
            "sessions": sessions,
            "rounds": args.rounds,
            "took_s": round(took_s, 1),
            "server_cpu_share": round(cpu_s / took_s, 2),
            "load_before": load_before,
            "load_after": os.getloadavg(),
            "cores": os.cpu_count(),
        } | report(bots, server, echo=not args.chain)
    finally:
        server.stop()
    if args.json:
        print(json.dumps(facts))
    else:
        for name, value in facts.items():
            print(f"{name:>30}  {value}")
    good = facts["exact"] if not args.chain else facts["answered"]
    complete = min(facts["turns_by_session"]) >= args.rounds
    return 0 if complete and good == facts["turns"] and not facts["errors"] else 1


if __name__ == "__main__":
    sys.exit(main())
