from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib import colors
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from scripted_log import Script, conversation

from rt_notebook.log.event_log import EventLog
from rt_notebook.plot import timeline
from rt_notebook.plot._axes import ASSISTANT, USER
from rt_notebook.plot._timeline import ASSISTANT_Y, SOUND_HEIGHT, USER_Y


def legend(ax) -> set[str]:
    return {text.get_text() for text in ax.get_legend().get_texts()}


def words(ax) -> list[str]:
    return [text.get_text() for text in ax.texts if text.get_text()]


def pixel(ax, t_s: float, y: float) -> np.ndarray:
    """The colour at a place of the picture, as floats in [0, 1]."""
    ax.figure.canvas.draw()
    picture = np.asarray(ax.figure.canvas.buffer_rgba())
    column, row = ax.transData.transform((t_s, y))
    return picture[picture.shape[0] - 1 - round(row), round(column), :3] / 255


def distance(pixel, color: str) -> float:
    return float(np.abs(pixel - colors.to_rgb(color)).max())


def test_it_is_a_figure_of_900_by_300_pixels_with_three_lanes() -> None:
    ax = timeline(conversation())
    assert tuple(ax.figure.get_size_inches() * ax.figure.dpi) == (900, 300)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["You", "VAD", "Assistant"]
    assert ax.get_xlabel() == "session time (s)"


def test_it_draws_into_the_axes_that_it_is_given() -> None:
    figure = Figure()
    ax = figure.subplots()
    assert timeline(conversation(), ax=ax) is ax
    assert figure.axes == [ax]
    assert plt.get_fignums() == []


def test_a_session_will_do_for_its_log() -> None:
    log = conversation()
    assert words(timeline(SimpleNamespace(log=log))) == words(timeline(log))


def test_played_is_solid_and_what_was_not_heard_is_light() -> None:
    ax = timeline(conversation())
    middle = ASSISTANT_Y + SOUND_HEIGHT / 2
    assert distance(pixel(ax, 5.0, middle), ASSISTANT) < 0.1
    unheard = pixel(ax, 7.0, middle)
    assert distance(unheard, ASSISTANT) > 0.1
    assert distance(unheard, "white") > 0.1
    assert distance(pixel(ax, 8.2, middle), "white") < 0.01


def test_speech_is_solid_and_lies_where_it_was() -> None:
    ax = timeline(conversation())
    middle = USER_Y + SOUND_HEIGHT / 2
    assert distance(pixel(ax, 2.0, middle), USER) < 0.1
    assert distance(pixel(ax, 4.5, middle + 0.2), "white") < 0.01


def test_the_cut_is_marked_where_the_speaker_stopped() -> None:
    ax = timeline(conversation())
    cuts = [line for line in ax.lines if line.get_label() == "interrupted"]
    assert [line.get_xdata()[0] for line in cuts] == [pytest.approx(6.46)]


def test_the_legend_names_what_is_there_and_nothing_else() -> None:
    everything = {
        "speech",
        "typed",
        "prefix padding",
        "silence wait",
        "speech_started",
        "speech_stopped",
        "committed",
        "interrupted",
        "played",
        "received, not heard",
    }
    assert legend(timeline(conversation())) == everything
    script = Script()
    script.type("Hello.", 1.0)
    script.answer("Hello.", 1.1, 1.0)
    assert legend(timeline(script.log(microphone=False))) == {"typed", "played"}


def test_without_a_speaker_nothing_is_drawn_as_played() -> None:
    script = Script()
    script.say("Hello.", 1.0, 2.0)
    script.answer("Hello to you.", 2.6, 2.0, speaker=False)
    labels = legend(timeline(script.log()))
    assert "received, not heard" in labels
    assert "played" not in labels


def test_words_do_not_overlap_and_stay_inside() -> None:
    script = Script(silence_ms=300)
    t_s = 1.0
    for i in range(12):
        script.say(f"Question number {i}, which is a rather long sentence?", t_s, t_s + 1.5)
        script.answer("An answer that goes on for a while, as answers do.", t_s + 1.9, 3.0)
        t_s += 6.0 + i % 3
    for log in (conversation(), script.log()):
        ax = timeline(log)
        ax.figure.canvas.draw()
        boxes = [text.get_window_extent() for text in ax.texts if text.get_text()]
        assert len(boxes) >= 6
        assert all(box.x1 <= 900 and box.y1 <= 300 for box in boxes)
        overlapping = [(a, b) for i, a in enumerate(boxes) for b in boxes[i + 1 :] if a.overlaps(b)]
        assert overlapping == []


def test_the_legend_stands_outside_the_data() -> None:
    ax = timeline(conversation())
    ax.figure.canvas.draw()
    box, axes = ax.get_legend().get_window_extent(), ax.get_window_extent()
    assert box.y0 >= axes.y1 - 1
    assert box.x1 <= 900


def test_it_reads_on_a_dark_ground() -> None:
    with plt.style.context("dark_background"):
        ax = timeline(conversation())
        cut = next(line for line in ax.lines if line.get_label() == "interrupted")
        assert {text.get_color() for text in ax.texts} == {"white"}
        assert cut.get_color() == "white"


@pytest.mark.parametrize("log", [EventLog(), Script().log(microphone=False)])
def test_an_empty_log_says_so_in_words(log) -> None:
    ax = timeline(log)
    assert "Nothing was said yet" in " ".join(words(ax))
    assert not ax.axison


def test_a_part_of_the_session_can_be_shown() -> None:
    ax = timeline(conversation(), start_s=6.0, end_s=13.0)
    assert ax.get_xlim() == (6.0, 13.0)
    assert {"And tomorrow?", "Thanks!"} <= set(words(ax))
    assert not [text for text in words(ax) if "Lisbon" in text]
