"""The answer that is begun during the silence: used when it fits, thrown away when it does not."""

from __future__ import annotations

from engine_driver import Driver

from rt_notebook.server.engine.abilities import Abilities

TRANSCRIBE = {"type": "realtime", "audio": {"input": {"transcription": {"model": "whisper-1"}}}}


def half_turn(driver: Driver, silent_frames: int = 3) -> None:
    """Twenty frames of speech and a silence that does not yet end the turn (it takes seven frames)."""
    driver.hear(*[0.9] * 20, *[0.0] * silent_frames)


def listening_driver(**options) -> Driver:
    driver = Driver(**options)
    driver.send("session.update", session=TRANSCRIBE)
    return driver


def test_the_answer_is_made_during_the_silence_and_nothing_of_it_is_told_before_the_turn_ends():
    driver = listening_driver()
    half_turn(driver)
    told = len(driver.events)
    driver.transcribe("hello there")
    driver.reply("Hi. ", "How are you?")
    assert len(driver.events) == told
    driver.hear(*[0.0] * 4)
    assert driver.folded(told) == [
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
        "response.created",
        "conversation.item.input_audio_transcription.delta",
        "conversation.item.input_audio_transcription.completed",
        "response.output_item.added",
        "conversation.item.added",
        "response.content_part.added",
        "response.output_audio_transcript.delta",
        "response.output_audio.delta",
        "response.output_audio_transcript.delta",
        "response.output_audio.delta",
        "response.output_audio.done",
        "response.output_audio_transcript.done",
        "response.content_part.done",
        "conversation.item.done",
        "response.output_item.done",
        "response.done",
        "rate_limits.updated",
    ]
    assert driver.last("response.done")["response"]["status"] == "completed"
    assert driver.replying == []
    assert driver.cancelled == []


def test_with_and_without_a_draft_the_same_is_said():
    early, late = listening_driver(), listening_driver()
    half_turn(early)
    early.transcribe("hello there")
    work = early.replying[0]
    early.hear(*[0.0] * 4)
    half_turn(late, 7)
    late.transcribe("hello there")
    assert late.replying[0].messages == work.messages
    early.reply("Hi.")
    late.reply("Hi.")
    assert early.types() == late.types()


def test_a_user_who_goes_on_throws_the_draft_away():
    driver = listening_driver()
    half_turn(driver)
    driver.transcribe("hello")
    first = driver.replying[0].response_id
    driver.hear(0.9)
    assert first in driver.cancelled
    assert driver.replying == []
    driver.hear(*[0.9] * 5, *[0.0] * 7)
    assert "response.created" in driver.types()
    driver.take(driver.engine.replied(first, "Too early."))
    driver.transcribe("hello and goodbye")
    assert driver.replying[0].messages[-1].text == "hello and goodbye"
    assert "response.output_item.added" not in driver.types()


def test_words_that_are_still_being_written_when_the_turn_ends_are_waited_for():
    driver = listening_driver()
    half_turn(driver)
    job = driver.transcribing[0].job_id
    driver.hear(*[0.0] * 4)
    assert [work.job_id for work in driver.transcribing] == [job]
    driver.transcribe("hello")
    assert driver.replying[0].messages[-1].text == "hello"


def test_a_draft_that_no_longer_fits_is_made_again():
    driver = listening_driver()
    half_turn(driver)
    driver.transcribe("hello")
    stale = driver.replying[0].response_id
    driver.send("session.update", session={"type": "realtime", "instructions": "Answer in French."})
    driver.hear(*[0.0] * 4)
    assert stale in driver.cancelled
    assert driver.replying[0].messages[0].text == "Answer in French."
    driver.take(driver.engine.replied(stale, "Wrong."))
    driver.reply("Bonjour.")
    assert driver.last("response.output_audio_transcript.done")["transcript"] == "Bonjour."


def test_a_commit_or_a_clear_by_the_client_ends_the_draft():
    for request in ("commit", "clear"):
        driver = listening_driver()
        half_turn(driver)
        driver.transcribe("hello")
        job = driver.replying[0].response_id
        driver.send(f"input_audio_buffer.{request}")
        assert job in driver.cancelled


def test_a_pause_inside_a_word_begins_nothing():
    driver = listening_driver()
    half_turn(driver, 1)
    assert driver.transcribing == []


def test_no_answer_is_drafted_where_none_will_be_given():
    driver = listening_driver()
    detection = {"type": "server_vad", "create_response": False}
    driver.send(
        "session.update", session={"type": "realtime", "audio": {"input": {"turn_detection": detection}}}
    )
    half_turn(driver)
    driver.transcribe("hello")
    assert driver.replying == []
    driver.hear(*[0.0] * 4)
    assert driver.last("conversation.item.input_audio_transcription.completed")["transcript"] == "hello"
    assert "response.created" not in driver.types()


def test_the_conversation_is_read_in_advance_when_the_user_begins_to_speak():
    driver = listening_driver()
    driver.hear(0.9)
    assert driver.preparing[0].messages[0].role == "system"


def test_an_echo_waits_for_no_words():
    driver = Driver(abilities=Abilities(hears=False, needs_words=False))
    driver.say_turn()
    assert driver.transcribing == []
    work = driver.replying[0]
    assert len(work.heard) == 27 * 32 * 48
