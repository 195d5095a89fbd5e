"""``rt-notebook talk``: speak recordings at a session and print the conversation."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rt_notebook.commands.endpoint import add_endpoint_arguments, endpoint_named
from rt_notebook.commands.turn import print_turn, timings_of
from rt_notebook.commands.vad_settings import add_vad_arguments, vad_given
from rt_notebook.core.audio import SAMPLE_RATE_HZ
from rt_notebook.core.config import SessionConfig
from rt_notebook.errors import AudioFileError
from rt_notebook.io.audio.sources import load_audio
from rt_notebook.io.session.session import Session

if TYPE_CHECKING:
    import argparse

    import numpy.typing as npt

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="recordings, one turn each")
    add_endpoint_arguments(parser, default="local", note=" (default: %(default)s)")
    parser.add_argument("--instructions", help="what the assistant is told")
    add_vad_arguments(parser)
    parser.add_argument(
        "--reply-wav", type=Path, metavar="OUT", help="write the assistant's voice to this file"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object a turn")


def run(args: argparse.Namespace) -> int:
    """Hold the conversation. Every file is read before the first word is said.

    Raises
    ------
    AudioFileError
        A file cannot be read as audio, or the reply cannot be written.
    """
    recordings = [(file, load_audio(file)) for file in args.files]
    config = SessionConfig(instructions=args.instructions, turn_detection=vad_given(args))
    replies: list[npt.NDArray[np.float32]] = []
    try:
        _converse(Session(endpoint_named(args), config), recordings, replies, as_json=args.json)
    finally:
        # Also when a later file fails: what was answered before it is kept.
        if args.reply_wav is not None and replies:
            _write(args.reply_wav, np.concatenate(replies))
    return 0


def _converse(
    session: Session,
    recordings: list[tuple[Path, bytes]],
    replies: list[npt.NDArray[np.float32]],
    *,
    as_json: bool,
) -> None:
    with session:
        _say_components(session)
        for file, pcm in recordings:
            begun = len(session.log.fold_turns())
            session.ask_blocking(pcm)
            turns = session.log.fold_turns()[begun:]
            reply = session.reply_audio(turns[-1].assistant_item_id)
            replies.append(reply)
            # A pause in a recording may end a turn early; what was said before it belongs to the same file.
            told = {
                "file": file.name,
                "user": " ".join(turn.user for turn in turns if turn.user),
                "assistant": turns[-1].assistant,
                "status": turns[-1].status,
                "turns": len(turns),
                **timings_of(turns[-1], session.log.latency()),
                "reply_audio_ms": round(reply.size * 1000 / SAMPLE_RATE_HZ),
            }
            print_turn(file.name, told, as_json=as_json)


def _say_components(session: Session) -> None:
    for role, part in session.info.get("rt_notebook", {}).get("components", {}).items():
        if part["fallback"]:
            print(f"{role}: {part['name']} stands in. {part['note']}", file=sys.stderr)


def _write(path: Path, samples: np.ndarray[Any, Any]) -> None:
    import soundfile

    try:
        soundfile.write(path, samples, SAMPLE_RATE_HZ)
    except (soundfile.SoundFileError, RuntimeError, OSError, TypeError, ValueError):
        raise AudioFileError(
            f"The reply cannot be written to {str(path)!r}.",
            "Give a path that ends in .wav in a folder that exists.",
        ) from None
