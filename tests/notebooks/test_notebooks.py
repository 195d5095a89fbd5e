"""Every notebook runs from top to bottom in a real kernel: no key, no microphone, no browser."""

from __future__ import annotations

import json
import sys
from functools import cache
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
CANARY = "canary-key-5f1d0c"
WIDGET_STATE_LIMIT_BYTES = 20_000
WIDGET_STATE = "application/vnd.jupyter.widget-state+json"
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


@pytest.fixture(scope="module", params=NOTEBOOKS, ids=lambda path: path.stem)
def executed(request, execute) -> nbformat.NotebookNode:
    """Each notebook in turn, as it is saved after running."""
    return execute(request.param)


@pytest.fixture(scope="module")
def quickstart(execute) -> nbformat.NotebookNode:
    """The quickstart, as it is saved after running."""
    return execute(next(path for path in NOTEBOOKS if path.stem == "01_quickstart"))


@pytest.fixture(scope="module")
def execute(tmp_path_factory):
    """Run a notebook, once however many tests look at it; the keys in its environment are canaries."""
    return cache(lambda path: run(path, tmp_path_factory.mktemp("notebook")))


def run(path: Path, folder: Path) -> nbformat.NotebookNode:
    notebook = nbformat.read(path, as_version=4)
    keys = pytest.MonkeyPatch()
    for name in ("OPENAI_API_KEY", "AZURE_OPENAI_API_KEY"):
        keys.setenv(name, CANARY)
    try:
        client = NotebookClient(
            notebook,
            kernel_name="python3",
            timeout=240,
            store_widget_state=True,
            resources={"metadata": {"path": str(folder)}},
        )
        client.execute()
    finally:
        keys.undo()
    return notebook


def outputs(notebook: nbformat.NotebookNode, cell_id: str | None = None) -> list[nbformat.NotebookNode]:
    return [
        output
        for cell in notebook.cells
        if cell.cell_type == "code" and cell_id in {None, cell.id}
        for output in cell.outputs
    ]


def text_of(notebook: nbformat.NotebookNode, cell_id: str) -> str:
    return "".join(
        output.get("text", "") + output.get("data", {}).get("text/plain", "")
        for output in outputs(notebook, cell_id)
    )


def test_there_are_notebooks() -> None:
    assert NOTEBOOKS


@pytest.mark.speech
def test_every_cell_runs_and_nothing_is_written_to_stderr(executed) -> None:
    assert all(cell.execution_count for cell in executed.cells if cell.cell_type == "code")
    assert [output for output in outputs(executed) if output.output_type == "error"] == []
    assert [output.text for output in outputs(executed) if output.get("name") == "stderr"] == []


@pytest.mark.speech
def test_the_widget_state_is_small_and_holds_nothing_that_was_said(executed) -> None:
    saved = executed.metadata.get("widgets", {}).get(WIDGET_STATE, {}).get("state", {})
    state = json.dumps(saved)
    assert len(state.encode()) <= WIDGET_STATE_LIMIT_BYTES
    for word in ("France", "Paris", "spider", "story", "Thank you"):
        assert word not in state
    assert "RIFF" not in state
    assert "base64" not in state


@pytest.mark.speech
def test_no_key_is_saved(executed) -> None:
    assert CANARY not in nbformat.writes(executed)


@pytest.mark.speech
def test_the_quickstart_shows_a_conversation(quickstart) -> None:
    conversation = text_of(quickstart, "ask")
    assert "capital of France" in conversation
    assert "Paris" in conversation
    assert "Moonshine" in text_of(quickstart, "open")
    for cell_id in ("question", "reply"):
        assert "<audio" in outputs(quickstart, cell_id)[0].data["text/html"]
    for cell_id in ("timeline", "latency", "timeline-again"):
        assert [o.data.keys() & {"image/png"} for o in outputs(quickstart, cell_id)] == [{"image/png"}]
    for cell_id in ("events", "turns", "update"):
        assert "<table" in outputs(quickstart, cell_id)[-1].data["text/html"]
    assert "closed" in text_of(quickstart, "close")
    assert WIDGET_VIEW in outputs(quickstart, "playground")[-1].data


@pytest.mark.speech
def test_the_interrupted_answer_was_not_heard_to_its_end(quickstart) -> None:
    lines = [line.split(maxsplit=1) for line in text_of(quickstart, "interrupt").splitlines()]
    assert [line[0] for line in lines] == ["user", "assistant", "heard", "user", "assistant", "heard"]
    story, heard = lines[1][1], lines[2][1]
    assert heard
    assert story.startswith(heard)
    assert len(heard) < len(story)


@pytest.mark.speech
def test_tuning_finds_a_setting_that_cuts_nothing_off_and_the_server_takes_it(execute) -> None:
    tuning = execute(next(path for path in NOTEBOOKS if path.stem.startswith("02_tuning")))
    assert text_of(tuning, "labels").split("\n")[:2] == [
        " 500 ms of silence: 100% of turns cut off",
        " 900 ms of silence: 0% of turns cut off",
    ]
    settings = outputs(tuning, "apply")[-1].data["text/plain"].splitlines()
    assert [line.split()[1:] for line in settings if "silence_duration_ms" in line] == [["900", "900"]]
    assert "1 merged" in text_of(tuning, "whatif")
    assert "held out" in text_of(tuning, "recommend")
    for cell_id in ("tuner", "own"):
        assert {WIDGET_VIEW, "image/png"} <= outputs(tuning, cell_id)[-1].data.keys()


def test_the_kernel_is_this_environment() -> None:
    from jupyter_client.kernelspec import KernelSpecManager

    command = KernelSpecManager().get_kernel_spec("python3").argv[0]
    assert command in {"python", "python3", sys.executable}
