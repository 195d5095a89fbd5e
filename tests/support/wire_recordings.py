"""The recorded sessions of real endpoints, as they went over the wire."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["RECORDINGS", "Frame", "frames", "received"]

Json = dict[str, Any]

RECORDINGS = {
    "azure_tool_call": "ga",
    "azure_transcription_failed": "ga",
    "azure_voice_live_spoken_turn": "voice_live",
    "openai_history_seeding": "ga",
    "openai_spoken_turn": "ga",
}
"""Every recording, with the dialect that it is in."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One event of a recording; `sent` tells whether it is the client's."""

    sent: bool
    event: Json


def frames(folder: Path, name: str) -> list[Frame]:
    """Read one recording."""
    lines = (folder / "recordings" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [Frame(frame["dir"] == "sent", frame["data"]) for frame in map(json.loads, lines)]


def received(folder: Path, name: str) -> list[Json]:
    """Return what the endpoint sent in a recording."""
    return [frame.event for frame in frames(folder, name) if not frame.sent]
