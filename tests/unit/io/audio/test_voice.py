"""The built-in voice: one for the whole process, whoever lets it speak."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import pytest

from rt_notebook import ComponentMissingError
from rt_notebook.io.audio import voice as _voice
from rt_notebook.io.audio.voice import HibariVoice, shared_voice
from rt_notebook.server.components.load import load_components

pytestmark = pytest.mark.speech


def test_the_voice_speaks_faster_and_slower_and_piece_by_piece():
    voice = shared_voice()

    def samples(text, speed=1.0):
        return sum(len(pcm) for pcm, _ in voice.speak(text, speed)) // 2

    plain = samples("The sky is blue today.")
    assert samples("The sky is blue today.", 1.5) < 0.8 * plain
    assert samples("The sky is blue today.", 0.7) > 1.2 * plain
    shares = [share for _, share in voice.speak("The sky is blue. The sea is green. It rains.")]
    assert len(shares) == 3
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_the_server_and_the_cells_have_one_voice():
    assert load_components(reply="rules").voice is shared_voice()


def test_whoever_asks_at_the_same_time_gets_the_same_voice(monkeypatch):
    """A model is slow to make: all have asked before the first one is there."""
    monkeypatch.setattr(_voice, "_made", cache(HibariVoice))
    with ThreadPoolExecutor(4) as threads:
        asked = [threads.submit(shared_voice) for _ in range(4)]
    assert len({id(one.result()) for one in asked}) == 1


def test_a_voice_that_is_missing_says_how_to_get_it_and_is_there_when_it_was_got(monkeypatch):
    monkeypatch.setattr(_voice, "_made", cache(HibariVoice))
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "hibari", None)
        with pytest.raises(ComponentMissingError, match="pip install"):
            shared_voice()
    assert shared_voice().name == "hibari af_heart"
