"""Measure what the log costs: `to_pandas()` after every turn, and a log of a million events.

Beside it, in the same run, what people write instead: a list of dictionaries that is made into a frame each
time, and a frame that grows by `pd.concat`. Every kind gets the same events, in turns of 75, with as many
different ids as a conversation has. All times are CPU milliseconds of this process.

    python bench/log_speed.py [--rounds 3] [--events 1000000]
"""

from __future__ import annotations

import argparse
import gc
import os
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from rt_notebook.core.events import Event
from rt_notebook.log.event_log import EventLog
from rt_notebook.log.table import DIRECTIONS, events_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TURNS = 300
EVENTS_A_TURN = 75
WORD_DELTAS = 19
"""A turn has twice as many pieces of audio, and three; the others are what it begins and ends with."""

_HEAD = (
    "input_audio_buffer.speech_started",
    "input_audio_buffer.speech_stopped",
    "input_audio_buffer.committed",
    "conversation.item.added",
    "conversation.item.done",
    "conversation.item.input_audio_transcription.completed",
)
_TAIL = (
    "response.created",
    "response.output_item.added",
    "response.content_part.added",
    "response.output_audio.done",
    "response.output_audio_transcript.done",
    "response.content_part.done",
    "response.output_item.done",
    "response.done",
    "rate_limits.updated",
)


def turn_events(number: int, event_id: Iterator[int]) -> list[Event]:
    """Return the events of one turn, as the protocol makes them: every id is a string of its own."""
    audio, words = "response.output_audio.delta", "response.output_audio_transcript.delta"
    kinds = [*_HEAD, *_TAIL[:3], *([audio, audio, words] * WORD_DELTAS), *[audio] * 3, *_TAIL[3:]]
    assert len(kinds) == EVENTS_A_TURN
    events = []
    for index, kind in enumerate(kinds):
        user = kind in _HEAD
        data = {
            "type": kind,
            "event_id": f"event_{next(event_id):016x}",
            "item_id": f"item_{2 * number + (not user):016x}",
        }
        if not user:
            data["response_id"] = f"resp_{number:016x}"
        if kind == words:
            data["delta"] = f" word{index}"
        samples = 4800 if kind == audio else 0
        t_s = number * 10.0 + index * 0.1
        events.append(Event(t_s, "received", kind, data, samples, -20.0 - index / 7 if samples else None))
    return events


def row_of(event: Event) -> dict[str, object]:
    """Return what the peers store: the same ten columns."""
    return {
        "t_s": event.t_s,
        "direction": event.direction,
        "type": event.type,
        "event_id": event.data.get("event_id"),
        "item_id": event.item_id,
        "response_id": event.response_id,
        "audio_ms": event.audio_ms,
        "level_dbfs": event.level_dbfs,
        "text": event.text,
        "error_code": None,
    }


class Ours:
    def __init__(self) -> None:
        self.log = EventLog()

    def add(self, events: list[Event]) -> None:
        for event in events:
            self.log.append(event)

    def frame(self) -> pd.DataFrame:
        return self.log.to_pandas()


class ListOfDicts:
    def __init__(self) -> None:
        self.rows: list[dict[str, object]] = []

    def add(self, events: list[Event]) -> None:
        self.rows += map(row_of, events)

    def frame(self) -> pd.DataFrame:
        return pd.DataFrame(self.rows)


class Concat:
    def __init__(self) -> None:
        self.rows: list[dict[str, object]] = []
        self.whole: pd.DataFrame | None = None

    def add(self, events: list[Event]) -> None:
        self.rows += map(row_of, events)

    def frame(self) -> pd.DataFrame:
        new = pd.DataFrame(self.rows)
        self.rows = []
        self.whole = new if self.whole is None else pd.concat([self.whole, new], ignore_index=True)
        return self.whole.copy(deep=False)


class ConcatTyped(Concat):
    """The same dtypes as ours, which concat has to bring together."""

    def frame(self) -> pd.DataFrame:
        new = pd.DataFrame(self.rows).astype(
            dict.fromkeys(("event_id", "item_id", "response_id", "text", "error_code"), "string")
        )
        new["direction"] = pd.Categorical(new["direction"], categories=DIRECTIONS)
        self.rows = []
        if self.whole is not None:
            types = self.whole["type"].cat.categories.union(new["type"].unique(), sort=False)
            self.whole["type"] = self.whole["type"].cat.set_categories(types)
            new["type"] = pd.Categorical(new["type"], categories=types)
            new = pd.concat([self.whole, new], ignore_index=True)
        else:
            new["type"] = new["type"].astype("category")
        self.whole = new
        return new.copy(deep=False)


def cpu_ms(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return (time.process_time() - began) * 1000


def after_every_turn(rounds: int) -> pd.DataFrame:
    """CPU of adding a turn and taking the frame, 300 times."""
    costs: dict[str, list[tuple[float, float]]] = {}
    for _ in range(rounds):
        for kind in (Ours, Concat, ConcatTyped, ListOfDicts):
            ids = iter(range(10**9))
            turns = [turn_events(number, ids) for number in range(TURNS)]
            store, adding, frames = kind(), 0.0, []
            for number, events in enumerate(turns, start=1):
                adding += cpu_ms(lambda store=store, events=events: store.add(events))
                began = time.process_time()
                frame = store.frame()
                frames.append((time.process_time() - began) * 1000)
                assert len(frame) == number * EVENTS_A_TURN
            costs.setdefault(kind.__name__, []).append((adding + sum(frames), statistics.median(frames)))
    rows = {
        name: {
            "add and take frame, ms in all": statistics.median(total for total, _ in values),
            "median ms a frame": statistics.median(frame for _, frame in values),
        }
        for name, values in costs.items()
    }
    table = pd.DataFrame(rows).T
    table["this / ours"] = table.iloc[:, 0] / table.iloc[0, 0]
    return table


def resident_bytes() -> int:
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def large(count: int) -> None:
    """A log of a million events: memory, frame, filter."""
    ids = iter(range(10**9))
    events = [event for number in range(count // EVENTS_A_TURN) for event in turn_events(number, ids)]
    payloads = [event.data for event in events]
    facts = [(e.t_s, e.type, e.audio_samples, e.level_dbfs) for e in events]
    del events
    gc.collect()
    before = resident_bytes()
    log = EventLog()
    began = time.process_time()
    for data, (t_s, kind, samples, level) in zip(payloads, facts, strict=True):
        log.append(Event(t_s, "received", kind, data, samples, level))
    append_us = (time.process_time() - began) / len(log) * 1e6
    in_log = resident_bytes() - before
    first_ms = cpu_ms(log.to_pandas)
    gc.collect()
    with_frame = resident_bytes() - before
    table = log.to_pandas()
    again = []
    for number in range(21):
        for event in turn_events(10**7 + number, ids):
            log.append(event)
        again.append(cpu_ms(log.to_pandas))
    print(f"\n{len(log):,} events")
    print(f"  append, with making the event            {append_us:8.2f} us an event")
    print(f"  first to_pandas()                        {first_ms:8.0f} ms")
    print(f"  to_pandas() after one more turn          {statistics.median(again):8.2f} ms (limit 3)")
    for kind in ("response.done", "response.output_audio_transcript.delta", "response.output_audio.delta"):
        times = [cpu_ms(lambda kind=kind: table[table["type"] == kind]) for _ in range(7)]
        share = (table["type"] == kind).mean()
        first = cpu_ms(lambda kind=kind: log.to_pandas(kind))
        kept = []
        for number in range(7):
            for event in turn_events(2 * 10**7 + number, ids):
                log.append(event)
            kept.append(cpu_ms(lambda kind=kind: log.to_pandas(kind)))
        print(f"  {kind}, {share:.1%} of the rows")
        print(f"    frame[frame.type == it]                {statistics.median(times):8.2f} ms")
        print(f"    to_pandas(it), the first time          {first:8.0f} ms")
        print(f"    the same, after one more turn          {statistics.median(kept):8.2f} ms (limit 10)")
    times = [cpu_ms(lambda: table.groupby("type", observed=True).size()) for _ in range(5)]
    print(f"  groupby type                             {statistics.median(times):8.2f} ms")
    print(f"  memory beside the payloads, log alone    {in_log / len(table):8.0f} B an event")
    print(f"  the same with its frame                  {with_frame / len(table):8.0f} B an event (limit 150)")


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--events", type=int, default=1_000_000)
    options = parser.parse_args()
    print(f"load before {os.getloadavg()}, {os.cpu_count()} cores, pandas {pd.__version__}")
    events_table(turn_events(0, iter(range(100))))  # warm
    print(f"{TURNS} turns of {EVENTS_A_TURN} events, a frame after each; median of {options.rounds} rounds")
    print(after_every_turn(options.rounds).round(2).to_string())
    large(options.events)
    print(f"load after {os.getloadavg()}")


if __name__ == "__main__":
    main()
