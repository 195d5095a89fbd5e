"""A turn as `talk` and `replay` print it."""

from __future__ import annotations

import json

import pytest
from scripted_log import Script

from rt_notebook.commands.turn import print_turn, timings_of


def answered():
    script = Script()
    script.type("Hello?", 1.0)
    script.answer("Hello.", 1.1, 1.0, first_audio_s=0.2, speaker=False)
    log = script.log()
    (turn,) = log.fold_turns()
    return {"user": turn.user, "assistant": turn.assistant, **timings_of(turn, log.latency())}


def test_a_person_reads_who_said_what_and_how_soon(capsys):
    print_turn("a.wav", answered(), as_json=False)
    assert capsys.readouterr().out.splitlines() == [
        "— a.wav",
        "You:       Hello?",
        "Assistant: Hello.",
        "           (first sound 300 ms after the end of speech)",
    ]


def test_what_was_not_said_is_left_blank(capsys):
    print_turn("a.wav", answered() | {"user": None, "assistant": None, "total_ms": None}, as_json=False)
    assert capsys.readouterr().out.splitlines() == ["— a.wav", "You:       ", "Assistant: "]


def test_json_has_every_timing_and_null_for_what_is_not_known(capsys):
    print_turn("a.wav", answered(), as_json=True)
    printed = json.loads(capsys.readouterr().out)
    assert printed["total_ms"] == pytest.approx(300, abs=0.25)
    assert printed["vad_wait_ms"] is None
    assert "turn" not in printed
