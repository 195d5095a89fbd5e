"""The engine: the order of events, interruption, truncation, errors that leave the session whole."""

from __future__ import annotations

import base64

import pytest
from engine_driver import Driver

from rt_notebook.server.engine.abilities import Abilities

TRANSCRIBE = {"type": "realtime", "audio": {"input": {"transcription": {"model": "whisper-1"}}}}


def spoken_driver(**options) -> Driver:
    driver = Driver(**options)
    driver.send("session.update", session=TRANSCRIBE)
    return driver


def test_a_spoken_turn_goes_as_on_the_wire():
    driver = spoken_driver()
    driver.say_turn()
    driver.transcribe()
    driver.reply("Hello. ", "How are you?")
    assert driver.folded() == [
        "session.created",
        "session.updated",
        "input_audio_buffer.speech_started",
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


def test_one_item_id_runs_through_a_turn_and_times_are_on_the_grid():
    driver = spoken_driver()
    driver.hear(*[0.0] * 40)
    driver.say_turn()
    started = driver.last("input_audio_buffer.speech_started")
    stopped = driver.last("input_audio_buffer.speech_stopped")
    assert started["audio_start_ms"] == 40 * 32 - 300
    assert stopped["audio_end_ms"] == (40 + 20 + 7) * 32
    committed = driver.last("input_audio_buffer.committed")
    assert started["item_id"] == stopped["item_id"] == committed["item_id"]
    # What is kept of it is exactly what the two times say.
    driver.send("conversation.item.retrieve", item_id=committed["item_id"])
    audio = base64.b64decode(driver.last("conversation.item.retrieved")["item"]["content"][0]["audio"])
    assert len(audio) == (stopped["audio_end_ms"] - started["audio_start_ms"]) * 48


def test_the_audio_of_a_reply_is_complete_and_in_order():
    driver = spoken_driver()
    driver.say_turn()
    driver.transcribe()
    work = driver.replying[0]
    pcm = bytes(range(256)) * 200
    driver.take(driver.engine.replied(work.response_id, "Hi."))
    driver.take(driver.engine.spoke(work.response_id, pcm, 3))
    deltas = [e["delta"] for e in driver.events if e["type"] == "response.output_audio.delta"]
    assert b"".join(map(base64.b64decode, deltas)) == pcm
    assert len(deltas) > 1


def test_speech_interrupts_the_answer():
    driver = spoken_driver()
    driver.say_turn()
    driver.transcribe()
    response_id = driver.reply("Once upon a time. ", end=False)
    driver.hear(0.9)
    assert driver.cancelled == [response_id]
    done = driver.last("response.done")["response"]
    assert (done["status"], done["status_details"]["reason"]) == ("cancelled", "turn_detected")
    assert driver.types().index("response.done") > driver.types().index("input_audio_buffer.speech_started")
    # What the worker still delivers of it is not sent.
    before = len(driver.events)
    driver.take(driver.engine.spoke(response_id, bytes(960), 5))
    driver.take(driver.engine.finished(response_id))
    assert len(driver.events) == before
    assert "response.done" not in driver.types()[before:]


def test_interruption_can_be_off():
    driver = spoken_driver()
    detection = {"type": "server_vad", "interrupt_response": False}
    driver.send(
        "session.update", session={"type": "realtime", "audio": {"input": {"turn_detection": detection}}}
    )
    driver.say_turn()
    driver.transcribe()
    driver.reply("Once. ", end=False)
    driver.say_turn()
    assert driver.cancelled == []
    assert driver.last("error")["error"]["code"] == "conversation_already_has_active_response"


def test_truncation_cuts_what_the_model_reads_later():
    driver = spoken_driver()
    driver.say_turn()
    driver.transcribe("a story please")
    driver.reply("First part here. ", "Second part there.")
    item_id = driver.last("response.output_item.done")["item"]["id"]
    driver.send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=1000)
    assert driver.last("conversation.item.truncated")["audio_end_ms"] == 1000
    driver.say_turn()
    driver.transcribe("go on")
    read = [(m.role, m.text.strip()) for m in driver.replying[0].messages if m.role != "system"]
    assert read == [("user", "a story please"), ("assistant", "First part here."), ("user", "go on")]


def test_a_truncation_past_the_audio_is_refused():
    driver = spoken_driver()
    driver.say_turn()
    driver.transcribe()
    driver.reply("Hi.")
    item_id = driver.last("response.output_item.done")["item"]["id"]
    driver.send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=1001)
    assert "already shorter" in driver.last("error")["error"]["message"]


def test_a_typed_turn_and_text_output():
    driver = Driver()
    driver.send("session.update", session={"type": "realtime", "output_modalities": ["text"]})
    content = [{"type": "input_text", "text": "What is two plus two?"}]
    driver.send("conversation.item.create", item={"type": "message", "role": "user", "content": content})
    driver.send("response.create")
    assert driver.replying[0].messages[-1].text == "What is two plus two?"
    assert not driver.replying[0].aloud
    driver.reply("Four.")
    assert driver.last("response.output_text.done")["text"] == "Four."
    assert "response.output_audio.delta" not in driver.types()


def test_a_typed_question_waits_for_speech_that_is_not_yet_written_down():
    driver = spoken_driver()
    detection = {"type": "server_vad", "create_response": False}
    driver.send(
        "session.update", session={"type": "realtime", "audio": {"input": {"turn_detection": detection}}}
    )
    driver.say_turn()
    driver.send("response.create")
    assert driver.replying == []
    driver.transcribe("first")
    assert driver.replying[0].messages[-1].text == "first"


def test_without_a_transcriber_a_spoken_turn_fails_and_says_why():
    driver = spoken_driver(abilities=Abilities(hears=False))
    driver.say_turn()
    driver.transcribe(None, "moonshine-voice is not installed.")
    failed = driver.last("conversation.item.input_audio_transcription.failed")
    assert "not installed" in failed["error"]["message"]
    done = driver.last("response.done")["response"]
    assert done["status"] == "failed"
    assert "not installed" in done["status_details"]["error"]["message"]


def test_words_that_could_not_be_made_out_are_answered_all_the_same():
    driver = spoken_driver()
    driver.say_turn()
    driver.transcribe(None, "It broke.")
    assert "conversation.item.input_audio_transcription.failed" in driver.types()
    assert "could not be made out" in driver.replying[0].messages[-1].text
    driver.reply("Pardon?")
    assert driver.last("response.done")["response"]["status"] == "completed"


def test_push_to_talk():
    driver = Driver()
    driver.send("session.update", session={"type": "realtime", "audio": {"input": {"turn_detection": None}}})
    driver.hear(*[0.9] * 10)
    assert "input_audio_buffer.speech_started" not in driver.types()
    driver.send("input_audio_buffer.commit")
    assert len(driver.transcribing[0].pcm) == 10 * 32 * 48
    driver.send("input_audio_buffer.commit")
    assert driver.last("error")["error"]["code"] == "input_audio_buffer_commit_empty"


@pytest.mark.parametrize(
    ("event", "code", "param"),
    [
        ({"type": "session.update", "session": {}}, "missing_required_parameter", "session.type"),
        (
            {"type": "session.update", "session": {"type": "realtime", "mood": 1}},
            "unknown_parameter",
            "session.mood",
        ),
        (
            {"type": "session.update", "session": {"type": "realtime", "temperature": 0.8}},
            "unknown_parameter",
            "session.temperature",
        ),
        ({"type": "response.cancel"}, "response_cancel_not_active", "response_id"),
        (
            {"type": "conversation.item.delete", "item_id": "item_x"},
            "item_delete_invalid_item_id",
            "item_id",
        ),
        ({"type": "input_audio_buffer.append", "audio": "%%%"}, "invalid_value", "audio"),
        ({"type": "time.travel"}, "invalid_value", "type"),
    ],
)
def test_a_bad_request_is_answered_with_its_own_id_and_changes_nothing(event, code, param):
    driver = Driver()
    before = driver.engine.session
    driver.take(driver.engine.receive(event | {"event_id": "mine"}))
    error = driver.last("error")["error"]
    assert (error["code"], error["param"], error["event_id"]) == (code, param, "mine")
    assert driver.engine.session == before


def test_a_bad_update_is_refused_whole():
    driver = Driver()
    detection = {"type": "server_vad", "threshold": 7}
    session = {"type": "realtime", "instructions": "new", "audio": {"input": {"turn_detection": detection}}}
    driver.send("session.update", session=session)
    assert driver.engine.session["instructions"] != "new"
    assert "session.updated" not in driver.types()


def test_the_voice_is_locked_once_it_has_spoken():
    driver = spoken_driver()
    driver.say_turn()
    driver.transcribe()
    driver.reply("Hi.")
    driver.send("session.update", session={"type": "realtime", "audio": {"output": {"voice": "verse"}}})
    assert driver.last("error")["error"]["code"] == "cannot_update_voice"


def test_preview_sessions_have_a_temperature():
    driver = Driver(preview=True)
    driver.send("session.update", session={"type": "realtime", "temperature": 0.9})
    content = [{"type": "input_text", "text": "Hi"}]
    driver.send("conversation.item.create", item={"type": "message", "role": "user", "content": content})
    driver.send("response.create")
    assert driver.replying[0].temperature == 0.9


def test_the_usage_counts_audio_as_the_vendors_do():
    driver = spoken_driver()
    driver.hear(*[0.0] * 20)
    driver.say_turn()
    started = driver.last("input_audio_buffer.speech_started")["audio_start_ms"]
    stopped = driver.last("input_audio_buffer.speech_stopped")["audio_end_ms"]
    driver.transcribe()
    driver.reply("Hi.")
    usage = driver.last("response.done")["response"]["usage"]
    assert usage["input_token_details"]["audio_tokens"] == (stopped - started) // 100
    assert usage["output_token_details"]["audio_tokens"] == 1000 // 50
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
