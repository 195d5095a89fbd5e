"""The recorder: two of them at one place, a folder that is not its own, and events that cannot be written."""

from __future__ import annotations

import pytest
from bundles import scripted_events, with_audio, write

from rt_notebook.core.events import Event
from rt_notebook.errors import BundleError
from rt_notebook.io.bundle.manifest import Manifest
from rt_notebook.io.bundle.part import part_of, remove_part
from rt_notebook.io.bundle.recording import load
from rt_notebook.io.bundle.writer import Recorder
from rt_notebook.io.secrets.scrub import Scrubber

EVENTS = scripted_events()


class Recorded:
    """A recording that runs."""

    def __init__(self, target, *, overwrite=True):
        self.problems = []
        self.recorder = Recorder(
            target,
            Manifest(purpose="a test"),
            Scrubber(),
            keep_audio=True,
            overwrite=overwrite,
            on_problem=self.problems.append,
        )
        self.recorder.begin([], 0.0)

    def take(self, events):
        for event, audio in with_audio(events):
            self.recorder(event, audio)

    def stop(self):
        self.recorder.stop()
        return load(self.recorder.finished.result(30))


def test_a_second_recording_ends_the_first_and_is_whole(tmp_path):
    target = tmp_path / "a.rtlog"
    first = Recorded(target)
    first.take(EVENTS[:5])
    second = Recorded(target)
    assert list(load(target).log) == EVENTS[:5], "the first is packed until the second replaces it"
    second.take(EVENTS[5:])
    first.take(EVENTS[:2])
    assert list(first.stop().log) == EVENTS[:5]
    assert list(second.stop().log) == EVENTS[5:]
    assert [path.name for path in tmp_path.iterdir()] == ["a.rtlog"]
    assert second.problems == []
    (told,) = first.problems
    assert "another session" in told


def test_a_place_that_is_recorded_to_is_refused_in_words(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path)
    first = Recorded(tmp_path / "a.rtlog", overwrite=False)
    first.take(EVENTS)
    for same in (tmp_path / "a.rtlog", tmp_path / "link" / "a.rtlog"):
        with pytest.raises(BundleError, match="recorded by another session") as caught:
            Recorded(same, overwrite=False)
        assert "overwrite=True" in caught.value.remedy
    assert list(first.stop().log) == EVENTS
    assert first.problems == []


def test_one_that_cannot_be_packed_is_not_taken_away(tmp_path):
    target = tmp_path / "a.rtlog"
    first = Recorded(target, overwrite=False)
    first.take(EVENTS)
    target.write_text("somebody else's")
    with pytest.raises(BundleError, match="there already") as caught:
        Recorded(target)
    assert "'a.rtlog.part'" in caught.value.remedy
    assert list(load(part_of(target)).log) == EVENTS
    assert target.read_text() == "somebody else's"
    second = Recorded(target)
    second.take(EVENTS[:3])
    assert list(second.stop().log) == EVENTS[:3], "asked again, it replaces what is there"


def test_a_folder_that_was_replaced_is_left_alone(tmp_path):
    """Another process does not ask: it replaces the folder."""
    target, part = tmp_path / "a.rtlog", part_of(tmp_path / "a.rtlog")
    recorded = Recorded(target)
    recorded.take(EVENTS)
    remove_part(part)
    part.mkdir()
    for name in ("manifest.json", "events.jsonl", "user.pcm"):
        (part / name).write_text("another's")
    recorded.recorder.stop()
    with pytest.raises(BundleError, match="deleted or replaced") as caught:
        recorded.recorder.finished.result(30)
    assert "name of its own" in caught.value.remedy
    assert "rt_notebook.load" not in recorded.problems[0]
    assert sorted(path.name for path in part.iterdir()) == ["events.jsonl", "manifest.json", "user.pcm"]
    assert not target.exists()


@pytest.mark.parametrize("where", ["past", "present"])
def test_an_event_that_is_nested_without_end_is_left_out_and_the_rest_stays(tmp_path, where):
    circle = {}
    circle["itself"] = circle
    deep = []
    for _ in range(700):
        deep = [deep]
    odd = [Event(9.0, "local", "local.mine", {"type": "local.mine", "x": x}) for x in (circle, {"x": deep})]
    past, present = (odd, []) if where == "past" else ([], odd)
    recording = load(write(tmp_path / "a.rtlog", with_audio([*present, *EVENTS]), past=past))
    left_out = {"type": "local.mine", "left_out": "RecursionError"}
    assert [event.data for event in recording.log][:2] == [left_out, left_out]
    assert list(recording.log)[2:] == EVENTS


@pytest.mark.parametrize("where", ["past", "present"])
def test_a_note_whose_names_are_no_text_does_not_end_the_recording(tmp_path, where):
    note = Event(9.0, "local", "local.mine", {"type": "local.mine", "by_number": {1: 0.5, (1, 2): "x"}})
    past, present = ([note], []) if where == "past" else ([], [note])
    recording = load(write(tmp_path / "a.rtlog", with_audio([*present, *EVENTS]), past=past))
    assert recording.log[0].type == "local.mine"
    assert list(recording.log)[1:] == EVENTS
