"""The turn detection and its scoring written for clarity: one frame, one turn, one label at a time."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass
class NaiveTurn:
    onset: int
    speech_end: int | None = None  # frames
    end: int | None = None


def naive_turns(
    probabilities, threshold, silent_frames, *, exit_threshold=None, reset="high", speech_frames=1
):
    """The rule, frame by frame; an open turn has no end, and too little speech is no turn."""
    leave = max(threshold - 0.15, 0.01) if exit_threshold is None else exit_threshold
    leave = min(leave, threshold)
    turns, speaking, low_since = [], False, None
    for frame, probability in enumerate(probabilities):
        high, low = probability >= threshold, probability < leave
        if not speaking:
            first = probabilities[frame : frame + speech_frames]
            if high and len(first) == speech_frames and min(first) >= leave:
                turns.append(NaiveTurn(frame))
                speaking, low_since = True, None
            continue
        if high or (reset == "not_low" and not low):
            low_since = None
        if low:
            low_since = frame if low_since is None else low_since
            if frame - low_since + 1 >= silent_frames:
                turns[-1].speech_end, turns[-1].end = low_since, frame + 1
                speaking = False
    return turns


def naive_counts(turns, labels_ms, frames, padding_ms, hop_ms=32):
    """What `rt_notebook.vad` counts, one turn after the other, all times in ms."""
    last_ms = round(frames * hop_ms)
    labels = [(a, min(b, last_ms)) for a, b in labels_ms if min(b, last_ms) > a]
    names = "turns open speech_ms misses swallowed splits false_cutoffs false_starts ends latency_ms"
    counts = dict.fromkeys((names + " sent_ms noise_ms clipped clipped_ms").split(), 0)
    floor, detected_by, cut, ended = 0, {}, set(), set()
    for turn in turns:
        onset = round(turn.onset * hop_ms)
        is_open = turn.end is None
        speech_end = last_ms if is_open else round(turn.speech_end * hop_ms)
        end = last_ms if is_open else round(turn.end * hop_ms)
        start = max(floor, onset - padding_ms)
        counts["turns"] += 1
        counts["open"] += is_open
        counts["speech_ms"] += speech_end - onset
        counts["sent_ms"] += end - start
        counts["noise_ms"] += end - start - sum(max(0, min(end, b) - max(start, a)) for a, b in labels)
        heard = [j for j, (a, b) in enumerate(labels) if a < speech_end and onset < b]
        if not heard:
            counts["false_starts"] += 1
        else:
            if heard[0] in detected_by:
                counts["splits"] += 1
            else:
                late = max(0, start - labels[heard[0]][0])
                counts["clipped"] += late > 50
                counts["clipped_ms"] += late
            for j in heard:
                detected_by.setdefault(j, turn)
            true_end = labels[heard[-1]][1]
            counts["swallowed"] += len(heard) - 1 + (is_open and last_ms - true_end >= 2000)
            if not is_open and end < true_end - 100:
                cut.add(heard[-1])
            elif not is_open and heard[-1] not in ended:
                ended.add(heard[-1])
                counts["latency_ms"] += end - true_end
        floor = end
    counts["misses"] = len(labels) - len(detected_by)
    counts["false_cutoffs"] = len(cut)
    counts["ends"] = len(ended)
    return counts


def frames_for(silence_ms, hop_ms=32):
    return max(1, math.ceil(silence_ms / hop_ms))
