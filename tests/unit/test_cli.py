"""What holds for every command of ``rt-notebook``."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import soundfile

SWEEP = ["vad", "sweep", "TONE", "--detector", "energy"]


@pytest.mark.parametrize("command", [["--help"], ["setup", "--check"], SWEEP])
def test_a_reader_that_is_gone_ends_a_command_in_silence(tmp_path, monkeypatch, command):
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    monkeypatch.setenv("RT_NOTEBOOK_CACHE", str(tmp_path / "traces"))
    tone = tmp_path / "tone.wav"
    soundfile.write(tone, np.zeros(24_000), 24_000)
    words = [str(tone) if word == "TONE" else word for word in command]
    process = subprocess.Popen(
        [sys.executable, "-m", "rt_notebook", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    process.stdout.close()
    told = process.stderr.read().decode()
    assert (process.wait(60), told) == (141, "")
