"""Measure the time from the end of speech to the first reply audio, split into its parts.

The whole path is real: a recording is spoken in real time into a session with the local server, which
detects, transcribes, replies and speaks. Beside it, in the same run, the bare components are run one after
the other on the same recording from the moment the speech has ended: what is left when sockets, threads,
events and the silence window are taken away.

    python bench/first_audio.py [--turns 20]
"""

from __future__ import annotations

import argparse
import os
import time

import numpy as np
import pandas as pd

from rt_notebook import Session, voice
from rt_notebook.core.audio import to_pcm
from rt_notebook.server.components.load import load_components
from rt_notebook.server.engine.effects import MakeReply, Message
from rt_notebook.server.engine.settings import DEFAULT_INSTRUCTIONS
from rt_notebook.server.work.sentences import SentenceCutter

QUESTIONS = (
    "What is the capital of France?",
    "Why is the sky blue?",
    "Where do whales live?",
    "How many legs does a spider have?",
    "What is the largest planet in the solar system?",
)


def bare_components_ms(pcm: bytes) -> dict[str, float]:
    """Run transcriber, replier and voice one after the other until the first sentence is audio."""
    parts = load_components()
    began = time.perf_counter()
    text = parts.transcriber.transcribe(pcm)
    transcribed = time.perf_counter()
    cutter, sentences = SentenceCutter(), []
    messages = [Message("system", DEFAULT_INSTRUCTIONS), Message("user", text)]
    reply = parts.replier.reply(MakeReply("bench", messages), lambda: bool(sentences))
    for piece in reply:
        sentences += cutter.push(piece)
    sentence = sentences[0] if sentences else cutter.rest()
    replied = time.perf_counter()
    next(iter(parts.voice.speak(sentence.strip())))
    spoke = time.perf_counter()
    return {
        "transcribe_ms": (transcribed - began) * 1000,
        "reply_ms": (replied - transcribed) * 1000,
        "speak_ms": (spoke - replied) * 1000,
        "total_ms": (spoke - began) * 1000,
    }


def main() -> None:
    """Run the turns and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--turns", type=int, default=20)
    turns = parser.parse_args().turns
    load_components()
    questions = [voice(question) for question in QUESTIONS]
    load_before = os.getloadavg()
    with Session() as session:
        session.ask_blocking(questions[0])  # warm
        for number in range(turns):
            session.ask_blocking(questions[number % len(questions)])
        path = session.log.latency().iloc[1:]
    # After the conversation, not between its turns: the language model's cache would be lost to it.
    bare = [bare_components_ms(to_pcm(questions[number % len(questions)])) for number in range(turns)]
    turn = session.log.turns().iloc[1:]
    inside = {
        "  to transcript_ms": turn["transcribed_s"] - turn["committed_s"],
        "  to first_words_ms": turn["first_text_s"] - turn["transcribed_s"],
        "  to first_sound_ms": turn["first_audio_s"] - turn["first_text_s"],
    }
    path = path[[column for column in path.columns if column.endswith("_ms")]].dropna(axis=1, how="all")
    split = pd.DataFrame({name: seconds * 1000 for name, seconds in inside.items()})
    parts = [path, split, pd.DataFrame(bare).add_prefix("bare ")]
    frame = pd.concat([part.reset_index(drop=True) for part in parts], axis=1)
    after_stop = frame["total_ms"] - frame["vad_wait_ms"]
    frame["after_stop_over_bare"] = after_stop / frame["bare total_ms"]
    summary = frame.quantile([0.5, 0.95]).T
    summary.columns = ["median", "p95"]
    summary["min"], summary["max"] = frame.min(), frame.max()
    print(f"{turns} spoken turns, silence window {session.config.turn_detection.silence_duration_ms} ms")
    print(f"load before {load_before}, after {os.getloadavg()}, {os.cpu_count()} cores")
    print(np.round(summary, 2).to_string())


if __name__ == "__main__":
    main()
