"""How fast the VAD lab is, as ratios in one run: the plane of settings, its scoring, and the trace.

The peer of the plane is ``silero_vad.get_speech_timestamps_from_probs`` where it can be imported (it needs
torch); elsewhere the frame loop of the tests stands in, and the output says so. The peer of scoring is
pyannote.metrics' DER.

    python bench/vad_sweep.py RECORDING...
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pyannote.core import Annotation, Segment
from pyannote.metrics.diarization import DiarizationErrorRate

from rt_notebook import vad
from rt_notebook.core.audio import to_float
from rt_notebook.core.frame_resampler import resample_24k
from rt_notebook.io.audio.sources import load_audio
from rt_notebook.vad.detectors.silero import SileroDetector
from rt_notebook.vad.plane.plane import count, plane

if TYPE_CHECKING:
    from collections.abc import Callable

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))
from naive_vad import frames_for, naive_turns

HOUR = 112_500
PLANE = plane(np.arange(1, 100) / 100, range(64, 2112, 64), [300], None, "high")


def best(work: Callable[[], Any], rounds: int) -> float:
    """The least processor time of some rounds, in seconds: others share the machine."""
    times = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def peer(probabilities: np.ndarray) -> tuple[str, Callable[[], Any]]:
    listed = probabilities.tolist()
    try:
        from silero_vad import get_speech_timestamps_from_probs
    except ImportError:
        return "a naive frame loop (silero_vad needs torch, which is not here)", lambda: naive_turns(
            listed, 0.5, frames_for(512)
        )
    return "silero_vad.get_speech_timestamps_from_probs", lambda: get_speech_timestamps_from_probs(
        listed, audio_length_samples=HOUR * 512, threshold=0.5, min_silence_duration_ms=512
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--rounds", type=int, default=15)
    args = parser.parse_args()
    traces = [vad.trace(file) for file in args.files]
    hour = vad.Trace(np.resize(np.concatenate([each.probabilities for each in traces]), HOUR))
    labels = vad.as_labels([(at, at + 3) for at in range(5, 3590, 8)])
    axes = PLANE.threshold, PLANE.silence_duration_ms
    settings = len(axes[0]) * len(axes[1])

    name, slow = peer(hour.probabilities)
    for _ in range(2):  # by turns, so that both meet the same machine
        peer_s = best(slow, 5)
        counts_s = best(lambda: vad.turn_counts(hour, *axes), args.rounds) / settings
        turns_s = best(lambda: count(hour, PLANE, None), 3) / settings
        score_s = best(lambda: count(hour, PLANE, labels), 3) / settings
        print(f"one of {settings} settings over one hour, against one call of the peer, {name}")
        print(f"  how many turns (vad.turn_counts): {peer_s / counts_s:,.0f} times as fast")
        print(f"  every turn, and what it sends (vad.sweep): {peer_s / turns_s:,.0f} times as fast")
        print(f"  scored against {len(labels)} labels as well: {peer_s / score_s:,.0f} times as fast")
        der(hour, labels, score_s)
    trace_against_bare_model(args.files[0])


def der(hour: vad.Trace, labels: np.ndarray, score_s: float) -> None:
    def annotation(segments: Any) -> Any:
        made = Annotation()
        for start_s, end_s in segments:
            made[Segment(start_s, end_s)] = "speech"
        return made

    turns = naive_turns(hour.probabilities.tolist(), 0.5, frames_for(512))
    found = annotation((t.onset * 0.032, t.speech_end * 0.032) for t in turns if t.end is not None)
    true = annotation(labels)
    took_s = best(lambda: DiarizationErrorRate()(true, found), 2)
    print(f"  scoring is {took_s / score_s:,.0f} times as fast as pyannote.metrics' DER")


def trace_against_bare_model(file: Path) -> None:
    """The same model on windows that are ready, and the trace from audio on: what ours adds."""
    detector, pcm = SileroDetector(), load_audio(file)
    frames = len(pcm) // 1536
    samples = np.concatenate([np.zeros(64, np.float32), resample_24k(to_float(pcm[: frames * 1536]))])
    windows = np.ascontiguousarray(np.lib.stride_tricks.sliding_window_view(samples, 576)[::512])
    rate = np.array(16_000, np.int64)

    def bare() -> None:
        state = np.zeros((2, 1, 128), np.float32)
        for number in range(frames):
            given = {"input": windows[number : number + 1], "state": state, "sr": rate}
            _, state = detector._model.run(None, given)

    bare_s = best(bare, 3)
    ours_s = best(lambda: detector.probabilities(pcm), 3)
    print(f"trace against the bare stock model, frame by frame: {ours_s / bare_s:.2f} of its time")


if __name__ == "__main__":
    main()
