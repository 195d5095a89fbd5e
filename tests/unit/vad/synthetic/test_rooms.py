"""Synthetic rooms: the voice is where the labels say, the noise as loud as it should be."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from rt_notebook import ConfigError, ServerVad, vad
from rt_notebook.vad.synthetic.rooms import room_noise


def buzz(text):
    """Something like a voice: as long as its text, in syllables."""
    at_s = np.arange(int(24_000 * (0.2 + 0.05 * len(text)))) / 24_000
    envelope = np.abs(np.sin(2 * np.pi * 2.5 * at_s)) + 0.1
    return (0.3 * envelope * np.sign(np.sin(2 * np.pi * 140 * at_s))).astype(np.float32)


def test_the_same_seed_makes_the_same_rooms():
    one, other = (list(vad.rooms(buzz, 4, takes=2, turns=2, seed=5)) for _ in range(2))
    assert [room.noise for room in one] == ["white", "pink", "hum", "babble"]
    for mine, theirs in zip(one, other, strict=True):
        assert mine.snr_db == theirs.snr_db
        for a, b in zip(mine.takes, theirs.takes, strict=True):
            assert np.array_equal(a.audio, b.audio)
            assert np.array_equal(a.labels, b.labels)
    assert not np.array_equal(one[0].takes[0].audio, one[0].takes[1].audio)


def test_the_voice_is_where_the_labels_say():
    (room,) = vad.rooms(buzz, 1, takes=1, turns=4, noises=("hum",))
    audio, labels = room.takes[0].audio, room.takes[0].labels
    assert len(labels) == 4

    def level(start, end):
        return np.sqrt(np.mean(audio[int(start * 24_000) : int(end * 24_000)] ** 2))

    gaps = np.diff(labels.reshape(-1))[1::2]
    assert (gaps >= 1.5).all()
    between = [level(end + 0.05, start - 0.05) for (_, end), (start, _) in pairwise(labels)]
    assert np.allclose(between, 10 ** ((-26 - room.snr_db) / 20), rtol=0.1)
    assert min(level(start, start + 0.3) for start, _ in labels) > max(between)


@pytest.mark.parametrize("kind", ["white", "pink", "hum", "babble"])
def test_noises_differ_in_where_their_power_lies(kind):
    random = np.random.default_rng(0)
    made = room_noise(kind, 48_000, [buzz("one two three"), buzz("four")], random)
    assert np.sqrt(np.mean(made**2)) == pytest.approx(1)
    power = np.abs(np.fft.rfft(made)) ** 2
    low = power[: 2 * 450].sum() / power.sum()
    bounds = {"white": (0.0, 0.1), "pink": (0.3, 0.8), "hum": (0.95, 1.0), "babble": (0.1, 1.0)}
    assert bounds[kind][0] <= low <= bounds[kind][1]


def test_an_unknown_noise_is_refused():
    with pytest.raises(ConfigError, match="babble"):
        next(vad.rooms(buzz, 1, noises=("rain",)))


@pytest.mark.speech
def test_what_is_recommended_in_a_room_is_better_in_it(speech):
    """A few rooms; bench/vad_rooms.py has two hundred."""
    ratios = []
    for room in vad.rooms(speech, 2, takes=8, turns=6, seed=2, noises=("pink", "hum")):
        tried = vad.sweep(
            [vad.trace(take.audio) for take in room.takes], labels=[take.labels for take in room.takes]
        )
        found = vad.recommend(tried.only(range(5)))
        held_out = tried.only(range(5, 8))
        ratios.append(held_out.at(found.vad)["cost"] / held_out.at(ServerVad())["cost"])
    assert np.median(ratios) < 1
    assert max(ratios) < 1.05
