"""Make the virtual environment, or say in one sentence what is missing.

Runs before anything is installed, on whatever ``python3`` is there: only the standard library, and no
syntax that an older interpreter cannot read.
"""

import shutil
import subprocess
import sys

OLDEST = (3, 11)


def main(folder: str) -> str:
    """Make the environment in ``folder`` and return "", or return what is wrong and its remedy."""
    if sys.version_info < OLDEST:
        return (
            f"rt_notebook needs Python 3.11 or later, and {sys.executable} is {sys.version.split()[0]}. "
            "Install a later one and name it: make PYTHON=python3.12"
        )
    if _has_module("ensurepip"):
        command = [sys.executable, "-m", "venv", folder]
    elif shutil.which("uv"):
        command = ["uv", "venv", "--quiet", "--seed", "--allow-existing", "--python", sys.executable, folder]
    elif _has_module("virtualenv"):
        command = [sys.executable, "-m", "virtualenv", "--quiet", folder]
    else:
        return (
            f"{sys.executable} cannot make virtual environments: its module 'ensurepip' is missing. "
            "Install it (on Debian and Ubuntu: sudo apt-get install python3-venv) and run make again."
        )
    print(f"== Making the virtual environment {folder}", flush=True)
    if subprocess.call(command) != 0:
        return f"{folder} could not be made, for the reason above. Remove {folder} and run make again."
    return ""


def _has_module(name: str) -> bool:
    return subprocess.call([sys.executable, "-c", f"import {name}"], stderr=subprocess.DEVNULL) == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]) or 0)
