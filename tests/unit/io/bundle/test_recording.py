"""Recordings with something odd in them or beside them."""

from __future__ import annotations

from bundles import scripted_events, with_audio, write

from rt_notebook.core.events import Event
from rt_notebook.io.bundle.lines import encode_line
from rt_notebook.io.bundle.manifest import Manifest
from rt_notebook.io.bundle.part import part_of
from rt_notebook.io.bundle.recording import load


def test_ids_of_any_shape_do_not_keep_a_bundle_from_opening(tmp_path):
    ids = [["odd"], {"odd": 1}, None, "sess_1"]
    created = [Event(0.0, "received", "session.created", {"session": {"id": id_}}) for id_ in ids]
    recording = load(write(tmp_path / "a.rtlog", with_audio(created)))
    assert list(recording.log) == created
    assert recording.index.connections == [0]


def test_purge_of_what_was_left_over_leaves_the_bundle_beside_it(tmp_path):
    events = scripted_events()
    bundle = write(tmp_path / "demo.rtlog", with_audio(events))
    part = part_of(bundle)
    part.mkdir()
    (part / "manifest.json").write_bytes(Manifest().encode())
    (part / "events.jsonl").write_bytes(encode_line(events[0]))
    left_over = load(part)
    assert left_over.recovered
    left_over.purge()
    assert list(tmp_path.iterdir()) == [bundle]
    assert list(load(bundle).log) == events
