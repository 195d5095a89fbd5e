from __future__ import annotations

import pytest
from scripted_log import Script, conversation

from rt_notebook.log.segments import fold_segments


def spans(log, kind):
    return [(span.start_s, span.end_s) for span in fold_segments(log).spans if span.kind == kind]


def test_padding_speech_and_silence_are_told_apart() -> None:
    script = Script(silence_ms=400, padding_ms=200)
    script.say("Hello.", 1.0, 2.5)
    log = script.log()
    assert spans(log, "padding") == [pytest.approx((0.8, 1.0))]
    assert spans(log, "speech") == [pytest.approx((1.0, 2.5))]
    assert spans(log, "silence") == [pytest.approx((2.5, 2.92))]


def test_padding_does_not_reach_over_a_pause_in_what_was_sent() -> None:
    script = Script(padding_ms=300)
    script.say("Hello.", 1.0, 2.0)
    script.say("Hello again.", 7.0, 8.0)
    log = [event for event in script.log() if not (event.audio_samples and 3.0 < event.t_s < 6.93)]
    # The endpoint counts what it was sent: of its 300 ms, 200 were sent before the pause.
    lost_ms = (
        sum(event.audio_samples for event in script.log()) // 24 - sum(e.audio_samples for e in log) // 24
    )
    for event in log:
        if event.t_s > 6.0 and event.type.startswith("input_audio_buffer.speech_"):
            for name in ("audio_start_ms", "audio_end_ms"):
                if name in event.data:
                    event.data[name] -= lost_ms
    assert spans(log, "padding") == [pytest.approx((0.7, 1.0)), pytest.approx((6.9, 7.0), abs=0.05)]
    assert spans(log, "speech") == [pytest.approx((1.0, 2.0)), pytest.approx((7.0, 8.0))]


def test_played_ends_at_the_cut_and_received_goes_on() -> None:
    log = conversation()
    received, played = spans(log, "received"), spans(log, "played")
    assert played[0] == pytest.approx((3.86, 6.46))
    assert received[0] == pytest.approx((3.86, 8.06))
    assert received[1:] == [pytest.approx(span) for span in played[1:]]
    cuts = [mark for mark in fold_segments(log).marks if mark.kind == "interrupted"]
    assert [mark.t_s for mark in cuts] == [pytest.approx(6.46)]


def test_what_was_not_heard_does_not_run_into_the_next_answer() -> None:
    script = Script()
    script.type("Tell me everything.", 1.0)
    script.answer("A very long answer indeed.", 1.1, 20.0, speaker=False)
    script.type("Stop.", 3.0)
    script.answer("Very well.", 3.1, 1.0, speaker=False)
    first, second = spans(script.log(), "received")
    assert first[1] == second[0]


def test_a_pause_of_the_speaker_splits_what_was_played() -> None:
    script = Script()
    script.type("Hello.", 1.0)
    item_id = script.answer("Hello to you.", 1.1, 2.0, speaker=False)
    for t_s, played_s in ((1.6, 0.1), (1.7, 0.2), (2.7, 0.3), (2.8, 0.4)):
        script.playback(t_s, item_id, played_s, "playing")
    assert spans(script.log(), "played") == [pytest.approx((1.5, 1.7)), pytest.approx((2.6, 2.8))]


def test_push_to_talk_is_speech_from_the_first_audio_to_the_commit() -> None:
    script = Script()
    script.add(2.0, "sent", "input_audio_buffer.commit")
    script.add(2.1, "received", "input_audio_buffer.committed", item_id="item_1")
    assert spans(script.log(), "speech") == [pytest.approx((0.2, 2.0))]


def test_levels_cover_the_audio_that_was_sent_and_that_sounded() -> None:
    segments = fold_segments(conversation())
    sent_s = sum(piece.end_s - piece.start_s for piece in segments.user_level)
    assert sent_s == pytest.approx(segments.user_level[-1].end_s - 0.2)
    assistant_s = sum(piece.end_s - piece.start_s for piece in segments.assistant_level)
    assert assistant_s == pytest.approx(4.2 + 2.8 + 1.2, abs=0.01)


def test_nothing_comes_of_nothing() -> None:
    segments = fold_segments([])
    assert (segments.spans, segments.marks, segments.turns) == ((), (), ())


def test_semantic_vad_shows_speech_from_decision_to_decision() -> None:
    script = Script()
    session = {"id": "sess_1", "audio": {"input": {"turn_detection": {"type": "semantic_vad"}}}}
    script.add(0.1, "received", "session.updated", session=session)
    script.say("Hello.", 1.0, 2.0)
    log = script.log()
    assert spans(log, "speech") == [pytest.approx((1.1, 2.52))]
    assert spans(log, "padding") == spans(log, "silence") == []
