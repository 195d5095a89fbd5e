"""Measure what a session costs, receiving and sending, beside openai-python on the same traffic.

A server on loopback plays minutes of conversation as fast as they are taken: 450 events a minute, of which
246 carry audio. Our side is the whole `Session`: socket, protocol, audio decoded, levels, the log, and the
folds kept current (all events read, turns told after every turn). Theirs is the GA connection of
openai-python, iterated over; it decodes no audio and keeps nothing. Then both send 40 ms chunks. Rounds of
the two alternate, each in a process of its own; CPU is that process's own.

    python bench/receive.py [--minutes 20] [--rounds 5]
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import os
import statistics
import subprocess
import sys
import time
from typing import Any

import numpy as np

TURNS_A_MINUTE = 6
CHUNK_BYTES = 1920
CHUNKS_A_MINUTE = 1500
AHEAD_CHUNKS = 1000
AUDIO_BYTES = (3225, 6000, 9000)


def minute(number: int) -> list[str]:
    """Return one minute of conversation as frames: six turns of 75 events."""
    rng = np.random.default_rng(number)
    frames = []
    audio = [
        base64.b64encode((rng.normal(0, 3000, size // 2)).astype("<i2").tobytes()).decode()
        for size in AUDIO_BYTES
    ]
    for turn in range(number * TURNS_A_MINUTE, (number + 1) * TURNS_A_MINUTE):
        user, item, resp = f"item_{2 * turn:021d}", f"item_{2 * turn + 1:021d}", f"resp_{turn:021d}"
        where = {"response_id": resp, "item_id": item, "output_index": 0, "content_index": 0}
        words = "It is sunny in Lisbon, with a light breeze from the sea and about twenty two degrees."
        begin_ms = turn * 10_000 + 1000
        message = {
            "id": user,
            "object": "realtime.item",
            "type": "message",
            "status": "completed",
            "role": "user",
        }
        heard = message | {"content": [{"type": "input_audio", "transcript": None}]}
        answer = message | {"id": item, "role": "assistant", "content": []}
        usage = {
            "total_tokens": 253,
            "input_tokens": 132,
            "output_tokens": 121,
            "input_token_details": {
                "text_tokens": 119,
                "audio_tokens": 13,
                "image_tokens": 0,
                "cached_tokens": 64,
                "cached_tokens_details": {"text_tokens": 64, "audio_tokens": 0, "image_tokens": 0},
            },
            "output_token_details": {"text_tokens": 30, "audio_tokens": 91},
        }
        response: dict[str, Any] = {
            "object": "realtime.response",
            "id": resp,
            "status": "in_progress",
            "status_details": None,
            "output": [],
            "conversation_id": "conv_1",
            "output_modalities": ["audio"],
            "max_output_tokens": "inf",
            "audio": {"output": {"format": {"type": "audio/pcm", "rate": 24000}, "voice": "marin"}},
            "usage": None,
            "metadata": None,
        }
        part = {"type": "audio", "transcript": ""}
        events: list[dict[str, Any]] = [
            {"type": "input_audio_buffer.speech_started", "audio_start_ms": begin_ms, "item_id": user},
            {"type": "input_audio_buffer.speech_stopped", "audio_end_ms": begin_ms + 3000, "item_id": user},
            {"type": "input_audio_buffer.committed", "previous_item_id": None, "item_id": user},
            {"type": "conversation.item.added", "previous_item_id": None, "item": heard},
            {"type": "conversation.item.done", "previous_item_id": None, "item": heard},
            {"type": "response.created", "response": response},
            {"type": "response.output_item.added", "response_id": resp, "output_index": 0, "item": answer},
            {"type": "response.content_part.added", **where, "part": part},
        ]
        deltas = words.split(" ")
        for index in range(19):
            events.append(
                {
                    "type": "response.output_audio_transcript.delta",
                    **where,
                    "delta": f" {deltas[index % len(deltas)]}",
                }
            )
            events += [
                {"type": "response.output_audio.delta", **where, "delta": audio[(index + k) % 3]}
                for k in range(2)
            ]
        events += [{"type": "response.output_audio.delta", **where, "delta": audio[k]} for k in range(3)]
        events += [
            {
                "type": "conversation.item.input_audio_transcription.completed",
                "item_id": user,
                "content_index": 0,
                "transcript": "What is the weather like?",
                "usage": {"type": "duration", "seconds": 3},
            },
            {"type": "response.output_audio.done", **where},
            {"type": "response.output_audio_transcript.done", **where, "transcript": words},
            {"type": "response.content_part.done", **where, "part": part | {"transcript": words}},
            {"type": "response.output_item.done", "response_id": resp, "output_index": 0, "item": answer},
            {
                "type": "response.done",
                "response": response | {"status": "completed", "output": [answer], "usage": usage},
            },
            {
                "type": "rate_limits.updated",
                "rate_limits": [{"name": "tokens", "limit": 50000, "remaining": 49500, "reset_seconds": 0.7}],
            },
        ]
        for index, event in enumerate(events):
            frames.append(
                json.dumps({"event_id": f"event_{turn:08d}{index:013d}", **event}, separators=(",", ":"))
            )
    return frames


SESSION = {
    "type": "realtime",
    "object": "realtime.session",
    "id": "sess_1",
    "model": "bench",
    "audio": {
        "input": {
            "turn_detection": {"type": "server_vad", "silence_duration_ms": 500, "prefix_padding_ms": 300}
        }
    },
}


def frame(kind: str, **fields: Any) -> str:
    return json.dumps({"type": kind, "event_id": f"event_{kind}", **fields})


async def serve(minutes: int) -> None:
    from websockets.asyncio.server import serve as listen

    frames = [entry for number in range(minutes) for entry in minute(number)]

    async def talk(socket: Any) -> None:
        await socket.send(frame("session.created", session=SESSION))
        chunks = 0
        async for received in socket:
            kind = received[:50]
            if "append" in kind:
                chunks += 1
                if chunks == minutes * CHUNKS_A_MINUTE:
                    await socket.send(frame("input_audio_buffer.cleared"))
            elif "session.update" in received:
                await socket.send(frame("session.updated", session=SESSION))
            elif "response.create" in received:
                for entry in frames:
                    await socket.send(entry)

    async with listen(talk, "127.0.0.1", 0, compression=None, max_size=None) as server:
        print(server.sockets[0].getsockname()[1], len(frames), flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


async def theirs(port: int, events: int, minutes: int) -> tuple[float, float]:
    from openai import AsyncOpenAI

    client = AsyncOpenAI(api_key="none", websocket_base_url=f"ws://127.0.0.1:{port}/v1")
    async with client.realtime.connect(model="bench") as connection:
        await connection.session.update(session={"type": "realtime"})
        while (await connection.recv()).type != "session.updated":
            pass
        began, count, chars = time.process_time(), 0, 0
        await connection.response.create()
        async for event in connection:
            count += 1
            if event.type == "response.output_audio.delta":
                chars += len(event.delta)
            if count == events:
                break
        receiving = time.process_time() - began
        chunk = os.urandom(CHUNK_BYTES)
        began = time.process_time()
        for _ in range(minutes * CHUNKS_A_MINUTE):
            await connection.input_audio_buffer.append(audio=base64.b64encode(chunk).decode())
        while (await connection.recv()).type != "input_audio_buffer.cleared":
            pass
        return receiving, time.process_time() - began


def ours(port: int, events: int, minutes: int) -> tuple[float, float]:
    import threading

    from rt_notebook import Endpoint, Session

    session = Session(Endpoint.url(f"ws://127.0.0.1:{port}/v1/realtime"))
    session.connect_blocking()
    received, sent = threading.Event(), threading.Event()
    base = len(session.log)

    def listen(event: Any) -> None:
        if event is None:
            return
        if event.type == "response.done":
            session.log.fold_turns()
        elif event.type == "rate_limits.updated" and len(session.log) - base >= events:
            received.set()
        elif event.type == "input_audio_buffer.cleared":
            sent.set()

    session.subscribe(listen)
    began = time.process_time()
    session._runtime.call_soon(session._link.send, {"type": "response.create"})
    received.wait()
    receiving = time.process_time() - began
    assert len(session.log.turns()) == minutes * TURNS_A_MINUTE
    chunk = os.urandom(CHUNK_BYTES)
    began = time.process_time()
    logged = len(session.log)
    for number in range(minutes * CHUNKS_A_MINUTE):
        session.append_audio(chunk)
        # A session drops the oldest of more than a minute: a microphone is not faster than time.
        while number % 100 == 0 and number - (len(session.log) - logged) > AHEAD_CHUNKS:
            time.sleep(0.01)
    sent.wait()
    sending = time.process_time() - began
    session.close_blocking()
    return receiving, sending


def import_s(module: str) -> float:
    code = f"import time; b = time.process_time(); import {module}; print(time.process_time() - b)"
    return float(
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    )


def spread(values: list[float]) -> str:
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def main() -> None:
    """Run the rounds and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--role", help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--count", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.role == "serve":
        asyncio.run(serve(options.minutes))
        return
    if options.role is not None:
        arguments = (options.port, options.count, options.minutes)
        print(*(ours(*arguments) if options.role == "ours" else asyncio.run(theirs(*arguments))))
        return
    print(f"load before {os.getloadavg()}, {os.cpu_count()} cores")
    me = [sys.executable, __file__, "--minutes", str(options.minutes)]
    with subprocess.Popen(
        [*me, "--role", "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        port, count = server.stdout.readline().split()
        rounds: dict[str, list[list[float]]] = {"ours": [], "theirs": []}
        for _ in range(options.rounds):
            for role, results in rounds.items():
                command = [*me, "--role", role, "--port", port, "--count", count]
                out = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
                results.append([float(word) for word in out.split()])
        server.stdin.close()
    imports = {
        name: statistics.median(import_s(name) for _ in range(options.rounds))
        for name in ("rt_notebook", "openai")
    }
    for index, (what, limit) in enumerate((("receive", 4), ("send 40 ms chunks", 15))):
        our, their = (
            [entry[index] * 1000 / options.minutes for entry in rounds[role]] for role in ("ours", "theirs")
        )
        ratio = statistics.median(b / a for a, b in zip(our, their, strict=True))
        print(f"{what:20} ours {spread(our)} ms CPU a minute, openai-python {spread(their)}", end="")
        print(f": 1/{ratio:.1f} (limit 1/{limit})")
    our_ms, their_ms = (imports[name] * 1000 for name in ("rt_notebook", "openai"))
    ratio = their_ms / our_ms
    print(f"{'import':20} ours {our_ms:.1f} ms CPU, openai {their_ms:.1f}: 1/{ratio:.1f} (limit 1/6)")
    print(f"load after {os.getloadavg()}")


if __name__ == "__main__":
    main()
