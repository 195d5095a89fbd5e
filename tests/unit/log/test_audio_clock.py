from __future__ import annotations

import pytest

from rt_notebook.log.audio_clock import AudioClock


def test_a_chunk_ends_when_it_is_sent() -> None:
    clock = AudioClock()
    assert clock.advance(2400, 1.0) == (pytest.approx(0.9), 1.0)
    assert clock.session_s(0) == pytest.approx(0.9)
    assert clock.session_s(1200) == pytest.approx(0.95)
    assert clock.session_s(2400) == 1.0


def test_it_follows_pauses_of_the_microphone() -> None:
    clock = AudioClock()
    clock.advance(2400, 1.0)
    clock.advance(2400, 5.0)
    assert clock.session_s(2400) == 1.0
    assert clock.session_s(3600) == pytest.approx(4.95)


def test_chunks_sent_all_at_once_do_not_go_back_in_time() -> None:
    clock = AudioClock()
    for _ in range(10):
        clock.advance(2400, 2.0)
    times_s = [clock.session_s(position) for position in range(0, 24_000, 600)]
    assert times_s == sorted(times_s)
    assert times_s[-1] == pytest.approx(2.0)


def test_a_chunk_with_an_earlier_time_is_taken_to_come_with_the_one_before() -> None:
    clock = AudioClock()
    clock.advance(2400, 2.0)
    assert clock.advance(2400, 1.0) == (2.0, 2.0)
    assert clock.end_samples == 4800
    assert clock.session_s(4800) == 2.0


def test_past_the_end_it_goes_on_at_the_sample_rate() -> None:
    clock = AudioClock()
    clock.advance(2400, 1.0)
    assert clock.session_s(2400 + 24_000) == pytest.approx(2.0)


def test_without_audio_there_is_no_time() -> None:
    assert AudioClock().session_s(0) is None
