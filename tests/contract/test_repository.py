"""Rules that every file of the repository keeps."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
BUDGET = {".py": 400, ".ts": 300}
BUILT = "src/rt_notebook/widgets/static/"

# Written in two halves, so that this file does not hold what it looks for.
HOSTS = re.compile(r"registry[.]npm" + r"js|pythonhost" + r"ed[.]org|pypi[.]" + r"org|shields[.]" + r"io")
LOCAL_PATHS = re.compile(r"""["'`\s(=](/home/\w|/Users/\w|/root/|[A-Z]:\\Users)""")
KEYS = re.compile(r"sk-[A-Za-z0-9]{32,}|-----BEGIN [A-Z ]*PRIVATE KEY|AKIA[0-9A-Z]{16}|eyJ[\w-]{40,}[.]eyJ")


def files_of_the_repository() -> list[Path]:
    if shutil.which("git") is None or not (REPOSITORY / ".git").exists():
        pytest.skip("these rules are about the files that git tracks, and this is an unpacked archive")
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    return [REPOSITORY / name for name in listed.stdout.split("\0") if name and (REPOSITORY / name).is_file()]


def texts() -> dict[str, str]:
    found = {}
    for path in files_of_the_repository():
        try:
            found[path.relative_to(REPOSITORY).as_posix()] = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # pictures
    return found


def matches(pattern: re.Pattern[str], among: dict[str, str]) -> list[str]:
    return [f"{name}: {hit.group()}" for name, text in among.items() if (hit := pattern.search(text))]


def test_files_stay_small() -> None:
    lengths = {name: text.count("\n") for name, text in texts().items() if not name.startswith(BUILT)}
    assert lengths
    over = {n: k for n, k in lengths.items() if k > BUDGET.get(Path(n).suffix, 10**9)}
    assert over == {}


def test_no_file_names_a_package_registry() -> None:
    assert matches(HOSTS, texts()) == []


def test_no_file_holds_a_path_of_one_machine() -> None:
    own = Path(__file__).relative_to(REPOSITORY).as_posix()
    assert matches(LOCAL_PATHS, {name: text for name, text in texts().items() if name != own}) == []


def test_no_file_holds_a_key() -> None:
    assert matches(KEYS, texts()) == []


def test_the_front_end_never_parses_text_as_markup() -> None:
    sources = {name: text for name, text in texts().items() if name.startswith("js/src/")}
    markup = re.compile(r"\b(innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\()")
    assert matches(markup, sources) == []


def test_the_package_needs_no_torch_and_no_gpl() -> None:
    pinned = {line.partition("==")[0].lower() for line in texts()["constraints.txt"].splitlines()}
    assert "numpy" in pinned
    unwanted = {"torch", "torchaudio", "llama-cpp-python", "piper-tts", "espeakng-loader", "ten-vad"}
    assert pinned.isdisjoint(unwanted)


def test_notebooks_are_stored_without_outputs() -> None:
    # Stored is what git holds: whoever plays with a notebook and saves it breaks no test.
    import nbformat

    notebooks = [name for name in texts() if name.endswith(".ipynb")]
    assert notebooks
    for name in notebooks:
        stored = subprocess.run(
            ["git", "show", f":{name}"], cwd=REPOSITORY, capture_output=True, text=True, check=False
        )
        if stored.returncode != 0:
            continue  # not yet added
        notebook = nbformat.reads(stored.stdout, as_version=4)
        nbformat.validate(notebook)
        assert "widgets" not in notebook.metadata, name
        code = [cell for cell in notebook.cells if cell.cell_type == "code"]
        assert [cell.id for cell in code if cell.outputs or cell.execution_count is not None] == [], name
