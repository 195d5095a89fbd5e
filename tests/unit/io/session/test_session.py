"""What a session refuses in the cell that asks for it."""

from __future__ import annotations

import numpy as np
import pytest

from rt_notebook import ConfigError, Endpoint, Session


def test_microphone_audio_of_another_scale_is_refused():
    session = Session(Endpoint.url("ws://127.0.0.1:9/v1/realtime"))
    try:
        with pytest.raises(ConfigError, match="int16"):
            session.append_audio(np.zeros(960, np.int32))
        session.append_audio(np.zeros(960, np.int16))
    finally:
        session.close_blocking()
