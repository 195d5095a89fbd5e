"""The probe against real servers: honest ones, ones that go their own way, and ones that lose audio."""

from __future__ import annotations

import base64

import numpy as np
import pytest
from planted_vad import Planted, planted

from rt_notebook import ConfigError, ServerVad, vad
from rt_notebook.server.host.fault_kinds import Fault
from rt_notebook.server.host.faults import FaultLine
from rt_notebook.server.host.wire_actions import Pass
from rt_notebook.vad.detectors.energy import EnergyDetector
from rt_notebook.vad.probing import line, measure

pytestmark = pytest.mark.speech
NUMBERS = ("silence_duration_ms", "threshold", "prefix_padding_ms")


@pytest.fixture(autouse=True)
def cache():
    """Keep the few traces in memory only between the tests of this file: they are all of one voice."""


def within(one, value):
    return one.low <= value <= one.high


@pytest.mark.parametrize(
    "real",
    [
        ServerVad(threshold=0.62, silence_duration_ms=921, prefix_padding_ms=538),
        ServerVad(threshold=0.88, silence_duration_ms=640, prefix_padding_ms=0),
    ],
)
async def test_settings_that_nobody_asked_for_are_recovered_and_flagged(real):
    async with planted(Planted({name: getattr(real, name) for name in NUMBERS})) as endpoint:
        found = await vad.probe(endpoint, ServerVad(threshold=0.5, silence_duration_ms=500))
    assert found.ignored == NUMBERS
    for name in NUMBERS:
        assert within(found.row(name), getattr(real, name)), name
        assert found.row(name).acknowledged == found.row(name).requested
    assert abs(found.row("silence_duration_ms").estimate - real.silence_duration_ms) <= 20
    assert found.row("prefix_padding_ms").estimate == real.prefix_padding_ms
    assert found.row("create_response").verdict == "not measured"
    assert "ignores silence_duration_ms, threshold, prefix_padding_ms" in str(found)


@pytest.mark.parametrize(
    "asked",
    [
        ServerVad(),
        ServerVad(threshold=0.25, silence_duration_ms=200, prefix_padding_ms=100, create_response=False),
        ServerVad(threshold=0.8, silence_duration_ms=777, prefix_padding_ms=411),
    ],
)
async def test_nothing_is_said_against_an_honest_server(asked):
    async with planted() as endpoint:
        found = await vad.probe(endpoint, asked)
    assert found.suspect == ()
    assert [found.row(name).verdict for name in NUMBERS] == ["applied"] * 3
    assert (found.pace, found.deaf) == ("fast", False)
    assert found.audio_s <= 2 * vad.probe_audio_s(asked)
    assert "applies what was asked for" in str(found)


async def test_one_setting_that_is_ignored_is_told_from_those_that_are_not():
    # It happens to be as asked for: only a second request shows that nobody listens.
    async with planted(Planted({"silence_duration_ms": 500, "create_response": True})) as endpoint:
        found = await vad.probe(endpoint, ServerVad(create_response=False))
    assert found.ignored == ("silence_duration_ms", "create_response")
    assert found.row("threshold").verdict == "applied"
    assert within(found.row("silence_duration_ms"), 500)


async def test_whether_turns_are_answered_is_seen_if_answers_are_allowed(monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(measure, "_ANSWER_S", 0.5)  # for an answer that never comes
        async with planted(Planted({"create_response": False})) as endpoint:
            found = await vad.probe(endpoint, contrast=False, responses=True)
    assert found.row("create_response").verdict == "ignored"
    async with planted() as endpoint:
        found = await vad.probe(endpoint, contrast=False, responses=True)
    assert found.row("create_response").verdict == "applied"
    assert found.suspect == ()


@pytest.mark.parametrize(("real_ms", "verdict"), [(6000, "applied"), (5000, "differs")])
async def test_when_the_silent_are_prompted_is_seen_if_answers_are_allowed(real_ms, verdict):
    async with planted(Planted({"idle_timeout_ms": real_ms})) as endpoint:
        asked = ServerVad(idle_timeout_ms=6000)
        found = await vad.probe(endpoint, asked, contrast=False, responses=True)
    row = found.row("idle_timeout_ms")
    assert row.verdict == verdict
    assert within(row, real_ms)


async def test_a_server_that_merely_hears_otherwise_is_not_accused():
    async with planted(detector=EnergyDetector()) as endpoint:
        found = await vad.probe(endpoint, pace="fast")
    # It hears a voice's end at once, where ours takes some frames: the silence moves as it is asked to.
    silence = found.row("silence_duration_ms")
    assert silence.verdict == "applied"
    assert silence.estimate < 480
    # How loud a sound is, and how likely it is speech, are two scales.
    assert found.row("threshold").verdict == "not measured"
    assert found.suspect == ()


class LosesAudio:
    """Its first connection loses half of each piece, as if it could not follow; the next ones are sound."""

    connections = 0

    def next_connection(self):
        self.connections += 1
        if self.connections > 1:
            return FaultLine([])

        def half(event):
            if event["type"] != "input_audio_buffer.append":
                return event
            pcm = base64.b64decode(event["audio"])
            return event | {"audio": base64.b64encode(pcm[: len(pcm) // 4 * 2]).decode()}

        return FaultLine([Fault(lambda event: [Pass(event)], half)])


async def test_an_endpoint_that_loses_fast_audio_is_asked_again_in_real_time(monkeypatch):
    monkeypatch.setattr(line, "PATIENCE_S", 0.1)
    asked = ServerVad(silence_duration_ms=200, prefix_padding_ms=100)
    losing = LosesAudio()
    async with planted(losing) as endpoint:
        found = await vad.probe(endpoint, asked, contrast=False, max_audio_s=14)
    assert losing.connections == 2
    assert found.pace == "real"
    assert within(found.row("silence_duration_ms"), 200)
    assert found.row("prefix_padding_ms").estimate == 100


async def test_an_endpoint_that_hears_nothing_is_called_deaf(monkeypatch):
    monkeypatch.setattr(line, "PATIENCE_S", 0.1)
    async with planted(Planted({"threshold": 1.0})) as endpoint:
        found = await vad.probe(endpoint, pace="fast", contrast=False)
    assert found.deaf
    assert "heard nothing" in found.summary
    assert found.row("silence_duration_ms").verdict == "not measured"
    assert found.row("threshold").low >= 0.9


async def test_no_more_audio_is_sent_than_is_allowed():
    async with planted() as endpoint:
        found = await vad.probe(endpoint, max_audio_s=10)
    assert found.audio_s <= 10
    assert found.suspect == ()
    assert found.row("silence_duration_ms").verdict == "applied"


@pytest.mark.parametrize(("silence_ms", "verdict"), [(5_000, "applied"), (10_000, "not measured")])
async def test_who_is_cut_short_by_the_cap_is_accused_of_nothing_and_not_asked_again(silence_ms, verdict):
    async with planted() as endpoint:
        found = await vad.probe(endpoint, ServerVad(silence_duration_ms=silence_ms), max_audio_s=10)
    assert found.suspect == ()
    assert (found.cut_short, found.deaf, found.pace) == (True, False, "fast")
    assert [found.row(name).verdict for name in NUMBERS] == [verdict] * 3
    assert ("Nothing was measured" in found.summary) == (verdict == "not measured")
    assert "max_audio_s cut it short: allow more" in str(found)


@pytest.mark.parametrize("max_audio_s", [10, 18])
async def test_without_a_whole_comparison_another_ear_is_not_taken_for_another_setting(max_audio_s):
    async with planted(detector=EnergyDetector()) as endpoint:
        found = await vad.probe(endpoint, pace="fast", max_audio_s=max_audio_s)
    assert found.cut_short
    assert found.suspect == ()


async def test_the_table_the_page_and_a_recording_instead_of_the_voice(speech):
    async with planted() as endpoint:
        found = await vad.probe(endpoint, speech=speech("My name is Anna."), contrast=False)
    table = found.to_pandas()
    columns = ["setting", "requested", "acknowledged", "estimate", "low", "high", "verdict"]
    assert table.columns.tolist() == columns
    assert table.setting.tolist()[:3] == list(NUMBERS)
    assert table.requested.tolist()[:3] == [500, 0.5, 300]
    page = found._repr_html_()
    assert "silence_duration_ms" in page
    assert found.footnote in page


def test_what_cannot_be_probed_is_refused_before_anything_is_sent():
    with pytest.raises(ConfigError, match="pace"):
        vad.probe(pace="slow")
    with pytest.raises(ConfigError, match="max_audio_s"):
        vad.probe(max_audio_s=1)
    with pytest.raises(ConfigError, match="clearly speech"):
        vad.probe(speech=np.zeros(24_000, np.float32))
    with pytest.raises(ConfigError, match="no detector"):
        vad.probe(detector="unheard of")
