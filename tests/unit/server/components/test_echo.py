"""The echo: the same samples come back, and typed words."""

from __future__ import annotations

import pytest

from rt_notebook.errors import ConfigError
from rt_notebook.server.components.echo import EchoReplier
from rt_notebook.server.components.load import load_components
from rt_notebook.server.components.reply_pieces import Speech
from rt_notebook.server.engine.effects import MakeReply, Message

HEARD = bytes(range(256)) * 150
MESSAGES = [Message("user", "hello there"), Message("assistant", "hi"), Message("user", "Good  bye!")]


def test_speech_comes_back_sample_by_sample():
    pieces = list(EchoReplier().reply(MakeReply("resp_1", MESSAGES, heard=HEARD), lambda: False))
    assert all(isinstance(piece, Speech) for piece in pieces)
    assert b"".join(piece.pcm for piece in pieces) == HEARD
    assert {len(piece.pcm) for piece in pieces[:-1]} == {24_000 // 5 * 2}


def test_typed_words_come_back():
    assert "".join(EchoReplier().reply(MakeReply("resp_1", MESSAGES), lambda: False)) == "Good  bye!"
    assert list(EchoReplier().reply(MakeReply("resp_1", []), lambda: False)) == []


def test_an_interruption_takes_effect_between_the_pieces():
    taken = []
    for piece in EchoReplier().reply(MakeReply("resp_1", [], heard=HEARD), lambda: len(taken) == 2):
        taken.append(piece)  # noqa: PERF402 - the length is what the echo looks at
    assert len(taken) == 2


def test_who_replies_can_be_chosen():
    assert load_components(reply="echo").running["reply"] == {"name": "echo", "fallback": False, "note": ""}
    assert load_components(reply="rules").running["reply"]["name"] == "rules"
    with pytest.raises(ConfigError, match="parrot"):
        load_components(reply="parrot")
    with pytest.raises(ConfigError, match="exclude"):
        load_components("http://127.0.0.1:1/v1", reply="echo")
