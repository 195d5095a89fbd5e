"""The rows of the playground, folded from events."""

from rt_notebook.core.events import Event
from rt_notebook.widgets.playground.phase import next_phase
from rt_notebook.widgets.playground.rows import EventRows, TranscriptRows
from rt_notebook.widgets.playground.session_facts import trouble


def got(type_, t_s=1.0, direction="received", **data):
    return Event(t_s, direction, type_, {"type": type_} | data)


def fold(*events):
    rows = TranscriptRows()
    for event in events:
        rows.add(event)
    return list(rows.rows.values())


def test_a_spoken_turn_grows_and_ends():
    row = fold(got("input_audio_buffer.speech_started", item_id="u"))[0]
    assert (row["role"], row["state"], row["text"]) == ("user", "waiting", "")
    done = got("conversation.item.input_audio_transcription.completed", item_id="u", transcript=" Hi there ")
    row = fold(got("input_audio_buffer.speech_started", item_id="u"), done)[0]
    assert (row["state"], row["text"]) == ("final", "Hi there")


def test_a_cut_reply_stays_cut_when_its_words_arrive_later():
    rows = fold(
        got("response.output_audio_transcript.delta", item_id="a", delta="One "),
        got("response.output_audio_transcript.delta", item_id="a", delta="two"),
        got("conversation.item.truncated", item_id="a", audio_end_ms=1200),
        got("response.output_audio_transcript.done", item_id="a", transcript="One two three"),
    )
    assert len(rows) == 1
    assert rows[0] | {"time_s": 0} == {
        "item_id": "a",
        "role": "assistant",
        "text": "One two three",
        "state": "cut",
        "time_s": 0,
        "heard_ms": 1200,
    }


def test_a_typed_message_is_there_at_once():
    item = {
        "id": "t",
        "type": "message",
        "role": "user",
        "content": [{"type": "input_text", "text": "Hello"}],
    }
    assert fold(got("conversation.item.added", item=item))[0]["text"] == "Hello"
    assert fold(got("conversation.item.create", direction="sent", item=item)) == []


def test_only_changed_rows_are_taken():
    rows = TranscriptRows()
    rows.add(got("response.output_text.delta", item_id="a", delta="x"))
    assert [row["item_id"] for row in rows.take_changed()] == ["a"]
    assert rows.take_changed() == []


def test_repeated_events_share_a_row():
    rows = EventRows()
    for t_s in (1.0, 1.04, 1.08):
        rows.add(Event(t_s, "sent", "input_audio_buffer.append", {}, 960, -30.0))
    rows.add(got("error", error={"message": "no"}))
    appended, error = rows.take_changed()
    assert (appended["count"], appended["audio_ms"], appended["t_s"]) == (3, 120.0, 1.0)
    assert error["text"] == "no"
    rows.add(got("error", error={"message": "!"}))
    assert [(row["id"], row["count"]) for row in rows.take_changed()] == [(1, 2)]


def test_the_phase_follows_a_turn():
    turn = [
        ("local.connected", {}, "connecting"),
        ("session.updated", {}, "listening"),
        ("input_audio_buffer.speech_started", {}, "hearing"),
        ("input_audio_buffer.speech_stopped", {}, "thinking"),
        ("response.created", {}, "thinking"),
        ("local.playback", {"state": "playing"}, "speaking"),
        ("response.done", {"response": {"status": "completed"}}, "speaking"),
        ("local.playback", {"state": "ended"}, "listening"),
        ("local.closed", {}, "closed"),
        ("local.reconnecting", {"delay_s": 1.0}, "connecting"),
        ("local.connected", {}, "connecting"),
        ("session.updated", {}, "listening"),
        ("local.resting", {}, "listening"),
        ("local.closed", {}, "closed"),
    ]
    phase = "idle"
    for type_, data, expected in turn:
        phase = next_phase(phase, got(type_, **data))
        assert phase == expected, type_


def test_a_reply_in_text_alone_ends_the_thinking():
    assert next_phase("thinking", got("response.done", response={"status": "completed", "output": []})) == (
        "listening"
    )


def test_trouble_is_said_in_words_and_unsaid_when_it_is_over():
    assert trouble(got("session.updated")) is None
    soon, late = (trouble(got("local.reconnecting", cause="gone.", delay_s=d)) for d in (0.3, 12.4))
    assert soon == "The connection was lost (gone). Connecting again …"
    assert late == "The connection was lost (gone). Connecting again in 13 s …"
    full = got("local.reconnecting", cause="x.example is at its limit (HTTP 429).", delay_s=20, code=429)
    told = [trouble(full, full.t_s + s) for s in (0, 0.1, 18.9, 19.8)]
    again = "x.example is at its limit (HTTP 429). Connecting again"
    assert told == [f"{again} in 20 s …", f"{again} in 20 s …", f"{again} in 2 s …", f"{again} …"]
    assert trouble(got("local.gap")) == ""
    for type_ in ("local.error", "local.gave_up", "local.limit"):
        assert trouble(got(type_, message="A sentence.")) == "A sentence."
    assert trouble(got("error", error={"message": "No."})) == "No."
