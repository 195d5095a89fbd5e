"""``rt-notebook vad``: try settings of the turn detection on recordings, without a session."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from rt_notebook.core.config import ServerVad
from rt_notebook.vad import detector_names, trace
from rt_notebook.vad._simulate import simulated_turns

if TYPE_CHECKING:
    import argparse

    from rt_notebook.vad._simulate import SimulatedTurn

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the commands and their arguments."""
    commands = parser.add_subparsers(dest="vad_command", required=True, metavar="COMMAND")
    summary = "print the turns of a recording at given settings"
    command = commands.add_parser("simulate", help=summary, description=f"{summary}.")
    command.set_defaults(run_vad=_simulate)
    vad = ServerVad()
    command.add_argument("file", type=Path, metavar="FILE", help="a recording: WAV, FLAC, OGG, MP3, AIFF")
    command.add_argument("--threshold", type=float, default=vad.threshold)
    command.add_argument("--prefix-padding-ms", type=int, default=vad.prefix_padding_ms)
    command.add_argument("--silence-duration-ms", type=int, default=vad.silence_duration_ms)
    command.add_argument("--min-speech-ms", type=int, default=0, help="a shorter noise starts no turn")
    command.add_argument(
        "--trailing-silence-ms", type=int, default=0, help="silence thought to follow the recording"
    )
    _add_rules(command)


def _add_rules(command: argparse.ArgumentParser) -> None:
    command.add_argument("--detector", default="silero", help=f"one of: {', '.join(detector_names())}")
    command.add_argument("--exit-threshold", type=float, help="default: 0.15 below the threshold")
    command.add_argument(
        "--reset",
        choices=("high", "not_low"),
        default="high",
        help="what breaks a silence off: speech (default), or any frame that is not silent",
    )
    command.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Run one of the commands."""
    status: int = args.run_vad(args)
    return status


def _simulate(args: argparse.Namespace) -> int:
    vad = ServerVad(
        threshold=args.threshold,
        prefix_padding_ms=args.prefix_padding_ms,
        silence_duration_ms=args.silence_duration_ms,
    )
    turns = simulated_turns(
        trace(args.file, args.detector),
        vad,
        exit_threshold=args.exit_threshold,
        reset=args.reset,
        min_speech_ms=args.min_speech_ms,
        trailing_silence_ms=args.trailing_silence_ms,
    )
    if args.json:
        names = ("audio_start_ms", "audio_end_ms", "speech_end_ms", "decision_ms")
        print(json.dumps({"turns": [{name: getattr(turn, name) for name in names} for turn in turns]}))
        return 0
    for number, turn in enumerate(turns, start=1):
        print(f"{number:4}  {_described(turn)}")
    if not turns:
        print(f"No turn: no frame reaches the threshold {vad.threshold:g}.")
    return 0


def _described(turn: SimulatedTurn) -> str:
    start = f"audio from {turn.audio_start_ms / 1000:8.3f} s, speech from {turn.onset_ms / 1000:8.3f} s"
    if turn.speech_end_ms is None or turn.decision_ms is None:
        return f"{start}, still open at the end"
    return f"{start} to {turn.speech_end_ms / 1000:8.3f} s, ended at {turn.decision_ms / 1000:8.3f} s"
