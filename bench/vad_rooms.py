"""Do recommended settings do better than the default? Synthetic rooms, half of each held out.

python bench/vad_rooms.py --rooms 205
"""

from __future__ import annotations

import argparse

import numpy as np

from rt_notebook import ServerVad, vad, voice


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rooms", type=int, default=205)
    parser.add_argument("--takes", type=int, default=24, help="half are for choosing, half are held out")
    parser.add_argument("--turns", type=int, default=6)
    parser.add_argument("--seed", type=int, default=7)
    args = parser.parse_args()
    half, ratios, refused = args.takes // 2, [], []
    for room in vad.rooms(voice, args.rooms, takes=args.takes, turns=args.turns, seed=args.seed):
        tried = vad.sweep(
            [vad.trace(take.audio, cache=False) for take in room.takes],
            labels=[take.labels for take in room.takes],
        )
        found = vad.recommend(tried.only(range(half)))
        where = f"{room.noise:7} {room.snr_db:4.1f} dB"
        if found.vad is None:
            refused.append(room)
            print(f"{where}: {found.reasons[-1]}", flush=True)
            continue
        held_out = tried.only(range(half, args.takes))
        ours, default = (held_out.at(each)["cost"] for each in (found.vad, ServerVad()))
        # A default that never ends a turn rightly has no cost: anything is better.
        ratios.append(0.0 if np.isnan(default) else ours / default)
        print(f"{where}: cost {ours:.2f}, default {default:.2f}", flush=True)
    better = np.array(ratios)
    print(f"{args.rooms} rooms; no acceptable setting in {len(refused)}")
    print(f"held out, the recommendation beats the default in {(better < 1).mean():.1%} of the others")
    worse = int((better > 1.05).sum())
    print(f"worse by more than 5 % in {worse} of them; median ratio of costs {np.median(better):.2f}")


if __name__ == "__main__":
    main()
