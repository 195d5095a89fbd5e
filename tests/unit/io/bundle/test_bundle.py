"""Bundles: what goes in comes out, again and again, and nobody else's eyes see it."""

from __future__ import annotations

import gzip
import json
import os
import stat
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path

import numpy as np
import pytest
from bundles import WORDS, scripted_events, with_audio, write
from hypothesis import given, settings
from hypothesis import strategies as st
from planted_log import Plan

import rt_notebook
from rt_notebook.core.events import Event
from rt_notebook.core.scrub import scrubbed
from rt_notebook.errors import BundleError, ConfigError
from rt_notebook.io.bundle.lines import decode_line, encode_line
from rt_notebook.io.bundle.manifest import Manifest
from rt_notebook.io.bundle.part import part_of
from rt_notebook.io.bundle.recording import load
from rt_notebook.io.bundle.redact import redacted
from rt_notebook.io.secrets.scrub import Scrubber
from rt_notebook.io.secrets.secret import Secret
from rt_notebook.log.segments import fold_segments

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
plain = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts | st.floats(-1e300, 1e300)
json_values = st.recursive(
    plain,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
any_events = st.builds(
    Event,
    t_s=st.floats(0, 1e6),
    direction=st.sampled_from(["sent", "received", "local"]),
    type=texts,
    data=st.dictionaries(texts, json_values, max_size=4),
    audio_samples=st.just(0) | st.integers(1, 3000),
    level_dbfs=st.none() | st.floats(-100, 0),
)


@pytest.fixture
def events():
    return scripted_events()


@pytest.fixture
def bundle(tmp_path, events):
    return write(tmp_path / "demo.rtlog", with_audio(events))


def test_everything_comes_back(bundle, events):
    recording = load(bundle)
    assert list(recording.log) == events
    assert fold_segments(recording.log) == fold_segments(events)
    pairs = with_audio(events)
    for track, direction in ((recording.user_audio, "sent"), (recording.assistant_audio, "received")):
        exact = b"".join(pcm for event, pcm in pairs if event.direction == direction)
        assert track.pcm() == exact
        assert len(track) * 2 == len(exact) > 24_000
        assert np.array_equal(np.asarray(track), np.frombuffer(exact, "<i2") / np.float32(32768))
        assert track[-1] == np.asarray(track)[-1]
        assert np.array_equal(track[1000:2000], np.asarray(track)[1000:2000])
        assert np.array_equal(track[::7], np.asarray(track)[::7])
    assert recording.manifest.purpose == "a test"
    assert recording.manifest.events == len(events)
    assert not recording.recovered


def test_any_zip_tool_opens_it(bundle, events):
    with zipfile.ZipFile(bundle) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["assistant.flac", "events.jsonl.gz", "manifest.json", "user.flac"]
        lines = gzip.decompress(archive.read("events.jsonl.gz")).splitlines()
        manifest = json.loads(archive.read("manifest.json"))
    assert [json.loads(line)["type"] for line in lines] == [event.type for event in events]
    assert manifest["format"] == "rtlog"


def test_the_track_is_cut_by_item(bundle, events):
    recording = load(bundle)
    turn = recording.log.fold_turns()[0]
    item_id = turn.assistant_item_id
    pieces = (pcm for event, pcm in with_audio(events) if event.item_id == item_id)
    whole = np.frombuffer(b"".join(pieces), "<i2") / np.float32(32768)
    assert np.array_equal(recording.item_audio(turn.assistant_item_id), whole)
    cut = recording.log.fold_turns()[1]
    heard = recording.item_audio(cut.assistant_item_id, heard=True)
    assert heard.size == round(cut.heard_ms * 24) < recording.item_audio(cut.assistant_item_id).size
    asked = recording.item_audio(turn.user_item_id)
    started = next(e for e in events if e.type == "input_audio_buffer.speech_started")
    stopped = next(e for e in events if e.type == "input_audio_buffer.speech_stopped")
    start, stop = started.data["audio_start_ms"] * 24, stopped.data["audio_end_ms"] * 24
    assert np.array_equal(asked, recording.user_audio[start:stop])
    assert asked.size > 24_000
    assert recording.item_audio("nobody").size == 0


def test_positions_count_from_their_own_connection(tmp_path):
    def created(number):
        data = {"type": "session.created", "session": {"id": str(number)}}
        return Event(0.0, "received", "session.created", data)

    def chunk():
        type_ = "input_audio_buffer.append"
        return Event(0.0, "sent", type_, {"type": type_}, 24_000, -20.0)

    def vad(name, item, key, ms):
        type_ = f"input_audio_buffer.{name}"
        return Event(0.0, "received", type_, {"type": type_, "item_id": item, key: ms})

    second = [created(2), chunk(), vad("speech_started", "b", "audio_start_ms", 250), chunk()]
    events = [created(1), chunk(), chunk(), *second, vad("speech_stopped", "b", "audio_end_ms", 1500)]
    recording = load(write(tmp_path / "a.rtlog", with_audio(events)))
    assert recording.index.user_items == {"b": (48_000 + 6000, 48_000 + 36_000)}


def test_save_load_save_gives_the_same_bytes(bundle, tmp_path):
    recording = load(bundle)
    again = recording.save(tmp_path / "again.rtlog")
    assert again.read_bytes() == bundle.read_bytes()
    redacted = recording.redact().save(tmp_path / "redacted.rtlog")
    assert load(redacted).save(tmp_path / "redacted2.rtlog").read_bytes() == redacted.read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == {
        "demo.rtlog", "again.rtlog", "redacted.rtlog", "redacted2.rtlog",
    }  # fmt: skip


@settings(max_examples=40)  # each waits three times for the disk
@given(events=st.lists(any_events, max_size=12))
def test_any_events_survive_and_pack_the_same_twice(tmp_path_factory, events):
    folder = tmp_path_factory.mktemp("bundles")
    first = write(folder / "a.rtlog", with_audio(events))
    recording = load(first)
    assert [repr(event) for event in recording.log] == [repr(scrubbed(event)) for event in events]
    assert recording.save(folder / "b.rtlog").read_bytes() == first.read_bytes()
    # Packed anew from what was read, not copied:
    recording._layout = {}
    assert recording.save(folder / "c.rtlog").read_bytes() == first.read_bytes()


@given(event=any_events)
def test_a_line_is_one_line_and_reads_back(event):
    line = encode_line(event)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert repr(decode_line(line[:-1])) == repr(event)


def test_what_json_does_not_have_is_written_as_something_plain(tmp_path):
    data = {"type": "local.note", "number": np.float32(1.5), "path": Path("x"), "array": np.arange(3)}
    recording = load(write(tmp_path / "a.rtlog", [(Event(0.0, "local", "local.note", data), b"")]))
    assert recording.log[0].data["number"] == 1.5
    assert recording.log[0].data["path"] == "x"


def test_without_audio_lengths_and_levels_stay(tmp_path, events):
    recording = load(write(tmp_path / "a.rtlog", with_audio(events), keep_audio=False))
    assert list(recording.log) == events
    assert len(recording.user_audio) == len(recording.assistant_audio) == 0
    assert recording.manifest.samples == {}
    assert "flac" not in str(zipfile.ZipFile(tmp_path / "a.rtlog").namelist())


def test_of_what_was_before_only_structure_is_kept(tmp_path, events):
    half = len(events) // 2
    past, present = events[:half], with_audio(events)[half:]
    path = write(tmp_path / "a.rtlog", present, past=past)
    recording = load(path)
    assert [(e.t_s, e.type, e.item_id) for e in recording.log] == [(e.t_s, e.type, e.item_id) for e in events]
    assert list(recording.log)[half:] == events[half:]
    raw = gzip.decompress(zipfile.ZipFile(path).read("events.jsonl.gz"))
    spoken = {event.text for event in past if event.text and len(event.text) > 9}
    assert spoken
    assert not [text for text in spoken if text.encode() in raw]
    blank = sum(event.audio_samples for event in past if event.direction == "sent")
    assert blank > 0
    assert not np.asarray(recording.user_audio[:blank]).any()
    assert np.asarray(recording.user_audio[blank:]).any()
    assert len(recording.user_audio) == sum(e.audio_samples for e in events if e.direction == "sent")


# -- redact and purge ---------------------------------------------------------------------------------


def test_redaction_keeps_times_and_structure_and_no_word(tmp_path, events):
    canary = "SONGBIRD"
    secret_places = {
        "instructions": canary, "tools": [{"type": "function", "name": canary, "parameters": {canary: 1}}],
        "metadata": {canary: canary}, "logprobs": [{"token": canary, "bytes": list(canary.encode())}],
        "unheard_of": {canary + " x": [canary, {"deep": canary}]}, "id": f"{canary} with a blank",
    }  # fmt: skip
    data = {"type": "session.updated", "session": secret_places}
    events.append(Event(20.0, "received", "session.updated", data))
    events.append(Event(20.1, "local", "local.error", {"type": "local.error", "message": canary}))
    recording = load(write(tmp_path / "a.rtlog", with_audio(events)))
    redacted = recording.redact()
    saved = redacted.save(tmp_path / "b.rtlog")
    kept = load(saved)
    assert kept.manifest.redacted
    for one in (redacted, kept):
        assert len(one.user_audio) == len(one.assistant_audio) == 0
        for after, before in zip(one.log, events, strict=True):
            assert (after.t_s, after.direction, after.type) == (before.t_s, before.direction, before.type)
            assert (after.item_id, after.response_id) == (before.item_id, before.response_id)
            assert (after.audio_samples, after.level_dbfs) == (before.audio_samples, before.level_dbfs)
            assert len(after.text or "") == len(before.text or "")
    raw = gzip.decompress(zipfile.ZipFile(saved).read("events.jsonl.gz"))
    for word in (canary, *WORDS, *" ".join(WORDS).split(), str(list(canary.encode()))[1:-1].replace(" ", "")):
        if len(word) > 3:
            assert word.encode() not in raw
    texts = ["user", "assistant"]
    before, after = recording.log.turns(), redacted.log.turns()
    assert after.drop(columns=texts).equals(before.drop(columns=texts))
    assert after[texts].map(len, na_action="ignore").equals(before[texts].map(len, na_action="ignore"))
    assert redacted.log.latency().equals(recording.log.latency())
    assert list(recording.log) == events  # what was loaded is not changed


@pytest.mark.parametrize("plan", [{}, {"offset_s": 3.0, "turns": 3}, {"page": False}])
def test_latencies_are_the_same_after_redaction(plan):
    log = Plan(**plan).log()
    after = rt_notebook.EventLog(redacted(log))
    assert after.latency().equals(log.latency())
    assert fold_segments(after).spans == fold_segments(log).spans


def test_purge_deletes_the_bundle_and_what_was_left_and_nothing_else(bundle, tmp_path):
    part = part_of(bundle)
    part.mkdir()
    for name in ("events.jsonl", "user.pcm", "mine.txt"):
        (part / name).write_text("x")
    other = tmp_path / "other.rtlog"
    other.write_text("x")
    (part / "mine.txt").unlink()
    recording = load(bundle)
    recording.purge()
    assert list(tmp_path.iterdir()) == [other]
    with pytest.raises(BundleError):
        recording.user_audio.pcm()
    assert recording.log.fold_turns()
    with pytest.raises(BundleError, match="memory only"):
        recording.redact().purge()


# -- keys ---------------------------------------------------------------------------------------------

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"


@pytest.mark.parametrize("key", ["canary-key-4711", "sk-proj-" + "aB3" * 10, "ek_" + "abc123" * 5, JWT])
def test_a_key_in_a_text_is_blotted_out(tmp_path, key):
    data = {"type": "error", "error": {"message": f"Incorrect key {key} given", "param": None}}
    event = Event(0.0, "received", "error", data)
    path = write(tmp_path / "a.rtlog", [(event, b"")], scrubber=Scrubber([Secret("canary-key-4711")]))
    assert key.encode() not in gzip.decompress(zipfile.ZipFile(path).read("events.jsonl.gz"))
    recording = load(path)
    assert recording.manifest.masked == 1
    assert recording.log[0].text == "Incorrect key *** given"


# -- whose eyes -----------------------------------------------------------------------------------------


def test_files_are_their_owners_alone(tmp_path, events):
    seen = set()

    def watching():
        for event, pcm in with_audio(events):
            part = part_of(tmp_path / "a.rtlog")
            seen.add((part.name, stat.S_IMODE(part.stat().st_mode)))
            seen.update((file.name, stat.S_IMODE(file.stat().st_mode)) for file in part.iterdir())
            yield event, pcm

    before = os.umask(0)
    try:
        bundle = write(tmp_path / "a.rtlog", watching())
        load(bundle).save(tmp_path / "b.rtlog")
    finally:
        os.umask(before)
    assert ("a.rtlog.part", 0o700) in seen
    assert {mode for name, mode in seen if not name.endswith(".part")} == {0o600}
    assert {name for name, _ in seen} >= {"events.jsonl", "user.pcm", "assistant.pcm", "manifest.json"}
    assert {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()} == {0o600}


@pytest.mark.parametrize("planted", ["a.rtlog", "a.rtlog.part"])
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_planted_link_is_never_followed(tmp_path, events, planted, overwrite):
    victim = tmp_path / "victim"
    if planted.endswith(".part"):
        victim.mkdir()
        (victim / "events.jsonl").write_text("precious")
    else:
        victim.write_text("precious")
    (tmp_path / planted).symlink_to(victim)
    if overwrite:
        write(tmp_path / "a.rtlog", with_audio(events), overwrite=True)
        assert not (tmp_path / "a.rtlog").is_symlink()
        assert list(load(tmp_path / "a.rtlog").log) == events
    else:
        with pytest.raises(BundleError, match="there already"):
            write(tmp_path / "a.rtlog", with_audio(events))
    precious = victim / "events.jsonl" if victim.is_dir() else victim
    assert precious.read_text() == "precious"


def test_links_pipes_and_folders_are_not_opened(bundle, tmp_path):
    (tmp_path / "link.rtlog").symlink_to(bundle)
    os.mkfifo(tmp_path / "pipe.rtlog")
    (tmp_path / "folder.rtlog").mkdir()
    (tmp_path / "part.rtlog.part").symlink_to(tmp_path)
    for name in ("link.rtlog", "pipe.rtlog", "folder.rtlog", "none.rtlog", "part.rtlog", "part.rtlog.part"):
        with pytest.raises(BundleError):
            load(tmp_path / name)


def test_what_is_there_is_not_replaced_unless_asked(bundle, events):
    before = bundle.read_bytes()
    with pytest.raises(BundleError, match="there already"):
        write(bundle, with_audio(events[:3]))
    with pytest.raises(BundleError, match="there already"):
        load(bundle).save(bundle)
    assert bundle.read_bytes() == before
    write(bundle, with_audio(events[:3]), overwrite=True)
    assert len(load(bundle).log) == 3


@given(name=st.text())
def test_any_text_as_a_path_is_refused_in_words_and_makes_nothing(tmp_path_factory, name):
    folder = tmp_path_factory.mktemp("paths")
    before = sorted(folder.iterdir())
    with pytest.raises((BundleError, ConfigError)):
        load(f"{folder}/x/{name}")
    assert sorted(folder.iterdir()) == before


def test_a_name_that_is_too_long_is_refused_in_words(tmp_path):
    with pytest.raises(BundleError):
        load(tmp_path / ("x" * 300))


def test_a_place_that_cannot_be_written_to_is_one_sentence(tmp_path, events):
    with pytest.raises(BundleError, match="folder that exists"):
        write(tmp_path / "nowhere" / "a.rtlog", with_audio(events))


def test_a_full_disk_stops_the_recording_and_keeps_what_was_written(tmp_path):
    program = textwrap.dedent("""
        import resource, signal, sys
        from pathlib import Path
        from bundles import scripted_events, with_audio, write
        from rt_notebook.errors import BundleError
        import rt_notebook.io.bundle.writer as writer
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))
        try:
            write(Path(sys.argv[1]), with_audio(scripted_events()))
        except BundleError as error:
            print(error)
    """)
    path = tmp_path / "a.rtlog"
    support = Path(__file__).parents[3] / "support"
    ran = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(support), *sys.path])},
    )  # fmt: skip
    assert "'a.rtlog' has stopped" in ran.stdout
    assert "'a.rtlog.part'" in ran.stdout
    assert not path.exists()
    recording = load(path)
    assert recording.recovered
    assert "cut off" in repr(recording)


def test_a_recording_shows_itself_without_running_what_it_says(tmp_path):
    evil = "<script>alert(1)</script>"
    manifest = Manifest(purpose=evil, who=(evil,), endpoint=evil)
    html = load(write(tmp_path / "a.rtlog", [], manifest=manifest))._repr_html_()
    assert evil not in html
    assert html.count("&lt;script&gt;") == 3


def test_the_public_names():
    assert rt_notebook.load is load
    assert rt_notebook.Recording.__name__ == "Recording"
