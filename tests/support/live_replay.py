"""Replay a recorded client at a running server, through a socket, with real speech for the spoken turns.

The client sends its events as recorded, each as soon as the server event has come that it followed there.
The recording's audio is cut to nothing, so a voice says the words instead, beginning where the recording has
them.
"""

from __future__ import annotations

import asyncio
import base64
import json
from typing import TYPE_CHECKING, Any

import numpy as np
from canonical import types
from engine_replay import APPEND_MS, FRAME_MS, speech_frames
from websockets.asyncio.client import connect
from wire_recordings import RECORDINGS

from rt_notebook.core.audio import to_pcm
from rt_notebook.core.dialects import DIALECTS

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt
    from wire_recordings import Frame

__all__ = ["PATHS", "replay_live"]

Json = dict[str, Any]

PATHS = {
    "azure_tool_call": "/openai/v1/realtime?model=gpt-realtime",
    "azure_voice_live_spoken_turn": "/voice-live/realtime?api-version=2025-10-01&model=gpt-realtime",
    "openai_history_seeding": "/v1/realtime?model=gpt-realtime",
    "openai_spoken_turn": "/v1/realtime?model=gpt-realtime",
}
"""Where each recorded client would connect to. The one whose transcription fails has no like here."""

_PATIENCE_S = 90
_DELTA = ".delta"


def _utterance(
    recorded: list[Json], voice: Callable[[str], npt.NDArray[np.float32]], words: str, appends: int
) -> bytes:
    """Return the client's audio: silence, the words where they were spoken, silence."""
    samples = np.zeros(appends * APPEND_MS * 24, np.float32)
    [(first, _)] = speech_frames(recorded)
    said = voice(words)
    loud = np.flatnonzero(np.abs(said) > 0.02)
    said = said[loud[0] : loud[-1]]
    start = first * FRAME_MS * 24
    samples[start : start + len(said)] = said
    return to_pcm(samples)


def _marks(events: list[Json]) -> list[str]:
    """Return the types that a client can wait for: all but deltas and transcriptions."""
    return [kind for kind in types(events) if not kind.endswith(_DELTA) and "transcription" not in kind]


async def replay_live(
    frames: list[Frame],
    name: str,
    served: Json,
    voice: Callable[[str], npt.NDArray[np.float32]],
    words: str = "",
) -> list[Json]:
    """Return what the server sent, up to as many responses as the recording has."""
    dialect = DIALECTS[RECORDINGS[name]]
    theirs = [dialect.server_from_wire(frame.event) for frame in frames if not frame.sent]
    appends = sum(frame.event["type"] == "input_audio_buffer.append" for frame in frames)
    audio = _utterance(theirs, voice, words, appends) if appends else b""
    size = APPEND_MS * 48
    pieces = iter([audio[start : start + size] for start in range(0, len(audio), size)])
    url = served["azure_endpoint"].replace("http", "ws", 1) + PATHS[name]
    ours: list[Json] = []
    key = {"api-key": served["api_key"]}
    async with asyncio.timeout(_PATIENCE_S), connect(url, additional_headers=key) as ws:

        async def until(recorded: list[Json]) -> None:
            wanted = _marks(recorded)
            while missing := _missing(wanted, _marks(ours)):
                ended = types(ours).count("response.done") > wanted.count("response.done")
                assert not ended, f"the response is done without {missing}"
                ours.append(json.loads(await ws.recv()))

        for number, frame in enumerate(frames):
            if not frame.sent:
                continue
            await until([f.event for f in frames[:number] if not f.sent])
            event = frame.event
            if event["type"] == "input_audio_buffer.append":
                event = event | {"audio": base64.b64encode(next(pieces)).decode()}
            if event.get("item", {}).get("type") == "function_call_output":
                done = "response.function_call_arguments.done"
                call_id = next(e["call_id"] for e in ours if e["type"] == done)
                event = event | {"item": event["item"] | {"call_id": call_id}}
            await ws.send(json.dumps(event))
        await until([f.event for f in frames if not f.sent])
        ends = ("transcription.completed", "transcription.failed")
        asked = sum(kind.endswith(ends) for kind in types(theirs))
        while sum(kind.endswith(ends) for kind in types(ours)) < asked:
            ours.append(json.loads(await ws.recv()))
    return ours


def _missing(wanted: list[str], got: list[str]) -> list[str]:
    return [kind for kind in dict.fromkeys(wanted) if got.count(kind) < wanted.count(kind)]
