"""The input audio: formats, chunks down to a byte, push-to-talk, silence, sessions that only write down."""

from __future__ import annotations

import base64

import numpy as np
from engine_driver import FRAME, Driver

from rt_notebook.core import g711


def configured(audio_input: dict, **options) -> Driver:
    driver = Driver(**options)
    kind = options.get("initial", {}).get("type", "realtime")
    driver.send("session.update", session={"type": kind, "audio": {"input": audio_input}})
    assert driver.types()[-1] == "session.updated"
    return driver


def append(driver: Driver, data: bytes) -> None:
    driver.send("input_audio_buffer.append", audio=base64.b64encode(data).decode())


def test_g711_turns_have_the_same_times_as_pcm_turns():
    times = []
    for wire, frame in (
        ({"type": "audio/pcm", "rate": 24_000}, FRAME),
        ({"type": "audio/pcmu"}, bytes(256)),
        ({"type": "audio/pcma"}, bytes(256)),
    ):
        driver = configured({"format": wire})
        driver.probabilities = [0.0] * 20 + [0.9] * 20 + [0.0] * 7
        append(driver, frame * 47)
        started = driver.last("input_audio_buffer.speech_started")["audio_start_ms"]
        times.append((started, driver.last("input_audio_buffer.speech_stopped")["audio_end_ms"]))
    assert times == [(20 * 32 - 300, 47 * 32)] * 3


def test_g711_reaches_the_components_as_pcm_of_its_own_rate():
    tone = (np.sin(np.arange(8000) / 3) * 8000).astype("<i2").tobytes()
    driver = configured({"format": {"type": "audio/pcmu"}, "turn_detection": None})
    append(driver, g711.encode(tone, "ulaw"))
    driver.send("input_audio_buffer.commit")
    work = driver.transcribing[0]
    assert work.rate_hz == 8000
    assert work.pcm == g711.decode(g711.encode(tone, "ulaw"), "ulaw")


def test_g711_output_has_its_length_and_no_pcm():
    driver = Driver()
    driver.send(
        "session.update",
        session={"type": "realtime", "audio": {"output": {"format": {"type": "audio/pcma"}}}},
    )
    content = [{"type": "input_text", "text": "Hi"}]
    driver.send("conversation.item.create", item={"type": "message", "role": "user", "content": content})
    driver.send("response.create")
    driver.reply("Hello.")
    deltas = [e["delta"] for e in driver.events if e["type"] == "response.output_audio.delta"]
    assert len(b"".join(map(base64.b64decode, deltas))) == 8 * 1000
    item_id = driver.last("response.output_item.done")["item"]["id"]
    driver.send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=1000)
    assert driver.types()[-1] == "conversation.item.truncated"


def test_a_sample_may_be_split_between_two_events():
    driver = configured({"turn_detection": None})
    audio = bytes(range(250)) * 40
    for start in range(0, len(audio), 333):
        append(driver, audio[start : start + 333])
    driver.send("input_audio_buffer.commit")
    assert driver.transcribing[0].pcm == audio


def test_a_commit_takes_all_and_the_next_one_takes_none_of_it_again():
    driver = configured({"turn_detection": None})
    append(driver, b"\1\2" * 5000)
    driver.send("input_audio_buffer.commit")
    append(driver, b"\3\4" * 5000)
    driver.send("input_audio_buffer.commit")
    assert [work.pcm for work in driver.transcribing] == [b"\1\2" * 5000, b"\3\4" * 5000]


def test_a_commit_counts_what_is_there_in_its_refusal():
    driver = configured({"turn_detection": None})
    append(driver, bytes(48 * 99))
    driver.send("input_audio_buffer.commit")
    error = driver.last("error")["error"]
    assert error["code"] == "input_audio_buffer_commit_empty"
    assert "99.00ms" in error["message"]


def test_more_than_fifteen_mebibytes_are_refused_and_not_swallowed():
    driver = configured({"turn_detection": None})
    append(driver, bytes(15 * 1024 * 1024 + 2))
    assert driver.last("error")["error"]["param"] == "audio"
    append(driver, bytes(15 * 1024 * 1024))
    driver.send("input_audio_buffer.commit")
    assert len(driver.transcribing[0].pcm) == 15 * 1024 * 1024


def test_the_clock_goes_on_while_detection_is_off():
    driver = configured({"turn_detection": None})
    driver.hear(*[0.9] * 30)
    driver.send(
        "session.update",
        session={"type": "realtime", "audio": {"input": {"turn_detection": {"type": "server_vad"}}}},
    )
    driver.hear(0.9)
    assert driver.last("input_audio_buffer.speech_started")["audio_start_ms"] == 30 * 32 - 300


def test_long_silence_after_an_answer_prompts_the_user_once():
    driver = configured({"turn_detection": {"type": "server_vad", "idle_timeout_ms": 5000}})
    driver.say_turn()
    driver.transcribe()
    driver.reply("Hi.")  # one second of speech
    at_ms = 27 * 32
    frames = -(-(at_ms + 1000 + 5000) // 32) - 27
    driver.hear(*[0.0] * (frames - 1))
    assert "input_audio_buffer.timeout_triggered" not in driver.types()
    before = len(driver.events)
    driver.hear(0.0)
    assert driver.folded(before) == [
        "input_audio_buffer.timeout_triggered",
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
        "response.created",
    ]
    span = driver.last("input_audio_buffer.timeout_triggered")
    assert span["audio_start_ms"] == -(-(at_ms + 1000) // 32) * 32
    assert span["audio_end_ms"] == (27 + frames) * 32
    driver.hear(*[0.0] * 400)
    assert driver.types().count("input_audio_buffer.timeout_triggered") == 1


def test_a_user_who_speaks_is_not_prompted():
    driver = configured({"turn_detection": {"type": "server_vad", "idle_timeout_ms": 5000}})
    driver.say_turn()
    driver.transcribe()
    driver.reply("Hi.")
    driver.hear(*[0.9] * 300)
    assert "input_audio_buffer.timeout_triggered" not in driver.types()


def test_a_transcription_session_writes_down_and_never_answers():
    driver = configured({"transcription": {"model": "whisper-1"}}, initial={"type": "transcription"})
    shown = driver.last("session.updated")["session"]
    assert shown["object"] == "realtime.transcription_session"
    assert "output" not in shown["audio"]
    assert "create_response" not in shown["audio"]["input"]["turn_detection"]
    driver.say_turn()
    driver.transcribe("hello")
    assert driver.last("conversation.item.input_audio_transcription.completed")["transcript"] == "hello"
    driver.send("response.create")
    assert driver.last("error")["error"]["code"] == "invalid_value"
    assert "response.created" not in driver.types()


def test_an_expired_session_says_so_and_closes():
    driver = Driver()
    driver.take(driver.engine.expire("Your session hit the maximum duration of 60 minutes."))
    assert driver.last("error")["error"]["code"] == "session_expired"
    assert (driver.closed.code, driver.closed.reason) == (1001, driver.last("error")["error"]["message"])
