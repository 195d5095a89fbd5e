"""A plot shows itself in a notebook: once, wherever it stands in the cell."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

SUPPORT = Path(__file__).parents[1] / "support"

SET_UP = f"""
import sys
sys.path.insert(0, {str(SUPPORT)!r})
from scripted_log import conversation
from rt_notebook.plot import latency, timeline
log = conversation()
"""


@pytest.fixture(scope="module")
def run():
    """Run cells in one kernel; each gives its outputs."""

    def run_cells(*sources: str) -> list[list[dict]]:
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(s) for s in (SET_UP, *sources)])
        NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
        return [cell.outputs for cell in notebook.cells[1:]]

    return run_cells


OWN_FIGURE = """
from matplotlib import pyplot as plt
figure, axes = plt.subplots(2)
timeline(log, ax=axes[0])
latency(log, ax=axes[1])
"""


def test_each_plot_is_shown_exactly_once(run) -> None:
    cells = run(
        "timeline(log)",
        "latency(log)",
        "ax = timeline(log)\nprint('drawn')",
        OWN_FIGURE,
        "from matplotlib.figure import Figure\nlatency(log, ax=Figure().subplots())",
        "import matplotlib.pyplot as plt\nlen(plt.get_fignums())",
    )
    pictures = [sum("image/png" in output.get("data", {}) for output in outputs) for outputs in cells]
    assert pictures == [1, 1, 1, 1, 0, 0]
    assert cells[-1][0]["data"]["text/plain"] == "0"
    assert not [output for outputs in cells for output in outputs if output.get("name") == "stderr"]


def test_a_log_shows_itself_as_a_table(run) -> None:
    ((output,),) = run("log")
    assert "And tomorrow?" in output["data"]["text/html"]
    assert output["data"]["text/plain"].startswith("<EventLog: ")
