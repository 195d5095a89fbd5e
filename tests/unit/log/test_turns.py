from __future__ import annotations

import copy
import dataclasses
import math
import pickle

import pytest
from recorded_log import GA_RECORDINGS, recorded_events
from scripted_log import Script, conversation

from rt_notebook.core.events import Event
from rt_notebook.log.event_log import EventLog
from rt_notebook.log.turns import fold_turns


def test_a_spoken_turn_has_the_times_of_the_script() -> None:
    script = Script(silence_ms=400, padding_ms=200)
    user_id = script.say("Hello there.", 1.0, 2.5)
    answer_id = script.answer("Hello to you.", 3.0, 2.0)
    (turn,) = script.log().fold_turns()
    assert (turn.turn, turn.kind, turn.status, turn.interrupted) == (1, "spoken", "completed", False)
    assert (turn.user, turn.assistant) == ("Hello there.", "Hello to you.")
    assert (turn.user_item_id, turn.assistant_item_id) == (user_id, answer_id)
    # Padding and silence are in the endpoint's figures, not in the speech.
    assert turn.speech_start_s == pytest.approx(1.0)
    assert turn.speech_end_s == pytest.approx(2.5)
    assert turn.speech_started_s == pytest.approx(1.1)
    assert turn.speech_stopped_s == pytest.approx(2.92)
    assert turn.committed_s == pytest.approx(2.925)
    assert turn.response_created_s == 3.0
    assert turn.first_audio_s == pytest.approx(3.3)
    assert turn.playback_started_s == pytest.approx(3.38)
    assert turn.transcribed_s == pytest.approx(3.32)
    assert turn.audio_ms == turn.heard_ms == 2000.0


def test_a_turn_is_shown_in_one_line() -> None:
    script = Script()
    script.type("What's the weather like in Lisbon today?", 1.0)
    script.answer("Mild and sunny, with a light wind from the north-west.", 1.1, 2.0)
    script.type("Thanks.", 9.0)
    first, second = script.log().fold_turns()
    shown = "\"What's the weather like in Lisbon today?\" -> 'Mild and sunny, with a light wind from t…'"
    assert repr(first) == f"<Turn 1: {shown}, completed>"
    assert repr(second) == "<Turn 2: 'Thanks.' -> None, unanswered>"
    assert copy.copy(first) == pickle.loads(pickle.dumps(first)) == first != second
    cut = dataclasses.replace(second, status="cancelled", status_reason="turn_detected", interrupted=True)
    assert repr(cut).endswith("-> None, cancelled (turn_detected), interrupted>")


def test_the_settings_in_force_at_the_time_count() -> None:
    script = Script(silence_ms=200)
    script.say("One.", 1.0, 2.0)
    detection = {"prefix_padding_ms": 100, "silence_duration_ms": 800}
    session = {"id": "sess_1", "audio": {"input": {"turn_detection": detection}}}
    script.add(3.0, "received", "session.updated", session=session)
    script.silence_ms, script.padding_ms = 800, 100
    script.say("Two.", 4.0, 5.0)
    assert [turn.speech_end_s for turn in script.log().fold_turns()] == pytest.approx([2.0, 5.0])
    assert [turn.speech_start_s for turn in script.log().fold_turns()] == pytest.approx([1.0, 4.0])


def test_semantic_vad_tells_no_end_of_speech_but_the_audio_does() -> None:
    script = Script()
    session = {"id": "sess_1", "audio": {"input": {"turn_detection": {"type": "semantic_vad"}}}}
    script.add(0.1, "received", "session.updated", session=session)
    script.say("Hello.", 1.0, 2.0)
    (turn,) = script.log().fold_turns()
    assert turn.speech_end_s == pytest.approx(2.0, abs=0.02)
    assert turn.speech_start_s is None
    assert turn.speech_stopped_s is not None
    (unheard,) = script.log(microphone=False).fold_turns()
    assert unheard.speech_end_s is None


def test_after_a_reconnect_the_audio_is_counted_from_zero_again() -> None:
    first, second = Script(), Script()
    first.say("One.", 1.0, 2.0)
    second.say("Two.", 1.0, 2.0)
    events = list(first.log())
    for event in second.log():
        data = dict(event.data)
        data.pop("event_id", None)
        if "item_id" in data:
            data["item_id"] = "item_second"
        if event.type == "session.created":
            data["session"] = data["session"] | {"id": "sess_2"}
        if event.type.startswith("conversation.item."):
            continue
        events.append(Event(event.t_s + 10, event.direction, event.type, data, event.audio_samples))
    assert [turn.speech_end_s for turn in fold_turns(events)] == pytest.approx([2.0, 12.0])


def test_a_slice_without_the_beginning_claims_no_place_of_the_speech() -> None:
    log = conversation()
    session = log[0].data["session"]
    second = next(i for i, event in enumerate(log) if event.t_s > 6.0)
    update = Event(log[second].t_s, "received", "session.updated", {"session": session})
    for part in (log[second:], [update, *log[second:]]):
        turn = next(turn for turn in fold_turns(part) if turn.user == "And tomorrow?")
        assert (turn.speech_start_s, turn.speech_end_s) == (None, None)
        assert turn.speech_stopped_s == pytest.approx(7.82)


def test_an_interruption_shows_in_status_and_in_what_was_heard() -> None:
    first, second, third = conversation().fold_turns()
    assert (first.status, first.status_reason, first.interrupted) == ("cancelled", "turn_detected", True)
    assert first.heard_ms == pytest.approx(2600.0)
    assert first.audio_ms > first.heard_ms
    assert not second.interrupted
    assert third.kind == "typed"


def test_silencing_a_complete_answer_is_an_interruption_too() -> None:
    script = Script()
    script.say("Hello.", 1.0, 2.0)
    script.answer("A long answer that is cut.", 2.6, 4.0, heard_s=1.0)
    (turn,) = script.log().fold_turns()
    assert (turn.status, turn.interrupted) == ("completed", True)


def test_the_transcript_is_filled_in_wherever_it_arrives() -> None:
    expected = "Hello there."
    for transcribed_s in (-0.2, 0.4, 9.0):
        script = Script()
        script.say(expected, 1.0, 2.0, transcribed_s=transcribed_s)
        script.answer("Hello.", 2.6, 1.0)
        (turn,) = script.log().fold_turns()
        assert turn.user == expected


def test_a_turn_is_there_without_transcript_and_without_answer() -> None:
    script = Script()
    script.say(None, 1.0, 2.0)
    (turn,) = script.log().fold_turns()
    assert (turn.user, turn.assistant, turn.status) == (None, None, "unanswered")
    assert turn.heard_ms is None


def test_transcription_deltas_count_until_the_whole_is_known() -> None:
    kind = "conversation.item.input_audio_transcription"
    script = Script()
    item_id = script.say(None, 1.0, 2.0)
    script.add(2.6, "received", f"{kind}.delta", item_id=item_id, content_index=0, delta=" Hello")
    script.add(2.7, "received", f"{kind}.delta", item_id=item_id, content_index=0, delta=" ther")
    assert script.log().fold_turns()[0].user == "Hello ther"
    script.add(
        2.8, "received", f"{kind}.completed", item_id=item_id, content_index=0, transcript="Hello there."
    )
    assert script.log().fold_turns()[0].user == "Hello there."


def test_push_to_talk_begins_with_the_commit_that_the_client_sends() -> None:
    script = Script()
    script.add(2.0, "sent", "input_audio_buffer.commit")
    script.add(2.1, "received", "input_audio_buffer.committed", item_id="item_1", previous_item_id=None)
    script.item(2.1, "item_1", "user", [{"type": "input_audio", "transcript": None}])
    (turn,) = script.log().fold_turns()
    assert (turn.kind, turn.sent_s, turn.committed_s) == ("spoken", 2.0, 2.1)


def test_an_unasked_answer_is_a_turn_of_its_own() -> None:
    script = Script()
    script.add(0.5, "sent", "response.create")
    script.answer("Welcome!", 0.6, 1.0)
    script.say("Thanks.", 2.5, 3.0)
    script.answer("My pleasure.", 3.6, 1.0)
    greeting, spoken = script.log().fold_turns()
    assert (greeting.kind, greeting.user_item_id, greeting.assistant) == ("other", None, "Welcome!")
    assert greeting.sent_s == 0.5
    assert (spoken.user, spoken.assistant) == ("Thanks.", "My pleasure.")


def test_a_response_outside_the_conversation_answers_nobody() -> None:
    script = Script()
    script.type("Hello.", 1.0)
    response = {"id": "resp_aside", "conversation_id": None, "output": []}
    script.add(1.1, "received", "response.created", response=response)
    script.answer("Hi.", 1.2, 0.5)
    turns = script.log().fold_turns()
    assert {turn.user: turn.response_id for turn in turns}[None] == "resp_aside"
    assert {turn.user: turn.assistant for turn in turns}["Hello."] == "Hi."


def test_two_questions_in_a_row_keep_their_own_answers() -> None:
    script = Script()
    script.type("First?", 1.0)
    script.type("Second?", 1.05)
    script.answer("Both.", 1.2, 0.5)
    first, second = script.log().fold_turns()
    assert (first.user, first.status) == ("First?", "unanswered")
    assert (second.user, second.assistant) == ("Second?", "Both.")


def test_an_answer_that_is_asked_for_again_joins_its_turn() -> None:
    script = Script()
    script.type("Hello?", 1.0)
    failed = {"id": "resp_failed", "status": "failed", "status_details": {"error": {"code": "rate_limit"}}}
    script.add(1.1, "received", "response.created", response={"id": "resp_failed", "output": []})
    script.add(1.2, "received", "response.done", response=failed)
    (turn,) = script.log().fold_turns()
    assert (turn.status, turn.status_reason) == ("failed", "rate_limit")
    script.answer("Hello.", 2.0, 0.5)
    (turn,) = script.log().fold_turns()
    assert (turn.status, turn.assistant) == ("completed", "Hello.")


def test_a_lost_connection_leaves_no_answer_in_progress() -> None:
    script = Script()
    script.type("Hello?", 1.0)
    script.add(1.1, "received", "response.created", response={"id": "resp_1", "output": []})
    assert script.log().fold_turns()[0].status == "in_progress"
    script.add(1.2, "local", "local.closed", reason="gone")
    (turn,) = script.log().fold_turns()
    assert (turn.status, turn.status_reason) == ("incomplete", "connection_closed")


def test_an_event_that_comes_twice_counts_once() -> None:
    log = conversation()
    doubled = [
        event for event in log for _ in range(1 if event.type.startswith("input_audio_buffer.append") else 2)
    ]
    assert fold_turns(doubled) == log.fold_turns()


def test_events_of_unknown_type_and_shape_are_passed_over() -> None:
    log = conversation()
    noise: list[Event] = []
    for event in log:
        noise += [event, Event(event.t_s, "received", "response.brand_new", {"response_id": 7, "item": []})]
        noise.append(
            Event(event.t_s, "received", "conversation.item.added", {"item": {"id": None, "content": 3}})
        )
        noise.append(Event(event.t_s, "received", "response.done", {"response": "gone"}))
    assert fold_turns(noise) == log.fold_turns()


def test_table_has_one_row_a_turn_and_the_same_columns_when_empty() -> None:
    table, empty = conversation().turns(), EventLog().turns()
    assert list(table["turn"]) == [1, 2, 3]
    assert list(table.columns) == list(empty.columns)
    assert list(table.dtypes) == list(empty.dtypes)
    assert math.isnan(table.loc[2, "speech_end_s"])


class TestRecordings:
    @pytest.mark.parametrize("name", GA_RECORDINGS)
    def test_every_answer_finds_its_question(self, shared_data, name) -> None:
        turns = fold_turns(recorded_events(shared_data, name))
        assert all(turn.kind != "other" and turn.status == "completed" and turn.assistant for turn in turns)

    def test_a_spoken_turn(self, shared_data) -> None:
        (turn,) = fold_turns(recorded_events(shared_data, "openai_spoken_turn"))
        assert turn.user == "Hello, my name is Marcelo."
        assert turn.assistant == "Hello, Marcelo! Great to meet you. How can I help you today?"
        # audio_start is 1460 ms with 300 ms of padding, audio_end 4256 ms with 200 ms of silence.
        # The first sample was recorded at 30 ms.
        assert turn.speech_start_s == pytest.approx(1.460 + 0.300 + 0.030)
        assert turn.speech_end_s == pytest.approx(4.256 - 0.200 + 0.030)

    def test_a_function_call_and_its_answer_are_one_turn(self, shared_data) -> None:
        events = recorded_events(shared_data, "azure_tool_call")
        (turn,) = fold_turns(events)
        assert turn.user == "What is the weather in London?"
        assert turn.assistant == "It is foggy and 12 degrees in London."
        first_done = next(i for i, event in enumerate(events) if event.type == "response.done")
        (waiting,) = fold_turns(events[: first_done + 1])
        assert (waiting.status, waiting.status_reason) == ("in_progress", "function_call")

    def test_a_failed_transcription_leaves_the_turn_whole(self, shared_data) -> None:
        (turn,) = fold_turns(recorded_events(shared_data, "azure_transcription_failed"))
        assert (turn.user, turn.transcribed_s) == (None, None)
        assert turn.audio_ms > 0

    def test_history_that_the_client_wrote_is_told_apart(self, shared_data) -> None:
        seeded, asked = fold_turns(recorded_events(shared_data, "openai_history_seeding"))
        assert (seeded.assistant, seeded.response_id) == ("Nice to meet you, Alice!", None)
        assert asked.assistant == "Your name is Alice, and your favorite color is teal!"
        assert asked.response_id is not None
