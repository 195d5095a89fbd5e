from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rt_notebook.core.audio import SILENCE_DBFS, level_dbfs, to_pcm
from rt_notebook.core.envelope import STEP_SAMPLES, envelope_dbfs, levels_and_envelopes


@given(st.binary(max_size=4000))
def test_the_level_is_that_of_the_audio_and_the_envelope_has_a_step_each_5_ms(pcm) -> None:
    ((level, envelope),) = levels_and_envelopes([pcm])
    assert level == pytest.approx(level_dbfs(pcm), abs=1e-3)
    steps = envelope_dbfs(envelope, len(pcm) // 2)
    if len(pcm) < 2:
        assert (envelope, steps) == ("", None)
        return
    assert steps is not None
    pieces = [pcm[at : at + 2 * STEP_SAMPLES] for at in range(0, len(pcm) // 2 * 2, 2 * STEP_SAMPLES)]
    assert steps == pytest.approx([level_dbfs(piece) for piece in pieces], abs=0.05)


@given(st.lists(st.binary(max_size=1000), max_size=8))
def test_chunks_together_are_what_each_is_alone(chunks) -> None:
    assert levels_and_envelopes(chunks) == [told for pcm in chunks for told in levels_and_envelopes([pcm])]


def test_a_long_piece_has_an_envelope_too() -> None:
    ((_, envelope),) = levels_and_envelopes([bytes(2 * 48_001)])
    steps = envelope_dbfs(envelope, 48_001)
    assert steps is not None
    assert steps.tolist() == [SILENCE_DBFS] * 401


def test_a_chunk_of_40_ms_has_32_characters() -> None:
    ((_, envelope),) = levels_and_envelopes([to_pcm(np.full(960, 0.1))])
    assert len(envelope) == 32


NOT_A_NUMBER, NEGATIVE = "c07f" * 8, "80bf" * 8


@pytest.mark.parametrize("envelope", [None, 3, "", "0000", "x" * 32, "é" * 32, NOT_A_NUMBER, NEGATIVE])
def test_what_is_no_envelope_of_the_chunk_is_none(envelope) -> None:
    assert envelope_dbfs(envelope, 960) is None
