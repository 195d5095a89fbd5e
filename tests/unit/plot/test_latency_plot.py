from __future__ import annotations

import itertools

import pytest
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from planted_log import Plan
from scripted_log import Script, conversation

from rt_notebook.log.event_log import EventLog
from rt_notebook.log.latency import PARTS
from rt_notebook.plot import latency


def totals(ax) -> dict[str, str]:
    return {
        text.get_text(): text.get_fontweight()
        for text in ax.texts
        if text.get_text().endswith(("ms", "answer"))
    }


def test_the_pieces_are_the_parts_and_end_at_the_total() -> None:
    log = conversation()
    ax, table = latency(log), log.latency()
    assert len(ax.containers) == sum(table[part].notna().any() for part in PARTS)
    present = [part for part in PARTS if table[part].notna().any()]
    for row in range(len(table)):
        pieces = [bars[row] for bars in ax.containers]
        assert [bar.get_width() for bar in pieces] == list(table.loc[row, present].fillna(0.0))
        ends = [bar.get_x() + bar.get_width() for bar in pieces]
        assert max(ends) == table.loc[row, "total_ms"]
        for left, right in itertools.pairwise(pieces):
            assert right.get_x() == left.get_x() + left.get_width()


def test_the_totals_stand_at_the_ends_and_the_slowest_is_bold() -> None:
    assert totals(latency(conversation())) == {"960 ms": "normal", "1080 ms": "bold", "400 ms": "normal"}


def test_the_first_turn_is_on_top() -> None:
    ax = latency(conversation())
    ax.figure.canvas.draw()
    heights = [ax.transData.transform((0, tick))[1] for tick in ax.get_yticks()]
    assert heights == sorted(heights, reverse=True)
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels == ["turn 1 (spoken)", "turn 2 (spoken)", "turn 3 (typed)"]


def test_milliseconds_stand_in_the_pieces_that_have_room() -> None:
    ax = latency(conversation())
    ax.figure.canvas.draw()
    inside = [text for text in ax.texts if text.get_text().isdigit()]
    assert "5" not in {text.get_text() for text in inside}
    assert {"500", "300", "420", "250"} <= {text.get_text() for text in inside}
    boxes = [text.get_window_extent() for text in ax.texts]
    assert not [1 for i, a in enumerate(boxes) for b in boxes[i + 1 :] if a.overlaps(b)]
    assert all(box.x1 <= 900 for box in boxes)


def test_a_turn_without_an_answer_says_so() -> None:
    script = Script()
    script.say("Hello?", 1.0, 2.0)
    assert totals(latency(script.log())) == {"no answer": "normal"}


def test_it_grows_with_the_number_of_turns() -> None:
    script = Script()
    for i in range(20):
        script.type(f"Message {i}.", 1.0 + 3 * i)
        script.answer("Yes.", 1.1 + 3 * i, 0.5)
    ax = latency(script.log(microphone=False))
    ax.figure.canvas.draw()
    assert len(ax.get_yticks()) == 20
    labels = [label.get_window_extent() for label in ax.get_yticklabels()]
    assert not any(a.overlaps(b) for a, b in itertools.pairwise(labels))


def test_it_draws_into_the_axes_that_it_is_given() -> None:
    figure = Figure()
    ax = figure.subplots()
    assert latency(conversation(), ax=ax) is ax
    assert plt.get_fignums() == []


@pytest.mark.parametrize("log", [EventLog(), Script().log()])
def test_an_empty_log_says_so_in_words(log) -> None:
    ax = latency(log)
    assert "no latency to show" in ax.texts[0].get_text()


def test_when_there_are_too_many_bars_to_label_the_slowest_stands_there() -> None:
    script = Script()
    for i in range(200):
        script.type(f"Message {i}.", 1.0 + 3 * i)
        script.answer("Yes.", 1.1 + 3 * i, 0.5, first_audio_s=0.9 if i == 120 else 0.3, speaker=False)
    ax = latency(script.log(microphone=False), by="turn")
    assert totals(ax) == {"1000 ms": "bold"}
    assert len(ax.get_yticks()) <= 15
    assert ax.figure.get_size_inches()[1] <= 10


def many_turns() -> EventLog:
    script = Script()
    for i in range(60):
        script.type(f"Message {i}.", 1.0 + 3 * i)
        script.answer("Yes.", 1.1 + 3 * i, 0.5, first_audio_s=0.3 + 0.005 * (i % 20), speaker=False)
    return script.log(microphone=False)


def test_over_many_turns_each_part_has_its_median_and_its_95th_percentile() -> None:
    log = many_turns()
    ax, table = latency(log), log.latency()
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert names == ["commit", "response created", "first audio", "total"]
    for name, column in zip(names, ["commit_ms", "response_ms", "first_audio_ms", "total_ms"], strict=True):
        median, p95 = table[column].median(), table[column].quantile(0.95)
        words = [text for text in ax.texts if text.xy[1] == names.index(name)]
        assert [text.get_text() for text in words] == [f"median {median:.0f}, p95 {p95:.0f} ms"]
    ax.figure.canvas.draw()
    boxes = [text.get_window_extent() for text in ax.texts]
    assert not [1 for i, a in enumerate(boxes) for b in boxes[i + 1 :] if a.overlaps(b)]
    assert all(box.x1 <= 900 for box in boxes)


def test_every_turn_is_a_dot_of_its_part() -> None:
    log = conversation()
    ax, table = latency(log, by="part"), log.latency()
    dots = [line for line in ax.lines if line.get_marker() == "."]
    present = [part for part in (*PARTS, "total_ms") if table[part].notna().any()]
    assert [sorted(line.get_xdata()) for line in dots] == [sorted(table[part].dropna()) for part in present]


def test_the_waterfall_of_a_page_has_all_its_parts() -> None:
    log = Plan(turns=3).log()
    ax, table = latency(log), log.latency()
    assert len(ax.containers) == len(PARTS) - 1  # there is audio: no part for the first text
    ends = [max(bars[row].get_x() + bars[row].get_width() for bars in ax.containers) for row in range(3)]
    assert ends == list(table["total_ms"])
    ax.figure.canvas.draw()
    assert ax.get_legend().get_window_extent().x1 <= 900
