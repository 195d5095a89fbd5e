from __future__ import annotations

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from rt_notebook import ConfigError, ServerVad, vad
from rt_notebook.plot import plane, whatif
from rt_notebook.plot import vad as plot_vad
from rt_notebook.vad.recorded.whatif import ChangedTurn, HeardTurn, WhatIf, frame_of

TRACE = vad.Trace(np.array([0] * 20 + [0.9] * 20 + [0.1] * 12 + [0.9] * 20 + [0] * 40, np.float32))


def spans(ax, label):
    """Begin and end of what carries this label, in seconds."""
    found = next((c for c in ax.collections if c.get_label() == label), None)
    if found is None:
        return []
    boxes = [path.get_extents() for path in found.get_paths()]
    return [(round(box.x0, 3), round(box.x1, 3)) for box in boxes]


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_turns_lie_where_simulate_puts_them():
    ax = plot_vad(TRACE, ServerVad(silence_duration_ms=320))
    assert spans(ax, "speech") == [(0.64, 1.28), (1.664, 2.304)]
    # The first turn ends 320 ms later, and the padding does not reach back beyond that.
    assert spans(ax, "silence wait") == [(1.28, 1.6), (2.304, 2.624)]
    assert spans(ax, "prefix padding") == [(0.34, 0.64), (1.6, 1.664)]
    assert ax.get_xlabel() == "time (s)"
    assert legend(ax) == [
        "prefix padding",
        "speech",
        "silence wait",
        "decision",
        "threshold",
        "exit threshold",
    ]


def test_both_thresholds_are_drawn():
    ax = plot_vad(TRACE, ServerVad(threshold=0.7), exit_threshold=0.2)
    levels = {line.get_label(): line.get_ydata()[0] for line in ax.lines if "threshold" in line.get_label()}
    assert levels == {"threshold": 0.7, "exit threshold": 0.2}


def test_audio_labels_and_recorded_turns_get_places_of_their_own():
    tone = np.sin(np.arange(24_000 * 3) / 20).astype(np.float32)
    recorded = vad.simulate(TRACE, ServerVad(silence_duration_ms=600))
    ax = plot_vad(TRACE, audio=tone, labels=[(0.6, 2.3)], recorded=recorded)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["0", "0.5", "1", "audio", "server"]
    assert spans(ax, "labelled") == [(0.6, 2.3)]
    assert ax.get_ylim()[0] < -0.2


def test_a_part_and_an_hour_can_be_drawn():
    hour = vad.Trace(np.tile(TRACE.probabilities, 1000))
    ax = plot_vad(hour, start_s=5, end_s=15)
    assert ax.get_xlim() == (5, 15)
    whole = plot_vad(hour, audio=bytes(2 * 24_000 * 600))
    assert max(len(path.vertices) for c in whole.collections for path in c.get_paths()) < 5000


def test_they_draw_into_the_axes_that_they_are_given():
    figure = Figure()
    axes = figure.subplots(3)
    swept = vad.sweep([TRACE])
    assert plot_vad(TRACE, ax=axes[0]) is axes[0]
    assert plane(swept, ax=axes[1]) is axes[1]
    assert whatif(found(), ax=axes[2]) is axes[2]
    assert plt.get_fignums() == []


def test_nothing_is_said_in_words():
    assert "nothing to listen to" in plot_vad([]).texts[0].get_text()
    empty = WhatIf(frame_of(HeardTurn, []), frame_of(HeardTurn, []), frame_of(ChangedTurn, []), None)
    assert "no turns" in whatif(empty).texts[0].get_text()


def test_the_plane_shows_the_metric_at_its_place():
    swept = vad.sweep(
        [TRACE], labels=[[(0.64, 2.3)]], threshold=[0.3, 0.5, 0.95], silence_duration_ms=[200, 800]
    )
    ax = plane(swept, "false_cutoff_rate", vad=ServerVad(silence_duration_ms=200))
    (mesh,) = [c for c in ax.collections if hasattr(c, "get_array") and c.get_array() is not None]
    wanted = swept.metric("false_cutoff_rate")
    assert np.array_equal(np.asarray(mesh.get_array()).reshape(wanted.shape), wanted)
    assert wanted.max() == 1
    assert [line.get_xydata().tolist() for line in ax.lines] == [[[200, 0.5]]] * 2
    assert plane(swept).figure.axes[-1].get_ylabel() == "cost"
    assert plane(vad.sweep([TRACE])).figure.axes[-1].get_ylabel() == "turns_per_min"
    with pytest.raises(ConfigError, match="no metric"):
        plane(swept, "beauty")


def found():
    """A turn that was recorded whole and would be cut in two; one that would vanish."""

    def turn(start_ms, end_ms, **kw):
        return HeardTurn(
            start_ms, end_ms, start_ms - 300, end_ms and end_ms + 500, None, None, kw.get("cuts", False)
        )

    changes = [ChangedTurn("split", "0", "0 1", 700, 4500), ChangedTurn("vanished", "1", "", 5700, None)]
    return WhatIf(
        frame_of(HeardTurn, [turn(1000, 4000), turn(6000, None)]),
        frame_of(HeardTurn, [turn(1000, 2000), turn(2600, 4000, cuts=True)]),
        frame_of(ChangedTurn, changes),
        0.7,
    )


def test_recorded_stands_above_and_what_would_be_below():
    ax = whatif(found())
    assert [label.get_text() for label in ax.get_yticklabels()] == ["would be", "recorded"]
    assert [text.get_text() for text in ax.texts] == ["split", "vanished"]
    assert spans(ax, "speech") == [(1.0, 2.0), (2.6, 4.0)]
    assert [line.get_xdata()[0] for line in ax.lines if line.get_linestyle() == "--"] == [0.7]
    marks = [line.get_xdata().tolist() for line in ax.lines if line.get_marker() == "v"]
    assert marks == [[], [2.3]]


def test_words_of_changes_do_not_overlap():
    ax = whatif(found(), start_s=0, end_s=400)
    ax.figure.canvas.draw()
    boxes = [text.get_window_extent() for text in ax.texts]
    assert [(a, b) for i, a in enumerate(boxes) for b in boxes[i + 1 :] if a.overlaps(b)] == []
