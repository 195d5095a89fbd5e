"""Measure a spoken turn's latency in a real browser, with delays planted, and compare.

A recording loops as the browser's microphone; the local server answers. The same conversation is held twice:
as it is, and with delays planted on every way. The difference of the medians, part by part, should be what
was planted. In the second run the page's clock is 200 ms off and drifts by 100 ppm, which should change
nothing. Beside it: where the end of speech was found, and where it is, by correlation with the recording.

What depends on how the last sample lies in its chunk of 40 ms is taken off `capture_ms` and `vad_wait_ms`;
the latter is told in two rows, the silence in the audio (decided on a grid of 32 ms) and the rest.

    python bench/latency_parts.py [--turns 4]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

TESTS = Path(__file__).parents[1] / "tests"
sys.path[:0] = [str(TESTS / "browser"), str(TESTS / "support")]

from bridge import Bridge  # noqa: E402 - they belong to the tests
from chromium import CHROMIUM, FLAGS  # noqa: E402
from recordings import write_wav  # noqa: E402

from rt_notebook import Endpoint, ServerVad, Session, SessionConfig, voice  # noqa: E402
from rt_notebook.log.latency import PARTS  # noqa: E402
from rt_notebook.log.ledger import Ledger  # noqa: E402
from rt_notebook.server.host.app import RealtimeServer  # noqa: E402
from rt_notebook.widgets.playground.playground import Playground  # noqa: E402

RATE_HZ = 24_000
SILENCE_S = 9.0

PLANT_IN_PAGE = """
const late = {output_s} > 0;
if (late) {{
  const own = Object.getOwnPropertyDescriptor(AudioContext.prototype, "outputLatency").get;
  const get = function () {{ return own.call(this) + {output_s}; }};
  Object.defineProperty(AudioContext.prototype, "outputLatency", {{ get }});
  const settings = MediaStreamTrack.prototype.getSettings;
  MediaStreamTrack.prototype.getSettings = function () {{
    const told = settings.call(this);
    return {{ ...told, latency: (told.latency ?? 0) + {input_s} }};
  }};
}}
const now = performance.now.bind(performance);
performance.now = () => now() * (1 + {drift}) + {offset_ms};
"""


@dataclass(frozen=True)
class Plant:
    """What is planted, in milliseconds. A way there and back takes both halves."""

    input_ms: float = 0
    carrier_ms: float = 0
    socket_ms: float = 0
    silence_ms: int = 500
    first_audio_ms: int = 0
    output_ms: float = 0
    offset_ms: float = 0
    drift: float = 0


class LateBridge(Bridge):
    """Everything between page and kernel comes later, in its order."""

    def __init__(self, late_s: float) -> None:
        self._late_s = late_s
        super().__init__()

    def _handle(self, header, buffers) -> None:
        self.loop.call_soon_threadsafe(self.loop.call_later, self._late_s, self._later, header, buffers)

    def _later(self, header, buffers) -> None:
        self.kernel_thread.submit(super()._handle, header, buffers)

    def _send_all(self, frame: bytes) -> None:
        self.loop.call_later(self._late_s, super()._send_all, frame)


async def forward(reader, writer, late_s: float) -> None:
    """Pass bytes on, each as late as the others."""
    loop = asyncio.get_running_loop()
    while data := await reader.read(65536):
        loop.call_later(late_s, writer.write, data)
    loop.call_later(late_s, writer.close)


class Server:
    """The local server on a thread of its own, behind a proxy that takes its time."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.endpoint = asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(60)

    async def _start(self) -> Endpoint:
        faults = [f"slow:delay_ms={self._plant.first_audio_ms}"] if self._plant.first_audio_ms else []
        self._server = RealtimeServer(reply="rules", faults=faults)
        await self._server.start()
        proxy = await asyncio.start_server(self._joined, "127.0.0.1", 0)
        port = proxy.sockets[0].getsockname()[1]
        return Endpoint.url(f"ws://127.0.0.1:{port}/v1/realtime", api_key=self._server.key.reveal())

    async def _joined(self, reader, writer) -> None:
        there, back = await asyncio.open_connection(self._server.host, self._server.port)
        late_s = self._plant.socket_ms / 2000
        with contextlib.suppress(asyncio.CancelledError):  # the end of the run
            await asyncio.gather(forward(reader, back, late_s), forward(there, writer, late_s))

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)

    async def _stop(self) -> None:
        await self._server.stop()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)


def spoken(playwright, wav: Path, plant: Plant, turns: int) -> tuple[Session, np.ndarray]:
    """Hold a conversation; return its session and the audio that was sent."""
    sent: list[bytes] = []
    server, bridge = Server(plant), LateBridge(plant.carrier_ms / 1000)
    detection = ServerVad(silence_duration_ms=plant.silence_ms)
    playground = Playground(server.endpoint, SessionConfig(turn_detection=detection))
    append = Session.append_audio

    def kept(session: Session, pcm: bytes) -> None:
        sent.append(bytes(pcm))
        append(session, pcm)

    Session.append_audio = kept  # type: ignore[method-assign,assignment]
    flags = [*FLAGS, f"--use-file-for-fake-audio-capture={wav}", "--use-fake-ui-for-media-stream"]
    browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=flags)
    try:
        page = browser.new_page()
        page.add_init_script(
            PLANT_IN_PAGE.format(
                output_s=plant.output_ms / 1000,
                input_s=plant.input_ms / 1000,
                drift=plant.drift,
                offset_ms=plant.offset_ms,
            )
        )
        page.goto(bridge.url(playground))
        page.click("button:has-text('Start listening')")
        end_s = time.monotonic() + 60 + 20 * turns
        while time.monotonic() < end_s:
            if playground.log.latency()["output_ms"].notna().sum() > turns:
                break
            page.wait_for_timeout(500)
        return playground.session, np.frombuffer(b"".join(sent), "<i2").astype(float)
    finally:
        Session.append_audio = append  # type: ignore[method-assign]
        browser.close()
        playground.close()
        bridge.close()
        server.stop()


def true_end(audio: np.ndarray, speech: np.ndarray, near: int) -> int:
    """Where the recording's speech ends in what was sent, near a position."""
    start = max(0, near - len(speech) - RATE_HZ)
    window = audio[start : near + RATE_HZ]
    size = len(window) + len(speech)
    product = np.fft.irfft(np.fft.rfft(window, size) * np.conj(np.fft.rfft(speech, size)), size)
    return start + int(np.argmax(product[: len(window)])) + len(speech)


def measured(session: Session, audio: np.ndarray, speech: np.ndarray) -> pd.DataFrame:
    """Return one row a turn; the first is left out, since everything was cold."""
    table = session.log.latency()
    turns = session.log.fold_turns()
    items = Ledger(session.log).items
    stops = {e.item_id: e for e in session.log if e.type == "input_audio_buffer.speech_stopped"}
    rows = []
    for row, turn in list(zip(table.to_dict("records"), turns, strict=True))[1:]:
        item = items.get(turn.user_item_id or "")
        if item is None or item.spoken_end is None or np.isnan(row["output_ms"]):
            continue
        end = item.spoken_end
        rest_ms = (end.chunk.end - end.position) / 24
        decided = round(stops[item.id].data["audio_end_ms"] * 24)
        found = {part: row[part] for part in PARTS}
        found["capture_ms"] -= rest_ms
        silence_ms = (decided - end.position) / 24
        decided_rest_ms = (-decided % 960) / 24
        found["vad_wait_ms"] += rest_ms - silence_ms - decided_rest_ms
        found["silence in the audio"] = silence_ms
        found["total_ms"] = row["total_ms"]
        found["parts minus total"] = sum(row[p] for p in PARTS if not np.isnan(row[p])) - row["total_ms"]
        found["end of speech, off"] = (end.position - true_end(audio, speech, end.position)) / 24
        bounds = {f"bound {part}": row[part.removesuffix("_ms") + "_error_ms"] for part in PARTS}
        rows.append(found | bounds)
    return pd.DataFrame(rows)


def main() -> None:
    """Hold both conversations and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--turns", type=int, default=4)
    turns = parser.parse_args().turns
    speech = np.asarray(voice("What is the weather like today?"))
    # Cut where it is loud, so that there is one sample at which it ends.
    loud = np.flatnonzero(np.abs(speech) > 0.3 * np.abs(speech).max())
    speech = speech[: loud[-1]]
    plant = Plant(60, 40, 50, 692, 300, 100, 200, 100e-6)
    planted = {
        "capture_ms": plant.input_ms,
        "mic_carrier_ms": plant.carrier_ms,
        "socket_ms": plant.socket_ms,
        "silence in the audio": plant.silence_ms - 500,
        "first_audio_ms": plant.first_audio_ms,
        "speaker_carrier_ms": plant.carrier_ms,
        "output_ms": plant.output_ms,
    }
    from playwright.sync_api import sync_playwright

    load_before = os.getloadavg()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        wav = Path(folder) / "question.wav"
        write_wav(wav, np.concatenate([speech, np.zeros(int(SILENCE_S * RATE_HZ))]), RATE_HZ)
        plain = measured(*spoken(playwright, wav, Plant(), turns), speech)
        late = measured(*spoken(playwright, wav, plant, turns), speech)
    print(f"{len(plain)} and {len(late)} turns; load before {load_before}, after {os.getloadavg()}")
    table = pd.DataFrame({"plain": plain.median(), "with delays": late.median()})
    table["difference"] = table["with delays"] - table["plain"]
    table["planted"] = pd.Series(planted).reindex(table.index).fillna(0.0)
    table["off"] = table["difference"] - table["planted"]
    table["bound"] = pd.Series({part: late[f"bound {part}"].median() for part in PARTS})
    table["spread"] = late.max() - late.min()
    shown = [name for name in table.index if not name.startswith("bound ")]
    print(table.loc[shown].dropna(how="all").round(1).to_string())


if __name__ == "__main__":
    main()
