"""Semantic turn detection in the engine: who is asked, what the answer does, and what goes on meanwhile."""

from __future__ import annotations

from engine_driver import Driver

from rt_notebook.server.engine.abilities import Abilities


def semantic_driver(**options) -> Driver:
    driver = Driver(**options)
    detection = {"type": "semantic_vad", "eagerness": "high"}
    driver.send(
        "session.update", session={"type": "realtime", "audio": {"input": {"turn_detection": detection}}}
    )
    driver.hear(*[0.9] * 20, *[0.0] * 7)
    return driver


def judge(driver: Driver, probability: float | None) -> None:
    driver.take(driver.engine.judged(driver.judging.pop(0).job_id, probability))


def test_a_turn_that_is_judged_complete_ends_at_once():
    driver = semantic_driver()
    assert len(driver.judging[0].pcm) == 27 * 32 * 48
    assert "input_audio_buffer.speech_stopped" not in driver.types()
    judge(driver, 0.95)
    assert driver.last("input_audio_buffer.speech_stopped")["audio_end_ms"] == 27 * 32
    assert "response.created" in driver.types()


def test_a_turn_that_is_judged_incomplete_goes_on_when_the_user_does():
    driver = semantic_driver()
    judge(driver, 0.0)
    driver.hear(*[0.9] * 10, *[0.0] * 7)
    judge(driver, 0.95)
    assert driver.types().count("input_audio_buffer.speech_started") == 1
    assert driver.last("input_audio_buffer.speech_stopped")["audio_end_ms"] == 44 * 32


def test_an_incomplete_turn_ends_after_the_longest_wait():
    driver = semantic_driver()
    judge(driver, 0.0)
    driver.hear(*[0.0] * 100)
    stopped = driver.last("input_audio_buffer.speech_stopped")
    assert stopped["audio_end_ms"] == 20 * 32 + -(-2000 // 32) * 32


def test_a_late_answer_decides_as_an_early_one_does():
    early, late = semantic_driver(), semantic_driver()
    judge(early, 0.0)
    for driver in (early, late):
        driver.hear(*[0.0] * 30, *[0.9] * 5)
    judge(late, 0.0)
    assert late.types() == early.types()


def test_an_answer_is_drafted_while_the_judge_thinks_and_dropped_when_the_user_goes_on():
    driver = semantic_driver()
    driver.transcribe("well then")
    job = driver.replying[0].response_id
    judge(driver, 0.0)
    driver.hear(0.9)
    assert job in driver.cancelled


def test_without_a_judge_a_silence_ends_the_turn():
    driver = semantic_driver(abilities=Abilities(judges=False))
    assert driver.judging == []
    driver.hear(*[0.0] * 10)
    assert driver.last("input_audio_buffer.speech_stopped")["audio_end_ms"] == 20 * 32 + 13 * 32


def test_detection_may_be_switched_while_the_judge_thinks():
    for detection in ({"type": "server_vad"}, None):
        driver = semantic_driver()
        asked = driver.judging[0]
        driver.send(
            "session.update", session={"type": "realtime", "audio": {"input": {"turn_detection": detection}}}
        )
        driver.hear(*[0.0] * 8)
        driver.take(driver.engine.judged(asked.job_id, 0.9))
        stopped = "input_audio_buffer.speech_stopped" in driver.types()
        assert stopped is (detection is not None)
