"""``rt-notebook vad``: settings of the turn detection, tried on recordings and probed at an endpoint."""

from __future__ import annotations

import json
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from rt_notebook.commands.endpoint import add_endpoint_arguments, endpoint_named
from rt_notebook.commands.vad_settings import add_vad_arguments, vad_given
from rt_notebook.core.config import ServerVad
from rt_notebook.errors import ComponentMissingError, ConfigError
from rt_notebook.vad import (
    detector_names,
    probe_audio_s,
    probe_blocking,
    recommend,
    sweep,
    trace,
)
from rt_notebook.vad.traces.simulate import simulated_turns

if TYPE_CHECKING:
    import argparse

    import pandas as pd

    from rt_notebook.vad.plane.sweep import Sweep
    from rt_notebook.vad.traces.simulate import SimulatedTurn

__all__ = ["add_arguments", "run"]

_SHOWN = 20
"""So many settings are printed."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the commands and their arguments."""
    commands = parser.add_subparsers(dest="vad_command", required=True, metavar="COMMAND")
    summary = "print the turns of a recording at given settings"
    command = commands.add_parser("simulate", help=summary, description=f"{summary}.")
    command.set_defaults(run_vad=_simulate)
    command.add_argument("file", type=Path, metavar="FILE", help="a recording: WAV, FLAC, OGG, MP3, AIFF")
    add_vad_arguments(command)
    command.add_argument("--min-speech-ms", type=int, default=0, help="a shorter noise starts no turn")
    command.add_argument(
        "--trailing-silence-ms", type=int, default=0, help="silence thought to follow the recording"
    )
    _add_rules(command)

    summary = "try every threshold with every silence duration and padding on recordings"
    command = commands.add_parser("sweep", help=summary, description=f"{summary}.")
    command.set_defaults(run_vad=_sweep)
    command.add_argument("files", nargs="+", type=Path, metavar="FILE", help="recordings")
    _add_labels(command)
    command.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="write the whole table: .parquet (needs pyarrow) or .csv; without it a few rows are printed",
    )
    _add_rules(command)

    summary = "recommend settings for recordings"
    command = commands.add_parser(
        "recommend",
        help=summary,
        description=f"{summary}. Without labels it takes the widest gaps for the ends of turns.",
    )
    command.set_defaults(run_vad=_recommend)
    command.add_argument("files", nargs="+", type=Path, metavar="FILE", help="recordings")
    _add_labels(command)
    command.add_argument(
        "--budget",
        action="append",
        default=[],
        metavar="METRIC=MOST",
        help="the most that a metric may be, such as false_cutoff_rate=0.05; may be given several times",
    )
    _add_rules(command)

    summary = "find out which settings an endpoint really applies"
    command = commands.add_parser(
        "probe",
        help=summary,
        description=f"{summary}. It sends 25 to 60 s of speech at usual settings, and asks for no answer. "
        "The exit status is 1 if not all is applied as asked for.",
    )
    command.set_defaults(run_vad=_probe)
    add_endpoint_arguments(command, "endpoint")
    add_vad_arguments(command)
    command.add_argument(
        "--speech", type=Path, metavar="FILE", help="speak this instead of the built-in voice"
    )
    command.add_argument("--responses", action="store_true", help="let one or two answers be made as well")
    command.add_argument(
        "--pace",
        choices=("auto", "fast", "real"),
        default="auto",
        help="as fast as the endpoint reads, or as a microphone would; auto (default) is fast, and real once "
        "more if audio is lost",
    )
    command.add_argument("--max-audio-s", type=float, default=180.0, help="send no more (default: 180)")
    command.add_argument("--json", action="store_true", help="print one JSON object")


def _add_labels(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--labels",
        nargs="+",
        metavar="FILE",
        help="one for each recording, in the same order: RTTM, or CSV with start_s,end_s",
    )


def _add_rules(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--detector", default="silero", help=f"one of: {', '.join(detector_names())} (default: silero)"
    )
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
    vad = vad_given(args)
    heard = trace(args.file, args.detector, progress=sys.stderr.isatty())
    turns = simulated_turns(
        heard,
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
        reached = any(probability >= vad.threshold for probability in heard.probabilities.tolist())
        why = (
            f"no speech lasts {args.min_speech_ms} ms without a silent frame"
            if reached
            else f"no frame reaches the threshold {vad.threshold:g}"
        )
        print(f"No turn: {why}.")
    return 0


def _described(turn: SimulatedTurn) -> str:
    start = f"audio from {turn.audio_start_ms / 1000:8.3f} s, speech from {turn.onset_ms / 1000:8.3f} s"
    if turn.speech_end_ms is None or turn.decision_ms is None:
        return f"{start}, still open at the end"
    return f"{start} to {turn.speech_end_ms / 1000:8.3f} s, ended at {turn.decision_ms / 1000:8.3f} s"


def _swept(args: argparse.Namespace, labels: list[str] | str | None) -> Sweep:
    return sweep(
        args.files,
        labels=labels,
        exit_threshold=args.exit_threshold,
        reset=args.reset,
        detector=args.detector,
        progress=sys.stderr.isatty(),
    )


def _sweep(args: argparse.Namespace) -> int:
    writer = _writer(args.out)
    swept = _swept(args, args.labels)
    table = swept.to_pandas()
    if args.out is not None:
        _write(table, args.out, writer)
    if args.json:
        print(json.dumps({"settings": _plain(table.to_dict("records")), "failed": dict(swept.failed)}))
    elif args.out is None:
        _show(table)
    else:
        print(f"{len(table)} settings over {swept.total.recordings} recordings: {args.out}")
    return 0


def _show(table: pd.DataFrame) -> None:
    """Print a few settings; the padding changes no decision, so one of it is enough."""
    usual = table[table.prefix_padding_ms == ServerVad().prefix_padding_ms]
    which = "the first"
    if "cost" in table:
        usual, which = usual.sort_values("cost", kind="stable"), "those of least cost"
    print(usual.head(_SHOWN).to_string(index=False))
    print(f"{min(_SHOWN, len(usual))} of {len(table)} settings, {which}. --out FILE writes all of them.")


def _recommend(args: argparse.Namespace) -> int:
    swept = _swept(args, args.labels or "guess")
    found = recommend(swept, dict(_limit(text) for text in args.budget))
    if args.json:
        told = {
            "turn_detection": None if found.vad is None else found.vad.numbers(),
            "reasons": found.reasons,
            "metrics": found.metrics,
            "default_metrics": found.baseline_metrics,
            "held_out_metrics": found.held_out,
            "held_out_default_metrics": found.held_out_baseline,
            "failed": dict(swept.failed),
        }
        print(json.dumps(_plain(told)))
    else:
        if found.vad is not None:
            vad = found.vad
            print(
                f"threshold {vad.threshold:g}, silence_duration_ms {vad.silence_duration_ms}, "
                f"prefix_padding_ms {vad.prefix_padding_ms}\n"
            )
        print(found)
    return 0


def _probe(args: argparse.Namespace) -> int:
    """Probe an endpoint; the exit status is 1 if it applies something else than was asked for."""
    endpoint, asked = endpoint_named(args), vad_given(args)
    print(f"About {probe_audio_s(asked):.0f} s of audio will be sent.", file=sys.stderr)
    found = probe_blocking(
        endpoint,
        asked,
        speech=args.speech,
        responses=args.responses,
        pace=args.pace,
        max_audio_s=args.max_audio_s,
    )
    if args.json:
        settings = found.to_pandas().to_dict("records")
        told = {
            "settings": settings,
            "agreement": found.agreement,
            "audio_s": found.audio_s,
            "cut_short": found.cut_short,
            "pace": found.pace,
        }
        print(json.dumps(_plain(told)))
    else:
        print(found)
    return 1 if found.suspect or found.deaf else 0


def _limit(text: str) -> tuple[str, float]:
    name, _, most = text.partition("=")
    try:
        return name.strip(), float(most)
    except ValueError:
        raise ConfigError(
            f"--budget {text!r} is not usable.", "Give a metric and the most that it may be: NAME=NUMBER."
        ) from None


def _plain(value: object) -> object:
    """Return it as JSON has it: a number that is none is null."""
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return None if isinstance(value, float) and value != value else value  # noqa: PLR0124 - NaN


def _writer(out: Path | None) -> str:
    """Look before the work whether the table can be written in the end, and how."""
    suffix = "" if out is None else out.suffix.lower()
    if suffix == ".parquet":
        if find_spec("pyarrow") is None:
            raise ComponentMissingError(
                "pyarrow is not installed, which writes Parquet.",
                "Run: pip install 'rt-notebook[parquet]', or give a name that ends in .csv.",
            )
    elif suffix not in {"", ".csv"}:
        raise ConfigError(f"{str(out)!r} is no table's name.", "Give one that ends in .parquet or .csv.")
    if out is not None and not _writable(out):
        raise _unwritable(out)
    return suffix


def _write(table: pd.DataFrame, out: Path, suffix: str) -> None:
    try:
        if suffix == ".parquet":
            table.to_parquet(out, index=False)
        else:
            table.to_csv(out, index=False)
    except OSError:
        raise _unwritable(out) from None


def _writable(out: Path) -> bool:
    try:
        return out.parent.is_dir() and not out.is_dir()
    except OSError:  # such as a name that is too long
        return False


def _unwritable(out: Path) -> ConfigError:
    return ConfigError(f"{str(out)!r} cannot be written.", "Give the path of a file in a folder that exists.")
