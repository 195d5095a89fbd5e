"""Files that were changed, cut, or made to do harm: refused in one sentence, without growing."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import subprocess
import sys
import textwrap
import zipfile
import zlib
from pathlib import Path

import msgspec
import pytest
import soundfile
from bundles import scripted_events, with_audio, write
from hypothesis import given
from hypothesis import strategies as st

from rt_notebook.core.events import Event
from rt_notebook.errors import BundleError
from rt_notebook.io.bundle.files import HeldFile
from rt_notebook.io.bundle.lines import encode_line, pack, split_lines, unpack
from rt_notebook.io.bundle.manifest import MEMBERS, Manifest, MemberFacts
from rt_notebook.io.bundle.recording import load
from rt_notebook.io.bundle.zip import read_layout, write_zip


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A bundle with everything in it that is not long."""
    events = [e for e in scripted_events() if e.audio_samples == 0][:6]
    for direction in ("sent", "received"):
        events.append(Event(1.0, direction, "audio", {"type": "audio"}, 50, -20.0))
    return write(tmp_path_factory.mktemp("small") / "a.rtlog", with_audio(events)).read_bytes()


@pytest.fixture
def opened(tmp_path):
    """Load bytes as a bundle."""

    def open_(content: bytes):
        path = tmp_path / "x.rtlog"
        path.write_bytes(content)
        return load(path)

    return open_


def forge(members: dict[str, bytes], **fields) -> bytes:
    """Make a bundle by the rules, hashes and all, of any content."""
    facts = {name: MemberFacts(len(raw), hashlib.sha256(raw).hexdigest()) for name, raw in members.items()}
    manifest = msgspec.structs.replace(Manifest(), members=facts, **fields)
    whole = members | {"manifest.json": manifest.encode()}
    out = io.BytesIO()
    write_zip(out, {name: lambda raw=raw: iter((raw,)) for name, raw in whole.items()})
    return out.getvalue()


def flac(samples) -> bytes:
    out = io.BytesIO()
    soundfile.write(out, samples, 24_000, format="FLAC", subtype="PCM_16")
    return out.getvalue()


NO_EVENTS = pack([])


def test_a_forged_bundle_by_the_rules_opens(opened):
    assert len(opened(forge({"events.jsonl.gz": NO_EVENTS})).log) == 0


def test_a_changed_bit_anywhere_is_noticed(small, opened):
    opened(small)
    for place in range(len(small)):
        changed = bytearray(small)
        changed[place] ^= 1 << (place % 8)
        with pytest.raises(BundleError):
            opened(bytes(changed))


@given(data=st.data())
def test_any_other_damage_is_noticed(small, tmp_path_factory, data):
    path = tmp_path_factory.mktemp("damaged") / "x.rtlog"
    start = data.draw(st.integers(0, len(small)))
    stop = data.draw(st.integers(start, min(len(small), start + 40)))
    damaged = small[:start] + data.draw(st.binary(max_size=40)) + small[stop:]
    path.write_bytes(damaged)
    if damaged == small:
        load(path)
    else:
        with pytest.raises(BundleError):
            load(path)


@given(content=st.binary(max_size=400))
def test_any_bytes_are_refused(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("bytes") / "x.rtlog"
    path.write_bytes(content)
    with pytest.raises(BundleError):
        load(path)


def test_a_bundle_that_is_cut_or_continued_is_refused(small, opened):
    for length in range(0, len(small), 7):
        with pytest.raises(BundleError):
            opened(small[:length])
    for longer in (small + b"x", b"x" + small, small + small):
        with pytest.raises(BundleError):
            opened(longer)


# -- names and forms of members ---------------------------------------------------------------------------

NAMES = [
    "/etc/passwd",
    "../x",
    "..\\x",
    "C:\\x",
    "C:x",
    "con",
    "events.jsonl.gz\0.txt",
    "x/../y",
    "user.FLAC",
    "",
]


@pytest.mark.parametrize("name", NAMES)
def test_members_of_other_names_are_refused(opened, name):
    with pytest.raises(BundleError, match="members that a bundle does not have"):
        opened(forge({"events.jsonl.gz": NO_EVENTS, name: b"x"}))


@given(name=st.text(st.characters(codec="ascii"), max_size=30).filter(lambda name: name not in MEMBERS))
def test_any_other_name_is_refused_and_nothing_is_written(tmp_path_factory, name):
    folder = tmp_path_factory.mktemp("names")
    path = folder / "x.rtlog"
    path.write_bytes(forge({"events.jsonl.gz": NO_EVENTS, name: b"x"}))
    with pytest.raises(BundleError):
        load(path)
    assert [file.name for file in folder.iterdir()] == ["x.rtlog"]


def other_zip(write_members) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        write_members(archive)
    return out.getvalue()


def _twice(archive):
    for _ in range(2):
        archive.writestr("events.jsonl.gz", NO_EVENTS)


def _symlink(archive):
    info = zipfile.ZipInfo("user.flac")
    info.create_system, info.external_attr = 3, 0o120777 << 16
    archive.writestr(info, "/etc/passwd")


def _compressed(archive):
    archive.writestr("manifest.json", b"\0" * 10_000_000, compress_type=zipfile.ZIP_DEFLATED)
    archive.writestr("events.jsonl.gz", NO_EVENTS)


def _unicode(archive):
    archive.writestr("événements", NO_EVENTS)


@pytest.mark.parametrize("form", [_twice, _symlink, _compressed, _unicode])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_zips_of_another_form_are_refused(opened, form):
    with pytest.raises(BundleError):
        opened(other_zip(form))


def test_a_bundle_that_was_packed_again_by_another_tool_is_refused(small, opened):
    def again(archive):
        with zipfile.ZipFile(io.BytesIO(small)) as original:
            for name in original.namelist():
                archive.writestr(name, original.read(name))

    with pytest.raises(BundleError):
        opened(other_zip(again))


def test_members_that_overlap_are_refused(tmp_path, small):
    path = tmp_path / "x.rtlog"
    path.write_bytes(small)
    layout = read_layout(HeldFile(path), MEMBERS)
    directory_at = small.index(b"PK\x01\x02")
    # Both tracks are said to lie where the first does.
    entries = bytearray(small[directory_at:])
    second = entries.rindex(b"PK\x01\x02")
    entries[second + 42 : second + 46] = (0).to_bytes(4, "little")
    path.write_bytes(small[:directory_at] + bytes(entries))
    assert len(layout) == 4
    with pytest.raises(BundleError):
        load(path)


# -- content that is not what it says -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        b"null", b"[]", b"{", b'{"t_s":1}', b'{"t_s":"x","direction":"sent","type":"a"}', b"\xff\xfe",
        b'{"t_s":1,"direction":"up","type":"a"}', b'{"t_s":1,"direction":"sent","type":"a","data":[]}',
        b'{"t_s":1,"direction":"sent","type":"a","audio_samples":-1}',
        b'{"t_s":1e400,"direction":"sent","type":"a"}',
        b'{"t_s":1,"direction":"sent","type":"a","audio_samples":99999999999}',
        b'{"t_s":1,"direction":"sent","type":"a","level_dbfs":"loud"}',
        b'{"t_s":1,"direction":"sent","type":"a","data":' + b'{"a":' * 20_000 + b"1" + b"}" * 20_000 + b"}",
    ],
)  # fmt: skip
def test_lines_that_are_no_events_are_refused(opened, line):
    with pytest.raises(BundleError, match="no event"):
        opened(forge({"events.jsonl.gz": gzip.compress(line + b"\n")}))


@pytest.mark.parametrize(
    "raw",
    [b"", b"{}", b"[]", b'{"format":"zip"}', b'{"format":"rtlog","schema":"x"}', b"\xff", b"[" * 100_000,
     b'{"format":"rtlog","events":-1}', b'{"format":"rtlog","members":{"a":{"bytes":1,"sha256":"0"}}}'],
)  # fmt: skip
def test_manifests_that_are_none_are_refused(opened, raw):
    out = io.BytesIO()
    members = {"events.jsonl.gz": NO_EVENTS, "manifest.json": raw}
    write_zip(out, {name: lambda raw=raw: iter((raw,)) for name, raw in members.items()})
    with pytest.raises(BundleError):
        opened(out.getvalue())


def test_a_later_format_is_told_apart(opened):
    with pytest.raises(BundleError, match=r"version 2 .* Upgrade"):
        opened(forge({"events.jsonl.gz": NO_EVENTS}, schema=2))


@pytest.mark.parametrize("told", [0, 2])
def test_another_number_of_events_than_the_manifest_tells_is_said(opened, told):
    events = pack([encode_line(Event(0.0, "sent", "a", {"type": "a"}))])
    with pytest.raises(BundleError, match=rf"holds 1 events, and its manifest tells of {told}"):
        opened(forge({"events.jsonl.gz": events}, events=told))
    assert len(opened(forge({"events.jsonl.gz": events}, events=1)).log) == 1


def test_audio_that_is_longer_than_the_events_say_is_refused(opened):
    events = pack([encode_line(Event(0.0, "sent", "a", {"type": "a"}, 100, -10.0))])
    for samples in (99, 101, 24_000):
        with pytest.raises(BundleError, match="not as long"):
            opened(
                forge(
                    {"events.jsonl.gz": events, "user.flac": flac([0.0] * samples)},
                    events=1,
                    samples={"user": samples},
                )
            )
    good = opened(
        forge({"events.jsonl.gz": events, "user.flac": flac([0.0] * 100)}, events=1, samples={"user": 100})
    )
    assert len(good.user_audio) == 100


def test_a_length_that_only_the_head_of_the_audio_claims_is_noticed_when_read(opened):
    said = 10_000_000
    lying = bytearray(flac([0.1] * 100))
    at = lying.index(b"fLaC") + 8 + 13  # the stream's head: 36 bits of length end here
    lying[at] &= 0xF0
    lying[at + 1 : at + 5] = said.to_bytes(4, "big")
    events = pack([encode_line(Event(0.0, "sent", "a", {"type": "a"}, said, -10.0))])
    try:
        recording = opened(
            forge({"events.jsonl.gz": events, "user.flac": bytes(lying)}, events=1, samples={"user": said})
        )
    except BundleError:
        return
    with pytest.raises(BundleError, match="decoded"):
        recording.user_audio[0:24_000]


@pytest.mark.parametrize("raw", [b"", b"fLaC", b"RIFF", os.urandom(1000)])
def test_audio_that_is_none_is_refused(opened, raw):
    with pytest.raises(BundleError):
        opened(forge({"events.jsonl.gz": NO_EVENTS, "user.flac": raw}))


def test_a_wave_file_in_place_of_flac_is_refused(opened):
    out = io.BytesIO()
    soundfile.write(out, [0.0] * 100, 24_000, format="WAV", subtype="PCM_16")
    events = pack([encode_line(Event(0.0, "sent", "a", {"type": "a"}, 100, -10.0))])
    with pytest.raises(BundleError, match="decoded"):
        opened(
            forge({"events.jsonl.gz": events, "user.flac": out.getvalue()}, events=1, samples={"user": 100})
        )


# -- too much ---------------------------------------------------------------------------------------------

BOMBS = {
    # a gigabyte of zeros in a megabyte
    "zeros": "zlib.compress(bytes(1 << 30), 9, 31)",
    # and as nothing but ends of lines
    "ends": r'zlib.compress(b"\n" * (1 << 30), 9, 31)',
    # many small events, a thousand to one
    "events": 'zlib.compress(b\'{"t_s":0,"direction":"sent","type":"a"}\\n\' * (1 << 24), 9, 31)',
    # a gzip stream behind another
    "second": 'zlib.compress(b"", 9, 31) + zlib.compress(bytes(1 << 30), 9, 31)',
}  # fmt: skip


@pytest.mark.parametrize("bomb", BOMBS)
def test_bombs_are_refused_without_growing(tmp_path, bomb):
    """Made in one process, since making it takes room; opened in another, which is measured."""
    path = tmp_path / "bomb.rtlog"
    support = Path(__file__).parents[3] / "support"
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(support), str(Path(__file__).parent), *sys.path])
    }

    def run(program: str) -> str:
        return subprocess.run(
            [sys.executable, "-c", textwrap.dedent(program), str(path)],
            capture_output=True, text=True, check=True, env=environment,
        ).stdout  # fmt: skip

    run(f"""
        import sys, zlib
        from test_bundle_hostile import forge
        open(sys.argv[1], "wb").write(forge({{"events.jsonl.gz": {BOMBS[bomb]}}}))
    """)
    assert path.stat().st_size < 5_000_000
    said = run("""
        import resource, sys
        from pathlib import Path
        import rt_notebook
        from rt_notebook.errors import BundleError
        try:
            rt_notebook.load(Path("nowhere") / "x.rtlog")
        except BundleError:
            pass
        import soundfile
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        try:
            rt_notebook.load(sys.argv[1])
        except BundleError as error:
            grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
            print(grown, error)
    """)
    grown_kb, problem = said.split(" ", 1)
    assert "Do not open it" in problem or "follows the events" in problem
    assert int(grown_kb) < 50_000


def test_an_endless_line_is_refused(monkeypatch):
    monkeypatch.setattr("rt_notebook.io.bundle.lines.MAX_LINE_BYTES", 1000)
    with pytest.raises(BundleError, match="too long"):
        list(split_lines([b"x" * 600, b"x" * 600, b"\n"]))
    assert list(split_lines([b"x" * 600, b"y\n", b"z\n\nrest"])) == [b"x" * 600 + b"y", b"z", b""]


def test_what_packs_too_well_is_packed_less(monkeypatch):
    monkeypatch.setattr("rt_notebook.io.bundle.lines._FREE_BYTES", 1000)
    lines = [b"a" * 1000 + b"\n"] * 1000
    packed = pack(lines)
    assert b"".join(unpack([packed])) == b"".join(lines)
    with pytest.raises(BundleError, match="may hold"):
        list(unpack([zlib.compress(b"".join(lines), 9, 31)]))


@given(content=st.binary(max_size=5000), step=st.integers(1, 700))
def test_unpacking_does_not_depend_on_how_it_is_read(content, step):
    packed = pack([content])
    assert b"".join(unpack(packed[i : i + step] for i in range(0, len(packed), step))) == content
    for damaged in (packed[:-1], packed + b"x"):
        with pytest.raises(BundleError):
            list(unpack(damaged[i : i + step] for i in range(0, len(damaged), step)))
