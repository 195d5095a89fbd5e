"""A whole room test: what a page sends while somebody reads, at the pace of this machine."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from rt_notebook import ConfigError, Endpoint, ServerVad, Session, vad, voice
from rt_notebook.core.audio import to_pcm
from rt_notebook.vad.recorded.reading import PROMPTS
from rt_notebook.widgets.playground.playground import Playground
from rt_notebook.widgets.room.room import RoomTest

pytestmark = pytest.mark.speech

CHUNK = 960
QUIET_S = 6.0
PAGE = {"client": "page", "epoch": 1}


class Reader:
    """Sends audio as a page does, and does what the widget asks for."""

    def __init__(self, widget: RoomTest) -> None:
        self.widget, self.seq = widget, 0
        self.tell("mic.open")

    def tell(self, type_: str, **fields) -> None:
        self.widget._receive({"type": type_, **PAGE, **fields}, b"")

    def sound(self, samples: np.ndarray) -> None:
        pcm = to_pcm(samples)
        for start in range(0, len(pcm), 2 * CHUNK):
            piece = pcm[start : start + 2 * CHUNK]
            fields = {"seq": self.seq, "counts": [len(piece) // 2], "first": self.seq, "overrun_samples": 0}
            self.widget._receive({"type": "mic.chunks", **PAGE, **fields}, piece)
            self.seq += 1

    def hiss(self, seconds: float) -> np.ndarray:
        random = np.random.default_rng(self.seq)
        return (0.003 * random.standard_normal(int(seconds * 24_000))).astype(np.float32)

    def read(self, text: str) -> None:
        """Read a sentence with its pauses, and press Next."""
        for number, words in enumerate(text.split("…")):
            if number:
                self.sound(self.hiss(0.6))
            spoken = voice(words.strip())
            self.sound(spoken + self.hiss(len(spoken) / 24_000 + 0.01)[: len(spoken)])
        self.sound(self.hiss(0.2))
        self.tell("action", name="next")


@pytest.fixture
def settled():
    """Wait until a trait is as it should be; the widget's own thread sets it."""

    def wait(widget, name, wanted):
        changed = threading.Event()
        widget.observe(lambda _: changed.set(), name)
        for _ in range(600):
            if getattr(widget, name) == wanted:
                return
            changed.wait(0.2)
            changed.clear()
        pytest.fail(f"{name} is {getattr(widget, name)!r}, not {wanted!r}: {widget.problem}")

    return wait


def test_reading_aloud_gives_settings_that_the_session_takes(settled):
    with Session(Endpoint.local(reply="rules")) as session:
        session.connect_blocking()
        widget = RoomTest(session, quiet_s=QUIET_S)
        try:
            reader = Reader(widget)
            steps = widget._steps
            reader.sound(reader.hiss(QUIET_S))
            for prompt in PROMPTS:
                reader.sound(reader.hiss(1.6))
                assert steps.prompt == prompt
                reader.read(prompt)
            reader.sound(reader.hiss(2.6))
            settled(widget, "step", "done")

            assert len(widget.reading.quiet) == QUIET_S * 24_000
            assert widget.sweep.total.truths == len(PROMPTS)
            found = widget.recommendation
            assert found.vad is not None
            assert widget.value["silence_duration_ms"] == found.vad.silence_duration_ms
            assert widget.verdict == list(found.reasons)
            assert found.metrics["false_cutoff_rate"] < found.baseline_metrics["false_cutoff_rate"]

            reader.tell("action", name="apply")
            settled(widget, "applied", widget.value)
            told = session.info["audio"]["input"]["turn_detection"]
            assert {name: told[name] for name in widget.value} == widget.value
            assert widget.verdict[0].split(":")[0] in str(widget._repr_mimebundle_())
        finally:
            widget.close()


def test_a_budget_that_cannot_be_kept_to_is_refused_before_anybody_reads():
    with pytest.raises(ConfigError, match=r"foo.*Use: false_cutoff_rate"):
        RoomTest(budget={"foo": 1})


def test_a_test_that_is_stopped_begins_again(settled):
    widget = RoomTest(quiet_s=QUIET_S)
    try:
        reader = Reader(widget)
        reader.sound(reader.hiss(2 * QUIET_S))
        settled(widget, "step", "sentence")
        assert widget.prompt == PROMPTS[0]
        reader.tell("mic.state", state="off", problem=None)
        settled(widget, "step", "ready")
        assert widget._steps is None
        reader.tell("action", name="next")
        assert widget.recommendation is None
    finally:
        widget.close()


def test_the_built_in_voice_does_it_for_you(settled):
    widget = RoomTest()
    try:
        widget._receive({"type": "action", "client": "page", "name": "try_voice"}, b"")
        settled(widget, "step", "done")
        assert set(widget.value) == {"threshold", "prefix_padding_ms", "silence_duration_ms"}
        assert str(widget.recommendation) == "\n".join(widget.verdict)
        assert str(vad.recommend(widget.sweep)) == str(widget.recommendation)
    finally:
        widget.close()


@pytest.mark.parametrize("begun", [False, True])
def test_a_playground_takes_the_settings_too(settled, begun):
    playground = Playground(Endpoint.local(reply="rules"))
    room = RoomTest(playground)
    try:
        if begun:
            playground.session.connect_blocking()
        wanted = {"threshold": 0.7, "prefix_padding_ms": 200, "silence_duration_ms": 700}
        room.value = wanted
        room._receive({"type": "action", "client": "page", "name": "apply"}, b"")
        settled(room, "applied", wanted)
        settled(playground, "silence_duration_ms", 700)
        assert playground.session.config.turn_detection == ServerVad(**wanted)
        assert room.problem == ""
    finally:
        room.close()
        playground.close()


def test_too_few_sentences_are_refused_at_once():
    with pytest.raises(ConfigError, match=r"Too few prompts: 1\. Give at least 20 sentences\."):
        RoomTest(prompts=["Good morning."])


def test_a_room_without_a_reader_is_told_in_one_sentence(settled, monkeypatch):
    monkeypatch.setattr("rt_notebook.widgets.room.room.FEWEST_TURNS", 2)
    widget = RoomTest(quiet_s=1.0, prompts=PROMPTS[:2])
    try:
        reader = Reader(widget)
        reader.sound(np.zeros(24_000, np.float32))
        for _ in range(2):
            reader.sound(np.zeros(2 * 24_000, np.float32))
            reader.tell("action", name="next")
        reader.sound(np.zeros(3 * 24_000, np.float32))
        settled(
            widget,
            "problem",
            "None of the sentences can be heard. Check the microphone's level, and read them again.",
        )
        assert widget.step == "ready"
    finally:
        widget.close()
