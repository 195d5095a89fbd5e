"""A reader that is made: it reads everything, after the room was quiet."""

from __future__ import annotations

import numpy as np
import pytest

from rt_notebook import vad, voice
from rt_notebook.vad.recorded.reading import PROMPTS

pytestmark = pytest.mark.speech
RATE_HZ = 24_000


def test_the_voice_reads_every_sentence_after_the_quiet():
    reading = vad.read_aloud(voice, "pink", 15.0, quiet_s=6)
    assert len(reading.quiet) == 6 * RATE_HZ
    assert len(reading.prompts_s) == len(PROMPTS)
    assert 60 < len(reading.audio) / RATE_HZ < 120
    level = [np.sqrt(np.mean(np.square(part))) for part in (reading.quiet, reading.audio)]
    assert level[1] > 2 * level[0]


def test_the_same_seed_makes_the_same_reading():
    one, same, other = (vad.read_aloud(voice, quiet_s=1, seed=seed) for seed in (5, 5, 6))
    assert np.array_equal(one.audio, same.audio)
    assert np.array_equal(one.prompts_s, same.prompts_s)
    assert not np.array_equal(one.prompts_s, other.prompts_s)
