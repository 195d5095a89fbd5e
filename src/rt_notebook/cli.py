"""The command line: ``rt-notebook lab | setup | serve | talk | replay | vad | doctor``.

Each command is a file in `commands`.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from rt_notebook import __version__
from rt_notebook.commands import doctor, lab, replay, serve, setup, talk, vad
from rt_notebook.errors import RtNotebookError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]

_COMMANDS = {
    "lab": (lab, "open JupyterLab on the notebooks"),
    "setup": (setup, "fetch what the local server needs and pip cannot express"),
    "serve": (serve, "run the local realtime server for any client"),
    "talk": (talk, "speak recordings at a session and print the conversation"),
    "doctor": (doctor, "find out why it does not connect"),
    "replay": (replay, "print a recorded session, as it went or at once"),
    "vad": (vad, "try settings of the turn detection, and find out which an endpoint applies"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status.

    It is 0 for success, 1 for an error, 2 for a wrong usage, and as a shell has it for a signal: 130 for an
    interrupt, 141 where nobody reads the output any more.
    """
    try:
        try:
            return _run(arguments)
        finally:
            # Here, where it can be caught that nobody reads what is left; at the very end it is a traceback.
            sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141


def _run(arguments: Sequence[str] | None) -> int:
    parser = argparse.ArgumentParser(
        prog="rt-notebook", description="Talk with realtime speech models, in Jupyter and from here."
    )
    parser.add_argument("--version", action="version", version=f"rt-notebook {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (module, summary) in _COMMANDS.items():
        module.add_arguments(commands.add_parser(name, help=summary, description=f"{summary}."))
    args, rest = parser.parse_known_args(arguments)
    if args.command == "lab":
        args.jupyter_arguments = rest
    elif rest:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    try:
        status: int = _COMMANDS[args.command][0].run(args)
        return status
    except RtNotebookError as error:
        print(f"rt-notebook: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
