"""The microphone's line in, and the speaker's line out."""

import threading

from rt_notebook.widgets.port.clock_line import ClockLine
from rt_notebook.widgets.port.mic_line import MicLine
from rt_notebook.widgets.port.speaker_line import SpeakerLine
from rt_notebook.widgets.port.worker import Worker


def batch(seq, *chunks, client="a", epoch=1, first=0, **more):
    counts = [len(chunk) // 2 for chunk in chunks]
    message = {"client": client, "epoch": epoch, "seq": seq, "counts": counts, "first": first}
    return message | more, b"".join(chunks)


def mic():
    sent, chunks, gaps = [], [], []
    return MicLine(sent.append, chunks.append, gaps.append), sent, chunks, gaps


def test_a_batch_is_taken_apart_again():
    line, _, chunks, _ = mic()
    line.open("a", 1)
    line.receive(*batch(0, b"aaaa", b"bb", b"cccc"))
    assert chunks == [b"aaaa", b"bb", b"cccc"]
    assert (line.chunks, line.samples) == (3, 5)


def test_a_hole_is_asked_for():
    line, sent, chunks, gaps = mic()
    line.open("a", 1)
    line.receive(*batch(1, b"bb"))
    assert sent[-1] == {"type": "mic.ack", "client": "a", "epoch": 1, "seq": 0, "again": True}
    line.receive(*batch(0, b"aa", b"bb"))
    assert (chunks, gaps) == ([b"aa", b"bb"], [])


def test_what_never_comes_is_a_gap_of_samples():
    line, _, chunks, gaps = mic()
    line.open("a", 1)
    line.receive(*batch(0, b"aa" * 10))
    line.receive(*batch(3, b"bb" * 10, first=3, overrun_samples=7))
    assert gaps == [27]
    assert line.lost_samples == 27
    assert len(chunks) == 2


def test_another_window_and_an_old_recording_are_not_listened_to():
    line, sent, chunks, _ = mic()
    line.open("a", 1)
    line.open("b", 1)
    assert [m["client"] for m in sent if m["type"] == "mic.revoked"] == ["a"]
    line.receive(*batch(0, b"aa", client="a"))
    line.receive(*batch(0, b"aa", client="b", epoch=0))
    assert chunks == []


def test_a_closed_recording_still_gets_its_missing_end():
    line, sent, chunks, _ = mic()
    line.open("a", 1)
    line.receive(*batch(0, b"aa"))
    line.close("a", 1, 3)
    assert sent[-1]["again"]
    assert line.client == "a"
    line.receive(*batch(1, b"bb", b"cc"))
    assert chunks == [b"aa", b"bb", b"cc"]
    assert line.client is None


def speaker():
    sent, reports = [], []
    line = SpeakerLine(lambda message, buffers: sent.append((message, buffers)), lambda *a: reports.append(a))
    return line, sent, reports


def test_without_a_page_nothing_is_heard_and_that_is_said():
    line, sent, reports = speaker()
    line.play("i", b"\0\0" * 100)
    line.end("i")
    line.play("j", b"\0\0" * 50)
    line.flush()
    assert sent == []
    assert reports == [("i", 0, "flushed", 100), ("j", 0, "flushed", 50)]


def test_what_a_page_misses_is_sent_again():
    line, sent, _ = speaker()
    assert line.choose("a") == 0
    for _ in range(3):
        line.play("i", b"\1\1")
    line.acknowledged("a", 1, again=True)
    assert [message["seq"] for message, _ in sent] == [0, 1, 2, 1, 2]
    line.acknowledged("a", 3, again=False)
    line.acknowledged("a", 3, again=True)
    assert len(sent) == 5


def test_the_page_that_was_touched_last_plays_and_the_other_falls_silent():
    line, sent, _ = speaker()
    line.choose("a")
    line.play("i", b"\1\1")
    line.choose("b")
    line.play("i", b"\1\1")
    assert [(m["type"], m["client"], m["seq"]) for m, _ in sent] == [
        ("speaker.chunk", "a", 0),
        ("speaker.flush", "a", 1),
        ("speaker.chunk", "b", 0),
    ]
    assert line.choose("a") == 2


def test_a_worker_keeps_order_survives_errors_and_ticks(caplog):
    done, ticked = [], threading.Event()
    worker = Worker("test", ticked.set)
    worker.submit(lambda: done.append(1))
    worker.submit(lambda: 1 / 0)
    worker.submit(lambda: done.append(2))
    assert ticked.wait(10)
    worker.stop()
    worker.submit(lambda: done.append(3))
    worker.stop()
    worker.join(10)
    assert done == [1, 2]
    assert "ZeroDivisionError" in caplog.text


def test_a_page_is_asked_for_its_clock_again_when_it_has_answered():
    sent, noted = [], []
    line = ClockLine(sent.append, lambda *times: noted.append(times))
    line.ask(None)
    line.ask("a")
    line.ask("a")
    assert [(m["type"], m["client"]) for m in sent] == [("clock.ask", "a")]
    answer = {"client": "a", "asked_s": sent[0]["asked_s"], "received_s": 7.0, "answered_s": 7.1}
    line.answered(answer | {"arrived_s": 9.0})
    assert noted == [("a", sent[0]["asked_s"], 7.0, 7.1, 9.0)]
    line.ask("a")
    assert len(sent) == 2


def test_who_was_not_asked_is_not_believed():
    noted = []
    line = ClockLine(lambda _: None, lambda *times: noted.append(times))
    line.answered({"client": "b", "asked_s": 1.0, "received_s": 1.0, "answered_s": 1.0, "arrived_s": 1.0})
    assert noted == []


def test_chunks_keep_their_times_on_the_way():
    line, _, chunks, _ = mic()
    line.open("a", 1)
    times = {"ends_s": [5.0, 5.04], "sent_s": [5.01, 5.05], "arrived_s": 2.0}
    line.receive(*batch(0, b"aaaa", b"bb", **times))
    line.receive(*batch(2, b"cc"))
    assert chunks == [b"aaaa", b"bb", b"cc"]
    assert [vars(chunk) for chunk in chunks[:2]] == [
        {"recorded_s": 5.0, "sent_s": 5.01, "arrived_s": 2.0},
        {"recorded_s": 5.04, "sent_s": 5.05, "arrived_s": 2.0},
    ]
    assert type(chunks[2]) is bytes
