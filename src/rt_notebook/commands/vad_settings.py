"""The settings of the turn detection, as arguments of a command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rt_notebook.core.config import ServerVad

if TYPE_CHECKING:
    import argparse

__all__ = ["add_vad_arguments", "vad_given"]


def add_vad_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the three numbers of `ServerVad`, its defaults included."""
    vad = ServerVad()
    parser.add_argument(
        "--threshold",
        type=float,
        default=vad.threshold,
        help="probability from which a frame counts as speech, 0 to 1 (default: %(default)s)",
    )
    parser.add_argument(
        "--prefix-padding-ms",
        type=int,
        default=vad.prefix_padding_ms,
        help="audio kept from before the speech (default: %(default)s)",
    )
    parser.add_argument(
        "--silence-duration-ms",
        type=int,
        default=vad.silence_duration_ms,
        help="silence after which a turn ends (default: %(default)s)",
    )


def vad_given(args: argparse.Namespace) -> ServerVad:
    """Return the settings that the arguments of `add_vad_arguments` name.

    Raises
    ------
    ConfigError
        One of them is out of range.
    """
    return ServerVad(
        threshold=args.threshold,
        prefix_padding_ms=args.prefix_padding_ms,
        silence_duration_ms=args.silence_duration_ms,
    )
