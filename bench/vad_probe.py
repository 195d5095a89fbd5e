"""Does the probe find out what a server does? Planted settings, ignored settings, and honest servers.

    python bench/vad_probe.py                     20 planted, every setting ignored, 100 honest
    python bench/vad_probe.py --honest 10

Planted: the server applies settings of its own, whatever it is asked for, and acknowledges what was asked
for. The tests do a few of these; this is the whole, for every night.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from pathlib import Path

import numpy as np

from rt_notebook import ServerVad, vad

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))
from planted_vad import Planted, planted

NUMBERS = ("silence_duration_ms", "threshold", "prefix_padding_ms")
NEAR_MS = 20


def drawn(seed: int) -> ServerVad:
    """Settings by lot, over what people use."""
    random = np.random.default_rng([7, seed])
    return ServerVad(
        threshold=round(float(random.uniform(0.15, 0.9)), 3),
        silence_duration_ms=int(random.integers(100, 1300)),
        prefix_padding_ms=int(random.integers(0, 600)),
    )


def row(name: str, asked: ServerVad, found: vad.Probe) -> str:
    cells = []
    for number in NUMBERS:
        one = found.row(number)
        bounds = f"{one.low:g}-{one.high:g}" if one.low is not None else "?"
        cells.append(
            f"{getattr(asked, number):>6g} {one.estimate or 0:>7.3g} {bounds:>13} {one.verdict[:7]:8}"
        )
    return f"{name:12} {' | '.join(cells)} | {found.audio_s:3.0f} s {found.pace} {found.agreement:.0%}"


async def plant(count: int) -> int:
    """The server's own settings, while the defaults are asked for; return how often they were found."""
    right = 0
    for seed in range(count):
        real = drawn(seed)
        fields = {name: getattr(real, name) for name in NUMBERS}
        async with planted(Planted(fields)) as endpoint:
            found = await vad.probe(endpoint)
        silence, threshold, padding = (found.row(name) for name in NUMBERS)
        good = (
            abs(silence.estimate - real.silence_duration_ms) <= NEAR_MS
            and silence.low <= real.silence_duration_ms <= silence.high
            and threshold.low <= real.threshold <= threshold.high
            and padding.low <= real.prefix_padding_ms <= padding.high
        )
        right += good
        print(row(f"planted {seed}", real, found), "" if good else "  WRONG", flush=True)
    return right


async def ignore(count: int) -> int:
    """One setting that is not listened to, at a time; return how often exactly that one was flagged."""
    right = 0
    for seed in range(count):
        asked, other = drawn(100 + seed), drawn(200 + seed)
        names = (*NUMBERS, "create_response", "interrupt_response")
        name = names[seed % len(names)]
        value = not getattr(asked, name) if seed % len(names) > 2 else getattr(other, name)
        async with planted(Planted({name: value}), reply="rules") as endpoint:
            found = await vad.probe(endpoint, asked, responses=seed % len(names) > 2)
        good = found.ignored == (name,)
        right += good
        print(row(f"no {name[:9]}", asked, found), "" if good else f"  WRONG {found.suspect}", flush=True)
    return right


async def honest(count: int) -> int:
    """Return in how many runs nothing was said against a server that does as it is told."""
    right = 0
    async with planted(reply="rules") as endpoint:
        for seed in range(count):
            asked = drawn(1000 + seed)
            if seed % 4 == 3:
                asked = asked.replace(interrupt_response=bool(seed % 8 == 3), create_response=bool(seed % 3))
            found = await vad.probe(endpoint, asked, responses=seed % 4 == 3)
            right += not found.suspect
            alarm = f"  ALARM {found.suspect}" if found.suspect else ""
            print(row(f"honest {seed}", asked, found), alarm, flush=True)
    return right


async def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--planted", type=int, default=20)
    parser.add_argument("--ignored", type=int, default=10)
    parser.add_argument("--honest", type=int, default=100)
    args = parser.parse_args()
    start = time.process_time()
    print(f"{'':12} {' | '.join(f'{name}: asked or planted, seen, bounds' for name in NUMBERS)}")
    counts = [await plant(args.planted), await ignore(args.ignored), await honest(args.honest)]
    print(f"recovered {counts[0]} of {args.planted} planted configurations (silence within {NEAR_MS} ms)")
    print(f"flagged exactly the ignored setting in {counts[1]} of {args.ignored}")
    print(f"no false alarm in {counts[2]} of {args.honest} honest runs")
    print(f"{time.process_time() - start:.0f} s of processor time for both sides")


if __name__ == "__main__":
    asyncio.run(main())
