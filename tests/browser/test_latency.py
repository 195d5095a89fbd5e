"""Where a spoken turn's time went, told by a real page, a real kernel side and the local server."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from recordings import write_wav

from rt_notebook.core.events import Event
from rt_notebook.io.audio.voice import voice
from rt_notebook.log.event_log import EventLog
from rt_notebook.log.latency import PARTS
from rt_notebook.log.latency_path import QUANTUM_S
from rt_notebook.widgets.playground.playground import Playground

pytestmark = pytest.mark.speech

START = "button:has-text('Start listening')"
LONG_S = 120.0
SILENT = {"first_text_ms"}
"""Parts of an answer that has no audio."""


@pytest.fixture(scope="module")
def spoken_browser(launch, tmp_path_factory):
    path = tmp_path_factory.mktemp("mic") / "question.wav"
    speech = voice("What is the weather like today?")
    write_wav(path, np.concatenate([np.zeros(24_000), speech, np.zeros(24_000 * 40)]), 24_000)
    return launch(path)


@pytest.fixture
def log(bridge, show, spoken_browser, wait_until) -> EventLog:
    """The log of one spoken turn that was heard to its end."""
    playground = Playground()
    page = show(playground, browser=spoken_browser)
    page.click(START)

    def heard() -> bool:
        return any(e.type == "local.playback" and e.data["state"] == "ended" for e in playground.log)

    wait_until(heard, "the reply was heard", LONG_S)
    log = EventLog(list(playground.log))
    playground.close()
    return log


def of_type(log: EventLog, type_: str) -> list[Event]:
    return [event for event in log if event.type == type_]


def test_the_log_holds_all_that_the_latency_needs(log) -> None:
    (opened,) = of_type(log, "local.mic_opened")
    client = opened.data["client"]
    assert opened.data["input_latency_s"] >= 0

    exchanges = [event.data for event in of_type(log, "local.clock")]
    assert len(exchanges) >= 5
    for data in exchanges:
        assert data["client"] == client
        assert data["asked_s"] <= data["arrived_s"]
        assert data["received_s"] <= data["answered_s"]
    for before, after in itertools.pairwise(exchanges):
        assert before["arrived_s"] <= after["asked_s"]

    chunks = [event for event in of_type(log, "input_audio_buffer.append") if "arrived_s" in event.data]
    assert len(chunks) > 50
    for event in chunks:
        assert event.data["page_recorded_s"] <= event.data["page_sent_s"]
        assert event.data["arrived_s"] <= event.t_s
        assert len(event.data["envelope"]) == 4 * math.ceil(event.audio_samples / 120)
    for before, after in itertools.pairwise(chunks):
        assert before.data["page_recorded_s"] < after.data["page_recorded_s"]

    reports = of_type(log, "local.playback")
    first, *others = [event.data for event in reports if event.item_id == reports[0].item_id]
    assert first["client"] == client
    # The device takes its samples a buffer at a time: so far back its clock may place the first of them.
    buffer_s = QUANTUM_S + first["base_latency_s"]
    assert first["page_arrived_s"] <= first["page_started_s"] + buffer_s
    assert first["buffered_samples"] > 0
    assert not any("page_started_s" in data for data in others)

    assert all(event.data["round_trip_s"] >= 0 for event in of_type(log, "local.round_trip"))
    assert len(of_type(log, "local.round_trip")) >= 1

    row = log.latency().iloc[0]
    parts = row[[part for part in PARTS if part not in SILENT]]
    assert parts.notna().all()
    assert (parts >= 0).all()
    assert parts.sum() == row["total_ms"]
    errors = row[[part.removesuffix("_ms") + "_error_ms" for part in parts.index]]
    assert errors.notna().all()
    later = row["commit_ms"] + row["response_ms"] + row["first_audio_ms"]
    assert row["pipecat_ttfb_ms"] == later
    assert row["livekit_ttft_ms"] == row["first_audio_ms"]
