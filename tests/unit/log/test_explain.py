"""Each step on the way to a spoken answer, taken away in turn."""

from __future__ import annotations

import pytest
from recorded_log import recorded_events
from scripted_log import Script, conversation

from rt_notebook.core.events import Event
from rt_notebook.log.event_log import EventLog


def chunks(level_dbfs: float, seconds: float = 3.0, start_s: float = 1.0) -> list[Event]:
    count = round(seconds / 0.04)
    times = [start_s + 0.04 * (index + 1) for index in range(count)]
    return [Event(t_s, "sent", "input_audio_buffer.append", {}, 960, level_dbfs) for t_s in times]


def begun(*, detection: dict[str, object] | None = None, more: tuple[Event, ...] = ()) -> list[Event]:
    default = {"type": "server_vad", "threshold": 0.5, "silence_duration_ms": 500, "create_response": True}
    session = {
        "id": "sess_1",
        "audio": {"input": {"turn_detection": default if detection is None else detection}},
    }
    created = Event(0.1, "received", "session.created", {"session": session})
    return [Event(0.0, "local", "local.connected", {}), created, *more]


def step(events) -> tuple[str, str]:
    found = EventLog(events).explain()
    assert str(found) == repr(found) == found.text
    return found.step, found.text


def test_no_connection() -> None:
    assert step([]) == ("connection", "No connection was opened. Call connect().")


@pytest.mark.parametrize(
    ("type_", "data", "words"),
    [
        ("local.closed", {"reason": "going away", "expected": False}, "lost at 5.0 s (going away)"),
        ("local.gave_up", {"message": "The key is wrong. Give another."}, "The key is wrong."),
        ("local.reconnecting", {"cause": "1006", "attempt": 2}, "another is tried"),
        ("local.resting", {}, "idle connection"),
        ("local.limit", {"limit": "max_minutes", "message": "60 minutes are over."}, "60 minutes are over."),
    ],
)
def test_a_connection_that_is_gone(type_, data, words) -> None:
    name, text = step([*begun(), Event(5.0, "local", type_, data)])
    assert name == "connection"
    assert words in text


def test_a_session_that_came_back_is_connected() -> None:
    gap = Event(7.0, "local", "local.gap", {"length_s": 1.0})
    back = [
        Event(5.0, "local", "local.closed", {"expected": False}),
        Event(6.0, "local", "local.connected"),
        gap,
    ]
    assert step([*begun(), *back])[0] == "microphone"


def test_no_microphone() -> None:
    assert "nothing was typed" in step(begun())[1]
    assert "is open" in step(begun(more=(Event(1.0, "local", "local.mic_opened"),)))[1]
    closed = Event(2.0, "local", "local.mic_closed", {"reason": "unplugged"})
    assert "unplugged" in step(begun(more=(closed,)))[1]


def test_only_silence() -> None:
    name, text = step([*begun(), *chunks(-85.0)])
    assert name == "sound"
    assert "-85 dBFS" in text


def test_sound_in_which_no_speech_is_found() -> None:
    name, text = step([*begun(), *chunks(-30.0)])
    assert name == "speech_started"
    assert "0.5" in text


def test_no_turn_detection_and_no_commit() -> None:
    assert step([*begun(detection={}), *chunks(-30.0)])[0] == "committed"


def spoken(**detection) -> Script:
    script = Script()
    created = script.events[0][2].data["session"]
    created["audio"]["input"]["turn_detection"] |= detection
    script.say("Hello.", 1.0, 2.0)
    return script


def without(script: Script, *types: str) -> list[Event]:
    return [event for event in script.log() if event.type not in types]


def test_speech_that_does_not_end() -> None:
    kinds = ("speech_stopped", "committed")
    late = [f"input_audio_buffer.{kind}" for kind in kinds]
    late += ["conversation.item.added", "conversation.item.done"]
    late += ["conversation.item.input_audio_transcription.completed"]
    name, text = step(without(spoken(), *late))
    assert name == "speech_stopped"
    assert "500 ms of silence" in text


def test_speech_that_is_not_committed() -> None:
    late = ["input_audio_buffer.committed", "conversation.item.added", "conversation.item.done"]
    assert step(without(spoken(), *late))[0] == "committed"


def test_an_answer_that_nobody_asked_for() -> None:
    name, text = step(spoken(create_response=False).log())
    assert name == "response"
    assert "create_response is off" in text


def test_an_answer_that_is_not_begun() -> None:
    script = spoken()
    assert step(script.log()) == (
        "response",
        "The turn is committed, and the endpoint has not begun an answer.",
    )
    script.add(3.0, "received", "error", error={"code": "server_error", "message": "The engine is down."})
    assert "The engine is down." in step(script.log())[1]


def test_an_answer_that_failed() -> None:
    script = spoken()
    script.answer("Hi.", 2.6, 0.5, status="failed")
    done = [event for _, _, event in script.events if event.type == "response.done"][-1]
    done.data["response"]["status_details"] = {
        "error": {"code": "rate_limit_exceeded", "message": "Too much."}
    }
    name, text = step(script.log())
    assert name == "response_done"
    assert "rate_limit_exceeded" in text
    assert "Too much." in text


def test_an_answer_without_audio() -> None:
    script = spoken()
    script.answer("Hi.", 2.6, 0.5, speaker=False)
    silent = without(script, "response.output_audio.delta")
    assert "text only" in step(silent)[1]
    waiting = [event for event in silent if event.type != "response.done"]
    assert step(waiting)[0] == "audio"


def test_a_tool_call_without_its_output(shared_data) -> None:
    events = recorded_events(shared_data, "azure_tool_call")
    end = next(index for index, event in enumerate(events) if event.type == "response.done")
    name, text = step(events[: end + 1])
    assert name == "audio"
    assert "waits for its output" in text


@pytest.mark.parametrize(
    "lost", [(), ("response.output_item",), ("response.output_item", "conversation.item")]
)
def test_a_function_is_named_by_whichever_event_tells_its_name(lost) -> None:
    script = Script()
    script.type("Hello.", 1.0)
    script.call(1.1)
    told = [
        event
        for event in script.log(microphone=False)
        if "look" not in repr(event.data) or not event.type.startswith(lost)
    ]
    assert "calls look and waits" in step(told)[1]


def test_a_call_that_waits_for_a_yes_is_named() -> None:
    script = spoken()
    call_id = script.call(2.6)
    asked = {"call_id": call_id, "name": "look", "response_id": call_id.replace("call", "resp_call")}
    assert step(script.log())[0] == "audio"
    script.add(2.7, "local", "local.tool_call", **asked, state="pending")
    name, text = step(script.log())
    assert name == "approval"
    assert text == (
        f"The model wants to call look, which waits for a yes since 2.7 s: approve it on its card, or with "
        f"session.approve({call_id!r})."
    )
    script.add(2.8, "local", "local.tool_call", **asked, state="running")
    assert step(script.log()) == (
        "audio",
        "The model calls look and waits for its output; nothing is said until it has it.",
    )


def test_a_speaker_that_plays_nothing() -> None:
    script = spoken()
    item_id = script.answer("Hi there you.", 2.6, 1.0, speaker=False)
    assert "no speaker reported" in step(script.log())[1]
    script.playback(6.0, item_id, 0.0, "playing")
    assert "has played nothing" in step(script.log())[1]
    script.playback(6.5, item_id, 0.4, "playing")
    assert "has played 0.4 s of the 1.0 s" in step(script.log())[1]


def test_an_answer_that_was_cut_off() -> None:
    script = spoken()
    script.answer("A long answer that is cut.", 2.6, 4.0, heard_s=1.0)
    assert step(script.log())[0] == "interrupted"


def test_nothing_is_missing_until_somebody_speaks_and_is_not_heard() -> None:
    log = conversation()
    assert log.explain().step == "nothing"
    assert log.explain().turn == 3
    assert step([*log, *chunks(-30.0, start_s=log[-1].t_s + 1.0)])[0] == "speech_started"
    assert step([*log, Event(99.0, "local", "local.closed", {"expected": True})])[0] == "connection"
