"""The front end's code: sent when asked, offered while a kernel cannot be asked, and not for ever."""

import hashlib
import itertools
from pathlib import Path

import pytest

from rt_notebook.widgets.port import code_line
from rt_notebook.widgets.port.code_line import LOADER, OFFERS_S, CodeLine

STATIC = Path(code_line.__file__).parents[1] / "static"


class Sent:
    """A code line whose clock stands until it is moved; the line is ticked ten times a second."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.messages: list[tuple[float, dict, list[bytes]]] = []
        self.line = CodeLine(
            lambda message, buffers: self.messages.append((self.now_s, message, buffers)), lambda: self.now_s
        )
        self.start_s = self.now_s

    def pass_s(self, duration_s: float) -> None:
        for _ in range(round(duration_s * 10)):
            self.now_s += 0.1
            self.line.offer()

    def times_s(self) -> list[float]:
        return [round(at_s - self.start_s, 6) for at_s, _, _ in self.messages]


@pytest.fixture
def sent():
    return Sent()


def test_a_kernel_that_cannot_be_asked_offers_a_few_times_with_growing_distance(sent):
    sent.pass_s(600)
    assert sent.times_s() == pytest.approx(OFFERS_S, abs=0.11)
    gaps = [b - a for a, b in itertools.pairwise(OFFERS_S)]
    assert gaps == sorted(gaps)


def test_who_asks_is_answered_at_once_and_again_until_the_code_was_taken(sent):
    sent.pass_s(0.2)
    sent.line.asked()
    assert sent.times_s() == pytest.approx([0.2])
    sent.pass_s(1.5)
    assert sent.times_s() == pytest.approx([0.2, 0.7, 1.2], abs=0.11)
    sent.line.taken()
    sent.pass_s(600)
    assert len(sent.messages) == 3


def test_a_page_that_has_the_code_is_sent_nothing(sent):
    sent.line.taken()
    sent.pass_s(600)
    assert sent.messages == []
    sent.line.asked()  # another page, or this one after a reload
    assert len(sent.messages) == 1


def test_a_line_that_slept_through_several_offers_sends_one(sent):
    sent.now_s += 10.0
    sent.line.offer()
    assert len(sent.messages) == 1


def test_the_code_is_the_built_front_end_under_the_hash_that_the_loader_knows(sent):
    sent.line.asked()
    ((_, message, buffers),) = sent.messages
    assert buffers == [(STATIC / name).read_bytes() for name in ("widget.js", "widget.css")]
    assert message == {"type": "code", "hash": hashlib.sha256(b"".join(buffers)).hexdigest()[:16]}
    assert f'"{message["hash"]}"' in LOADER.read_text(encoding="utf-8")


def test_the_loader_is_small():
    assert LOADER.stat().st_size < 2_000
