"""``rt-notebook lab``: open JupyterLab on the notebooks."""

from __future__ import annotations

import os
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from rt_notebook.errors import ComponentMissingError, RtNotebookError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

__all__ = ["add_arguments", "jupyter_arguments", "notebooks_folder", "run"]

FIRST = "01_quickstart.ipynb"
PACKAGE = Path(__file__).parents[1]
HOME_COPY = Path("~/rt-notebook")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own arguments; the command line adds the rest as ``jupyter_arguments``."""
    parser.epilog = "All other arguments go on to JupyterLab, such as --no-browser or --port 9999."
    parser.add_argument(
        "--folder",
        type=Path,
        help="where the notebooks are copied to, and what is there already is kept (default: "
        f"{HOME_COPY}; in a checkout, its own are opened)",
    )
    parser.set_defaults(jupyter_arguments=[])


def run(args: argparse.Namespace) -> int:
    """Run JupyterLab until it is stopped.

    Raises
    ------
    ComponentMissingError
        JupyterLab is not installed.
    """
    if find_spec("jupyterlab") is None:
        raise ComponentMissingError(
            "JupyterLab is not installed.", 'Install it with: pip install "rt-notebook[lab]"'
        )
    folder = notebooks_folder(args.folder)
    print(f"Notebooks: {folder}", file=sys.stderr)
    # Defaults for this run alone, below the reader's own settings: no question about news or updates.
    configs = [str(Path(__file__).parent / "jupyter"), os.environ.get("JUPYTER_CONFIG_PATH", "")]
    os.environ["JUPYTER_CONFIG_PATH"] = os.pathsep.join(filter(None, configs))
    from jupyterlab.labapp import main

    return int(main(jupyter_arguments(folder, args.jupyter_arguments)) or 0)


def notebooks_folder(wanted: Path | None, package: Path = PACKAGE) -> Path:
    """Return the folder to work in: the one of the checkout, else the reader's own copy.

    Parameters
    ----------
    wanted
        Where to copy to. None takes the checkout's own folder, or `HOME_COPY` where there is no checkout.
    package
        Folder of the installed package, which carries the notebooks.

    Raises
    ------
    RtNotebookError
        The package came without its notebooks, or the folder cannot be written.
    """
    checkout = package.parents[1] / "notebooks"
    source = package / "notebooks"
    if (checkout / FIRST).is_file():
        if wanted is None:
            return checkout
        source = checkout
    if not (source / FIRST).is_file():
        raise RtNotebookError(
            "This installation came without its notebooks.", "Install it again: pip install rt-notebook"
        )
    folder = (wanted or HOME_COPY).expanduser().resolve()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for notebook in sorted(source.glob("*.ipynb")):
            if not (folder / notebook.name).exists():
                shutil.copyfile(notebook, folder / notebook.name)
    except OSError as error:
        raise RtNotebookError(
            f"The notebooks cannot be copied to {folder}: {error.strerror}.",
            "Name a folder that you may write to: rt-notebook lab --folder FOLDER",
        ) from error
    return folder


def jupyter_arguments(folder: Path, more: Sequence[str]) -> list[str]:
    """Return JupyterLab's arguments: the quickstart is open. What the reader gave comes last and wins."""
    arguments = [
        f"--ServerApp.root_dir={folder}",
        f"--LabApp.default_url=/lab/tree/{FIRST}",
    ]
    if getattr(os, "geteuid", lambda: 1)() == 0:
        arguments.append("--allow-root")  # in a container; JupyterLab would only refuse
    return [*arguments, *more]
