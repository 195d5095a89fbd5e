"""Real recordings as logs: the events as they went over the wire, with times that could have been."""

from __future__ import annotations

import json
from pathlib import Path

from rt_notebook.core.events import Event

GA_RECORDINGS = (
    "azure_tool_call",
    "azure_transcription_failed",
    "openai_history_seeding",
    "openai_spoken_turn",
)
APPEND_S = 0.1
DELTA_S = 0.2


def recorded_events(folder: Path, name: str) -> list[Event]:
    """Read one recording. Its payloads are cut short: every piece of audio gets a length of its kind."""
    events: list[Event] = []
    t_s = 0.0
    for line in (folder / "recordings" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
        frame = json.loads(line)
        data = dict(frame["data"])
        samples, level_dbfs = 0, None
        t_s += 0.01
        if data["type"] == "input_audio_buffer.append":
            t_s += APPEND_S - 0.01
            samples, level_dbfs = round(APPEND_S * 24_000), -30.0
            data.pop("audio")
        elif data["type"] == "response.output_audio.delta":
            samples, level_dbfs = round(DELTA_S * 24_000), -20.0
            data.pop("delta")
        events.append(Event(round(t_s, 6), frame["dir"], data["type"], data, samples, level_dbfs))
    return events
