"""Without the speech components the server still runs, says what stands in, and how to get the real ones."""

from __future__ import annotations

import json
import subprocess
import sys

SCRIPT = """
import json, sys
import numpy as np

class NotInstalled:
    names = {"onnxruntime", "moonshine_voice", "hibari", "xllamacpp"}
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.names:
            raise ImportError(name)

sys.meta_path.insert(0, NotInstalled())
from rt_notebook import ComponentMissingError, Session, voice

try:
    voice("Hello.")
    spoken = ""
except ComponentMissingError as error:
    spoken = str(error)
burst = np.concatenate([np.zeros(12000), 0.3 * np.random.default_rng(1).standard_normal(24000)])
with Session() as session:
    components = session.info["rt_notebook"]["components"]
    typed = session.ask_blocking("What is 12 times 3?")
    heard = session.ask_blocking(burst)
    error = next(e.text for e in session.log if e.type.endswith("transcription.failed"))
print(json.dumps({
    "components": components, "spoken": spoken, "answer": typed.assistant, "audio_ms": typed.audio_ms,
    "heard": heard.status, "error": error,
}))
"""


def test_every_fallback_at_once():
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False, timeout=120
    )
    assert ended.returncode == 0, ended.stderr
    told = json.loads(ended.stdout)
    assert {role: part["name"] for role, part in told["components"].items()} == {
        "detect": "energy",
        "end_of_turn": "none",
        "transcribe": "none",
        "reply": "rules",
        "speak": "none",
    }
    for part in told["components"].values():
        assert part["fallback"]
        assert "rt-notebook" in part["note"], "the note does not say how to get the component"
    assert told["answer"] == "That makes 36."
    assert told["audio_ms"] == 0
    assert told["heard"] == "failed"
    assert "pip install" in told["error"]
    assert "pip install" in told["spoken"]
