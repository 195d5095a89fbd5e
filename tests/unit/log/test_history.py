"""What a new connection is told of the conversation, as far as it was heard, and what it is not told."""

from __future__ import annotations

from rt_notebook.core.events import Event
from rt_notebook.log.history import fold_history


def added(item, previous=None):
    return ("received", "conversation.item.added", {"item": item, "previous_item_id": previous})


def message(item_id, role, text=None, kind="input_text"):
    content = [] if text is None else [{"type": kind, "text": text}]
    return {"id": item_id, "type": "message", "role": role, "content": content}


def log(*steps):
    events = []
    for index, (direction, type_, data, *samples) in enumerate(steps):
        events.append(Event(index * 0.1, direction, type_, {"type": type_} | data, *samples))
    return events


def told(history):
    return [(item["role"], item["content"][0]["text"]) for item in history.items if item["type"] == "message"]


def answer(item_id, text, samples, *, played=None, state="flushed"):
    ids = {"response_id": "r1", "item_id": item_id}
    steps = [
        ("received", "response.created", {"response": {"id": "r1"}}),
        ("received", "response.output_item.added", ids | {"item": message(item_id, "assistant")}),
        added(message(item_id, "assistant")),
        ("received", "response.output_audio_transcript.delta", ids | {"delta": text}),
        ("received", "response.output_audio.delta", ids, samples, -20.0),
    ]
    if played is not None:
        steps.append(
            ("local", "local.playback", {"item_id": item_id, "played_samples": played, "state": state})
        )
    return steps


def test_typed_spoken_and_system_items_keep_their_ids_and_their_order():
    events = log(
        added(message("s", "system", "Be kind.")),
        ("received", "input_audio_buffer.committed", {"item_id": "b", "previous_item_id": "s"}),
        added(message("c", "user", "And then?"), "b"),
        (
            "received",
            "conversation.item.input_audio_transcription.completed",
            {"item_id": "b", "transcript": "Hello."},
        ),
    )
    history = fold_history(events)
    assert told(history) == [("system", "Be kind."), ("user", "Hello."), ("user", "And then?")]
    assert [item["id"] for item in history.items] == ["s", "b", "c"]
    assert history.left_out == ["the sound of what was said: only its words"]


def test_an_answer_is_told_as_far_as_it_was_heard():
    half = fold_history(log(*answer("a", "one two three four", 48_000, played=24_000)))
    assert told(half) == [("assistant", "one two")]
    assert any("not heard to their end" in one for one in half.left_out)
    unheard = fold_history(log(*answer("a", "one two three four", 48_000, played=0)))
    assert told(unheard) == []
    playing = fold_history(log(*answer("a", "one two three four", 48_000, played=100, state="playing")))
    assert told(playing) == [("assistant", "one two three four")], "it goes on playing"
    silent = fold_history(log(*answer("a", "one two three four", 48_000)))
    assert told(silent) == [("assistant", "one two three four")], "nobody says what was heard"


def test_what_cannot_be_told_is_said():
    history = fold_history(
        log(
            ("received", "input_audio_buffer.committed", {"item_id": "b"}),
            added({"id": "f", "type": "function_call", "call_id": "c1", "name": "n", "arguments": "{}"}, "b"),
            added(message("d", "user", "Forget it."), "f"),
            ("received", "conversation.item.deleted", {"item_id": "d"}),
        )
    )
    assert history.items == []
    assert history.left_out[1:] == [
        "spoken items of which no words are known (1)",
        "function calls without an output (1)",
    ]


def test_calls_are_told_with_their_outputs():
    call = {"id": "f", "type": "function_call", "call_id": "c1", "name": "n", "arguments": "{}"}
    output = {"id": "o", "type": "function_call_output", "call_id": "c1", "output": "7"}
    history = fold_history(
        log(added(message("u", "user", "How many?")), added(call, "u"), added(output, "f"))
    )
    assert history.items[1:] == [call, output]


def test_told_again_it_is_the_same_history():
    first = log(
        added(message("u", "user", "Hello.")), *answer("a", "one two", 48_000, played=48_000, state="ended")
    )
    history = fold_history(first)
    again = [added(item | {"status": "completed"}) for item in history.items]
    lost = ("local", "local.closed", {"by": "loss"})
    assert fold_history(first + log(lost, *again)).items == history.items
