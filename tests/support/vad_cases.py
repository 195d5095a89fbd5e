"""Random traces and rules of turn detection: what every property of it is tried with."""

from __future__ import annotations

import os

import numpy as np
from hypothesis import strategies as st

NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
CASES = 10_000 if NIGHTLY else 500

LEVELS = [0.0, 0.005, 0.01, 0.02, 0.2, 0.34, 0.35, 0.36, 0.49, 0.5, 0.51, 0.8, 1.0]
_RAW = st.lists(st.sampled_from(LEVELS) | st.floats(0, 1, width=32), max_size=120)
# Stretches make long silences and long stays between the thresholds.
_STRETCHES = st.lists(st.tuples(st.sampled_from(LEVELS), st.integers(1, 90)), max_size=12).map(
    lambda parts: [level for level, frames in parts for _ in range(frames)]
)
# Probabilities as detectors give them: single precision.
TRACES = (_RAW | _STRETCHES).map(lambda trace: np.array(trace, np.float32).tolist())
EXITS = st.none() | st.sampled_from([0.0, 0.01, 0.2, 0.35, 0.5, 0.9])
RESETS = st.sampled_from(["high", "not_low"])
