"""The Python of the README and the docs runs as it stands, from top to bottom, in a real kernel."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

REPOSITORY = Path(__file__).parents[2]
# A cluster that is somewhere else.
ELSEWHERE = ("tcp://scheduler",)
# What a page takes for granted; the README takes nothing for granted.
GIVEN = {
    "README.md": "",
    "docs/log.md": """
import rt_notebook
session = await rt_notebook.Session(rt_notebook.Endpoint.local(reply="echo")).connect()
await session.ask("hello")
log = session.log
""",
    "docs/vad.md": """
import numpy as np, soundfile
from rt_notebook import Endpoint, Session, voice

said = np.concatenate([np.zeros(12_000), voice("What is the capital of France?"), np.zeros(48_000)])
for name in ("me", "a", "b"):
    soundfile.write(f"{name}.wav", np.tile(said, 12), 24_000)
starts = [0.5 + turn * said.size / 24_000 for turn in range(12)]
length = said.size / 24_000 - 2.5
for name in ("me", "b"):
    with open(f"{name}.csv", "w") as file:
        print("start_s,end_s", *(f"{at},{at + length}" for at in starts), sep="\\n", file=file)
with open("a.rttm", "w") as file:
    for at in starts:
        print(f"SPEAKER a 1 {at} {length} <NA> <NA> me <NA> <NA>", file=file)
paths, labels = ["a.wav", "b.wav"], ["a.rttm", "b.csv"]

session = Session(Endpoint.local(reply="echo"))
await session.record("talk.rtlog", purpose="a test")
await session.connect()
await session.ask(said)
""",
}


@pytest.mark.speech
@pytest.mark.parametrize("page", GIVEN)
def test_every_line_runs(page, tmp_path, monkeypatch):
    for name in ("OPENAI_API_KEY", "AZURE_OPENAI_API_KEY"):
        monkeypatch.setenv(name, "no-key")
    blocks = re.findall(
        r"^```python\n(.*?)^```$", (REPOSITORY / page).read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    cells = [GIVEN[page], *(block for block in blocks if not any(each in block for each in ELSEWHERE))]
    assert len(cells) > 1
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    # What raises is raised here, with the cell that did.
    NotebookClient(
        notebook, kernel_name="python3", timeout=240, resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    told = [out.text for cell in notebook.cells for out in cell.outputs if out.get("name") == "stderr"]
    assert [text for text in told if "it/s" not in text and "recording" not in text] == []
