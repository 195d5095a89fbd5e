"""How fast the tuner answers a slider, as ratios in one run: its peer draws a decimated figure anew.

What is measured for the tuner is all that the kernel does from the message of the page to its own: set the
traits, decide the turns, make their table, encode what the page draws. The plane follows on another thread
and is told apart. Without recordings the built-in voice stands in.

    python bench/vad_tuner.py [RECORDING...]
"""

from __future__ import annotations

import argparse
import io
import json
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure

from rt_notebook import VadTuner, vad, voice
from rt_notebook.widgets.tuner import messages

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

FRAMES_A_MINUTE = 1875


def best(work: Callable[[], Any], rounds: int) -> float:
    """The least processor time of some rounds, in seconds: others share the machine."""
    times = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


class Slider:
    """Moves the threshold to another place each time, as the page's message does."""

    def __init__(self, tuner: VadTuner) -> None:
        self.tuner = tuner
        self.n = 0
        self.sent_bytes = 0

    def __call__(self) -> None:
        self.n += 1
        changes = {"threshold": 0.3 + 0.4 * (self.n % 97) / 97}
        self.tuner._asked.put({"client": "page", "n": self.n, "changes": changes})
        self.tuner._set_wanted()
        message, buffers = messages.turns_message(
            self.tuner._tuning.heard, self.tuner._rows, self.tuner.vad, None, ("page", self.n)
        )
        # Without a notebook nothing is sent: what the kernel's JSON costs is paid here instead.
        self.sent_bytes = len(json.dumps(message)) + len(buffers[0])


def figure(trace: vad.Trace, turns: pd.DataFrame) -> None:
    """Draw the least that there is to see: lowest and highest of 1,200 columns, turns as bars; as PNG."""
    made = Figure(figsize=(9.0, 3.2), dpi=100)
    ax = made.subplots()
    starts = np.linspace(0, len(trace), 1200, endpoint=False).astype(np.int64)
    bounds = [reduce.reduceat(trace.probabilities, starts) for reduce in (np.minimum, np.maximum)]
    ax.plot(np.repeat(starts, 2) * trace.hop_s, np.stack(bounds, axis=1).reshape(-1), linewidth=0.6)
    spans = turns[["audio_start_ms", "audio_end_ms"]].dropna().to_numpy(np.float64) / 1000
    ax.broken_barh([(a, b - a) for a, b in spans], (0, 1), alpha=0.3)
    ax.axhline(0.5)
    made.savefig(io.BytesIO(), format="png")


def rooms() -> list[np.ndarray]:
    """Let the built-in voice speak in four noises."""
    return [room.takes[0].audio for room in vad.rooms(voice, 4, takes=1)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--rounds", type=int, default=15)
    args = parser.parse_args()
    heard = [vad.trace(file).probabilities for file in args.files or rooms()]
    for minutes in (10, 60):
        trace = vad.Trace(np.resize(np.concatenate(heard), minutes * FRAMES_A_MINUTE))
        labels = vad.as_labels([(at, at + 3) for at in range(5, 60 * minutes - 10, 8)])
        tuner = VadTuner(trace, labels=labels)
        slide = Slider(tuner)
        slider_s, figure_s = [], []
        for _ in range(3):  # by turns, so that both meet the same machine
            slider_s.append(best(slide, args.rounds))
            figure_s.append(best(partial(figure, trace, tuner.turns), 3))
        plane_s = best(partial(vad.sweep, [trace], prefix_padding_ms=[300], labels=[labels]), 2)
        print(f"{minutes} minutes, {len(tuner.turns)} turns, {slide.sent_bytes / 1000:.1f} kB a message")
        print(f"  slider to the message that is drawn: {min(slider_s) * 1000:.2f} ms of the kernel")
        print(f"  {min(figure_s) / min(slider_s):,.0f} times as fast as a new decimated figure")
        print(f"  the whole plane, scored, behind it: {plane_s * 1000:.0f} ms")
        tuner.close()


if __name__ == "__main__":
    main()
