"""Every command that connects takes the same arguments for where."""

from __future__ import annotations

import argparse

import pytest
import soundfile

from rt_notebook.cli import main
from rt_notebook.commands.endpoint import add_endpoint_arguments, endpoint_named

ADDRESS = "wss://localhost:9/v1/realtime"


@pytest.mark.parametrize(
    "command", [["talk", "VOICE", "--endpoint"], ["doctor", "--json", "--endpoint"], ["vad", "probe"]]
)
def test_a_certificate_authority_can_be_given(tmp_path, capsys, command):
    voice = tmp_path / "voice.wav"
    soundfile.write(voice, [0.0] * 24, 24_000)
    words = [str(voice) if word == "VOICE" else word for word in command]
    assert main([*words, ADDRESS, "--api-key", "k", "--ca-file", str(tmp_path / "none.pem")]) == 1
    told = capsys.readouterr()
    assert "none.pem cannot be read" in told.out + told.err
    assert "will be sent" not in told.err


def test_the_key_goes_to_the_endpoint_that_is_named(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "from-the-environment")
    parser = argparse.ArgumentParser()
    add_endpoint_arguments(parser, default="openai")
    for words, key in ([], "from-the-environment"), (["--api-key", "given"], "given"):
        assert endpoint_named(parser.parse_args(words))._key.reveal() == key
