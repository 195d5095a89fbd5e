"""Recordings made without an endpoint: a scripted log with its audio, written by the real recorder."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from scripted_log import Script

from rt_notebook.core.events import Event
from rt_notebook.io.bundle.manifest import Manifest
from rt_notebook.io.bundle.writer import Recorder
from rt_notebook.io.secrets.scrub import Scrubber

WORDS = ("What is the tallest mountain?", "Mount Everest is the tallest.", "And the deepest sea?")


def scripted_events() -> list[Event]:
    """A spoken turn, an interrupted one and a typed one."""
    script = Script()
    script.say(WORDS[0], 0.5, 1.5)
    script.answer(WORDS[1], 2.2, 2.0)
    script.type(WORDS[2], 5.0)
    script.answer("The Mariana Trench.", 5.2, 1.5, heard_s=0.5)
    return list(script.log())


def audio_of(event: Event, number: int) -> bytes:
    """Audio of the length that an event tells, different for every event."""
    t = np.arange(event.audio_samples)
    wave = 8000 * np.sin(2 * math.pi * (200 + 7 * number) * t / 24_000)
    return bytes(wave.astype("<i2").tobytes())


def with_audio(events: list[Event]) -> list[tuple[Event, bytes]]:
    return [(event, audio_of(event, number)) for number, event in enumerate(events)]


def write(
    path: Path,
    pairs: list[tuple[Event, bytes]],
    *,
    keep_audio: bool = True,
    overwrite: bool = False,
    past: list[Event] = (),
    manifest: Manifest | None = None,
    scrubber: Scrubber | None = None,
) -> Path:
    """Write a bundle by the recorder, as a session does."""
    problems: list[str] = []
    recorder = Recorder(
        path,
        manifest or Manifest(purpose="a test", began_at="2026-11-01T10:00:00Z"),
        scrubber or Scrubber(),
        keep_audio=keep_audio,
        overwrite=overwrite,
        on_problem=problems.append,
    )
    recorder.begin(past, 0.0)
    for event, audio in pairs:
        recorder(event, audio)
    recorder.stop()
    return recorder.finished.result(30)
