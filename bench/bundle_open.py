"""Measure how long a bundle takes to open, beside reading its audio.

The bundle is that of a long conversation: a microphone that is always on, an answer every twelve seconds with
audio as hard to compress as speech, words in deltas. All times are seconds, the best of the rounds, with the
CPU seconds beside them. The promise is two seconds, or twice the time of reading the audio.

    python bench/bundle_open.py [--minutes 60] [--rounds 3]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import rt_notebook
from rt_notebook.core.audio import level_dbfs
from rt_notebook.core.envelope import levels_and_envelopes
from rt_notebook.core.events import Event
from rt_notebook.io.bundle.manifest import Manifest
from rt_notebook.io.bundle.writer import Recorder
from rt_notebook.io.secrets.scrub import Scrubber

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CHUNK_S = 0.04
TURN_S = 12.0
ANSWER_S = 5.0
DELTA_S = 0.2


def speech(seconds: float, rng: np.random.Generator) -> bytes:
    """Harmonics of a voice with syllables and breath: as hard to compress as speech."""
    t = np.arange(round(seconds * 24_000)) / 24_000
    pitch = 2 * np.pi * (120 + 15 * np.sin(2 * np.pi * 0.7 * t)) * t
    voice = sum(np.sin(k * pitch) / k for k in range(1, 15)) * (0.5 + 0.5 * np.sin(2 * np.pi * 4 * t)) ** 2
    return bytes((2500 * voice + 60 * rng.standard_normal(t.size)).astype("<i2").tobytes())


def conversation(minutes: float) -> Iterator[tuple[Event, bytes]]:
    """Events with their audio."""
    rng = np.random.default_rng(1)
    chunk_bytes, delta_bytes = round(CHUNK_S * 48_000), round(DELTA_S * 48_000)
    voices = [speech(TURN_S, rng) for _ in range(8)]
    number = 0

    def event(t_s: float, direction: str, type_: str, **data: object) -> Event:
        nonlocal number
        number += 1
        return Event(t_s, direction, type_, {"type": type_, "event_id": f"event_{number:021}"} | data)

    yield event(0.0, "received", "session.created", session={"id": "sess_1"}), b""
    for turn in range(round(minutes * 60 / TURN_S)):
        begin_s = turn * TURN_S
        voice = voices[turn % len(voices)]
        ids = {"item_id": f"item_{turn:021}", "response_id": f"resp_{turn:021}"}
        answer = voice[: round(ANSWER_S * 48_000)]
        for start in range(0, len(voice), chunk_bytes):
            pcm, t_s = voice[start : start + chunk_bytes], begin_s + start / 48_000 + 1e-6 * rng.random()
            type_ = "input_audio_buffer.append"
            ((level, envelope),) = levels_and_envelopes([pcm])
            yield Event(t_s, "sent", type_, {"type": type_, "envelope": envelope}, len(pcm) // 2, level), pcm
        yield event(begin_s + 6.0, "received", "response.created", response={"id": ids["response_id"]}), b""
        for start in range(0, len(answer), delta_bytes):
            pcm, t_s = answer[start : start + delta_bytes], begin_s + 6.0 + start / 240_000
            told = event(t_s, "received", "response.output_audio.delta", **ids)
            yield Event(t_s, "received", told.type, told.data, len(pcm) // 2, level_dbfs(pcm)), pcm
            kind = "response.output_audio_transcript.delta"
            yield event(t_s, "received", kind, delta=f" word{start}", **ids), b""
        yield event(begin_s + 8.0, "received", "response.done", response={"id": ids["response_id"]}), b""


def best(rounds: int, work: Callable[[], object]) -> tuple[float, float]:
    """Return the best wall time and the best CPU time of some work."""
    walls, cpus = [], []
    for _ in range(rounds):
        wall_s, cpu_s = time.perf_counter(), time.process_time()
        work()
        walls.append(time.perf_counter() - wall_s)
        cpus.append(time.process_time() - cpu_s)
    return min(walls), min(cpus)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "long.rtlog"
        recorder = Recorder(
            path, Manifest(purpose="bench"), Scrubber(), keep_audio=True, overwrite=False, on_problem=print
        )
        for event, pcm in conversation(args.minutes):
            recorder(event, pcm)
        stop_s = time.perf_counter()
        recorder.stop()
        recorder.finished.result()
        stop_s = time.perf_counter() - stop_s
        recording = rt_notebook.load(path)
        tracks = (recording.user_audio, recording.assistant_audio)
        open_s, open_cpu_s = best(args.rounds, lambda: rt_notebook.load(path))
        read_s, read_cpu_s = best(args.rounds, lambda: [len(track.pcm()) for track in tracks])
        hours = " + ".join(f"{track.duration_s / 60:.0f} min" for track in tracks)
        print(f"bundle    {path.stat().st_size / 1e6:6.1f} MB   {len(recording.log)} events, audio {hours}")
        print(f"pack      {stop_s:6.2f} s    from the last event to the finished file, what waits included")
        print(f"open      {open_s:6.2f} s    CPU {open_cpu_s:.2f} s")
        print(f"read      {read_s:6.2f} s    CPU {read_cpu_s:.2f} s (all of its audio)")
        print(f"open/read {open_s / read_s:6.2f}      allowed: 2, or {max(2.0, 2 * read_s):.2f} s in all")


if __name__ == "__main__":
    main()
