"""A real kernel: a cell that blocks loses nothing of a session, and an interrupted cell leaves it whole."""

from __future__ import annotations

import nbformat
import pytest
from nbclient import NotebookClient

pytestmark = pytest.mark.speech

CELLS = [
    """
import time
from rt_notebook import Session, voice
session = await Session().connect()
recording = voice("What is the capital of France?")
""",
    """
pending = session.ask(recording)
while not pending.done():
    time.sleep(0.5)          # the kernel's own thread and loop do nothing else
print(len(session.log), pending.done())
""",
    """
sent = [e for e in session.log if e.type == "input_audio_buffer.append"]
gaps = [b.t_s - a.t_s for a, b in zip(sent, sent[1:])]
turn = await pending
print("paris" in turn.assistant.lower(), sum(e.audio_samples for e in sent) >= len(recording))
print([e.type for e in session.log if not e.known], [e for e in session.log if e.type == "local.closed"])
""",
    """
text = await session.ask("What is the capital of France?")
print("paris" in text.assistant.lower())
await session.close()
print(session.state)
""",
]


def test_a_blocking_cell_loses_nothing(speech, tmp_path):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    NotebookClient(notebook, timeout=180, resources={"metadata": {"path": str(tmp_path)}}).execute()
    printed = [
        "".join(output.get("text", "") for output in cell.outputs if output.output_type == "stream")
        for cell in notebook.cells
    ]
    errors = [o for cell in notebook.cells for o in cell.outputs if o.output_type == "error"]
    assert errors == []
    assert printed[1].strip().endswith("True")
    assert printed[2].split("\n")[:2] == ["True True", "[] []"]
    assert printed[3].split() == ["True", "closed"]
