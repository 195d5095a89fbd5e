"""Many triggers as one number a frame are the triggers one by one."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rt_notebook.vad.plane.triggers import falls, reached, rises, run

# Up to 300, so that a number does not always fit into a byte.
COUNTS = st.integers(1, 6) | st.just(300)


@st.composite
def triggers(draw):
    most = draw(COUNTS)
    pairs = draw(st.lists(st.tuples(st.integers(0, most), st.integers(0, most)), max_size=40))
    kind = np.min_scalar_type(most)
    entered, kept = (np.array([pick(pair) for pair in pairs], kind) for pick in (min, max))
    return most, entered, kept


@given(triggers())
def test_each_trigger_goes_on_and_off_as_if_alone(given_):
    most, entered, kept = given_
    level = run(entered, kept)
    wanted_rises, wanted_falls = [], []
    for trigger in range(most):
        on = False
        assert not level[0] > trigger
        for frame, (enter, keep) in enumerate(zip(entered.tolist(), kept.tolist(), strict=True)):
            before, on = on, enter > trigger or (on and keep > trigger)
            assert (level[frame + 1] > trigger) == on
            if on != before:
                (wanted_rises if on else wanted_falls).append((trigger, frame))
    assert list(zip(*(each.tolist() for each in rises(level)), strict=True)) == wanted_rises
    assert list(zip(*(each.tolist() for each in falls(level)), strict=True)) == wanted_falls


@given(
    st.lists(st.floats(0, 1, width=32), max_size=50),
    st.lists(st.floats(0, 1) | st.sampled_from([0.0, 0.1, 0.35, 0.5, 1.0]), min_size=1, max_size=8),
)
def test_what_a_frame_reaches_is_compared_without_loss(probabilities, thresholds):
    trace, steps = np.array(probabilities, np.float32), np.sort(np.array(thresholds))
    # Also thresholds that are just at, or just beside, what the frames are.
    steps = np.sort(np.concatenate([steps, trace.astype(np.float64)[:3]]))
    found = reached(trace, steps)
    assert found.tolist() == [sum(float(value) >= step for step in steps.tolist()) for value in trace]
