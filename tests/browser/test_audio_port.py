"""Microphone and speaker between a real browser and the widget in this process."""

from __future__ import annotations

import threading
import time
import wave

import numpy as np
import pytest

from rt_notebook.widgets.port.audio_port import AudioPort

START = "button:has-text('Start listening')"
STOP = "button:has-text('Stop listening')"


class Listener:
    """Takes the place of a session: keeps what the port tells it."""

    def __init__(self) -> None:
        self.pcm: list[bytes] = []
        self.reports: list[tuple] = []
        self.notes: list[tuple] = []

    def clock_s(self):
        return time.monotonic()

    def append_audio(self, pcm):
        self.pcm.append(pcm)

    def report_playback(self, item_id, played_samples, state, dropped_samples=0):
        self.reports.append((item_id, played_samples, state, dropped_samples))

    def note(self, type_, **data):
        self.notes.append((type_, data))

    def samples(self) -> np.ndarray:
        return np.frombuffer(b"".join(self.pcm), "<i2").astype(float)


@pytest.fixture
def port(bridge):
    made = AudioPort()
    made.ears = Listener()
    made.connect(made.ears)
    made.attach(made.ears.report_playback)
    yield made
    made.close()


def best_correlation(heard: np.ndarray, source: np.ndarray) -> float:
    """Highest normalised correlation of `heard` anywhere in `source`."""
    n = len(heard) + len(source)
    product = np.fft.irfft(np.fft.rfft(source, n) * np.conj(np.fft.rfft(heard, n)), n)
    energy = np.concatenate([[0.0], np.cumsum(source**2)])
    lags = np.arange(len(source) - len(heard))
    norms = np.sqrt((energy[lags + len(heard)] - energy[lags]) * np.sum(heard**2))
    return float(np.max(product[lags] / norms))


def test_every_chunk_of_the_microphone_arrives_and_is_the_recording(port, show, wait_until, microphone_wav):
    seen = []
    port.observe(lambda change: seen.append(change["new"]), "chunk")
    page = show(port)
    page.click(START)
    wait_until(lambda: len(port.ears.pcm) >= 75, "75 chunks")
    page.click(STOP)
    wait_until(lambda: port._mic.client is None, "the recording is complete")
    recorded = int(page.get_attribute(".rt-widget", "data-mic-chunks") or 0)
    wait_until(lambda: len(seen) == len(port.ears.pcm), "all chunks were observed")
    assert port._mic.chunks == len(port.ears.pcm) >= recorded
    assert port._mic.lost_samples == 0
    assert all(len(pcm) == 1920 for pcm in port.ears.pcm[:-1])
    assert seen == port.ears.pcm
    # Beside the microphone's own, the page tells its clock.
    noted = [name for name, _ in port.ears.notes if name != "local.clock"]
    assert noted == ["local.mic_opened", "local.mic_closed"]

    with wave.open(str(microphone_wav)) as source:
        samples = np.frombuffer(source.readframes(source.getnframes()), "<i2").astype(float)
    spectrum = np.fft.rfft(samples)[: len(samples) // 4 + 1]
    at_24k = np.fft.irfft(spectrum, len(samples) // 2)
    heard = port.ears.samples()[24_000:]
    windows = [heard[i : i + 12_000] for i in range(0, len(heard) - 12_000, 12_000)]
    good = [best_correlation(w, at_24k) > 0.8 for w in windows]
    assert sum(good) >= 0.6 * len(good) > 1


def test_nothing_opens_without_a_click(port, show, wait_until):
    port.mic_state = "on"
    page = show(port)
    page.evaluate(
        "() => { navigator.mediaDevices.getUserMedia = () => { document.body.dataset.asked = 'true'; }; }"
    )
    wait_until(lambda: page.is_enabled(START), "the kernel answered")
    page.wait_for_timeout(300)
    assert page.get_attribute("body", "data-asked") is None
    assert port.ears.pcm == []


def test_a_blocked_kernel_loses_no_chunk(port, show, bridge, wait_until):
    page = show(port)
    page.click(START)
    wait_until(lambda: len(port.ears.pcm) >= 10, "the microphone runs")
    release = threading.Event()
    bridge.kernel_thread.submit(release.wait, 30)
    page.wait_for_timeout(5000)
    assert "busy" in page.inner_text(".rt-status")
    before = len(port.ears.pcm)
    release.set()
    wait_until(lambda: len(port.ears.pcm) >= before + 120, "what was recorded meanwhile arrives")
    page.click(STOP)
    wait_until(lambda: port._mic.client is None, "the recording is complete")
    assert port._mic.lost_samples == 0
    assert port._mic.chunks == len(port.ears.pcm)


def test_chunks_lost_on_the_way_are_sent_again(port, show, bridge, wait_until):
    page = show(port)
    page.click(START)
    wait_until(lambda: len(port.ears.pcm) >= 10, "the microphone runs")
    received, lost = port._mic.receive, []

    def lossy(message, pcm):
        if 20 <= message["seq"] < 30 and message["seq"] not in lost:
            lost.append(message["seq"])
        else:
            received(message, pcm)

    port._mic.receive = lossy
    wait_until(lambda: len(port.ears.pcm) >= 60, "the recording goes on")
    page.click(STOP)
    wait_until(lambda: port._mic.client is None, "the recording is complete")
    assert lost
    assert port._mic.lost_samples == 0


def test_a_reply_is_played_completely_and_reported(port, show, wait_until):
    page = show(port)
    page.click(START)
    reply = (np.sin(np.arange(24_000) / 10) * 8000 + 9000).astype(np.int16)
    item_id = port.play_audio(reply)
    wait_until(lambda: any(r[2] == "ended" for r in port.ears.reports), "the reply ended")
    assert port.ears.reports[0][2] == "playing"
    assert (item_id, 24_000, "ended", 0) in port.ears.reports
    played = [r[1] for r in port.ears.reports]
    assert played == sorted(played)
    selector = ".rt-widget[data-played-nonzero-samples='24000']"
    page.wait_for_selector(selector, timeout=5000)


def test_flush_is_silence_and_counts_every_sample(port, show, wait_until):
    page = show(port)
    wait_until(lambda: page.is_enabled(START), "the kernel answered")
    port.play("item_1", (np.ones(24_000 * 5, np.int16) * 1000).tobytes())
    wait_until(lambda: any(r[2] == "playing" and r[1] > 6000 for r in port.ears.reports), "it speaks")
    port.flush()
    wait_until(lambda: any(r[2] == "flushed" for r in port.ears.reports), "it is silent")
    _, heard, _, dropped = next(r for r in port.ears.reports if r[2] == "flushed")
    assert 6000 < heard < 24_000 * 5
    # What was written but had not left the device counts neither as heard nor as dropped: at most 200 ms.
    assert 0 <= 24_000 * 5 - heard - dropped < 4800
    port.play("item_1", b"\1\1" * 2400)
    port.play_audio(np.full(2400, 500, np.int16))
    wait_until(lambda: any(r[0] == "local_1" and r[2] == "ended" for r in port.ears.reports), "the next item")
    assert not any(r[0] == "item_1" and r[2] == "ended" for r in port.ears.reports)


def test_audio_lost_on_the_way_to_the_page_is_sent_again(port, show, bridge, wait_until):
    page = show(port)
    wait_until(lambda: page.is_enabled(START), "the kernel answered")
    bridge.drop_next_to_page(2)
    port.play_audio(np.full(48_000, 700, np.int16))
    wait_until(lambda: any(r[2] == "ended" for r in port.ears.reports), "it ended")
    assert port.ears.reports[-1][1] == 48_000


def test_the_second_window_takes_the_microphone_over(port, show, wait_until):
    first, second = show(port), show(port)
    first.click(START)
    wait_until(lambda: port.mic_state == "on", "the first window records")
    second.click(START)
    first.wait_for_selector(START)
    assert "Another window listens now" in first.inner_text(".rt-status")
    wait_until(lambda: len(port.ears.pcm) > 20, "the second window records")
    assert second.is_visible(STOP)


def record_and_keep_the_track(page, port, wait_until):
    """Start the microphone; the page keeps its track, so that a test can see it end or end it."""
    page.evaluate(
        "() => { const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);"
        "navigator.mediaDevices.getUserMedia = async (c) => {"
        "const s = await ask(c); window.testTrack = s.getTracks()[0]; return s; } }"
    )
    page.click(START)
    wait_until(lambda: len(port.ears.pcm) > 5, "it records")


@pytest.mark.parametrize("event", ["hide", "dispose", "kernel-restart"])
def test_the_microphone_never_outlives_its_widget(port, show, wait_until, event):
    page = show(port)
    record_and_keep_the_track(page, port, wait_until)
    page.evaluate("(e) => document.dispatchEvent(new CustomEvent('bridge', {detail: e}))", event)
    page.wait_for_function("window.testTrack.readyState === 'ended'", timeout=10_000)


PROBLEMS = {
    "NotAllowedError": ("denied", "blocked for this page"),
    "NotFoundError": ("no-device", "No microphone was found"),
    "NotReadableError": ("busy", "in use by another program"),
}


@pytest.mark.parametrize("error", PROBLEMS)
def test_a_missing_microphone_is_one_sentence_with_its_remedy(port, show, wait_until, error):
    state, words = PROBLEMS[error]
    page = show(port)
    page.evaluate(
        "(name) => { navigator.mediaDevices.getUserMedia ="
        "() => Promise.reject(new DOMException('x', name)) }",
        error,
    )
    page.click(START)
    page.wait_for_selector(f".rt-status:has-text('{words}')")
    wait_until(lambda: port.mic_state == state, "the kernel knows")
    assert page.is_enabled(START)


def test_an_unplugged_microphone_is_told(port, show, wait_until):
    page = show(port)
    record_and_keep_the_track(page, port, wait_until)
    page.evaluate("window.testTrack.onended()")
    page.wait_for_selector(".rt-status:has-text('was disconnected')")
    wait_until(lambda: port.mic_state == "lost", "the kernel knows")
