"""What several contract tests start from: one recorded session."""

from __future__ import annotations

import asyncio

import pytest
from recorded_session import Ears, conversation


@pytest.fixture(scope="session")
def recorded(speech, tmp_path_factory):
    """A recorded session with an interruption, and what its speaker was given."""
    ears = Ears()
    path = tmp_path_factory.mktemp("recorded") / "demo.rtlog"
    session = asyncio.run(conversation(path, speech("What is the capital of France?"), ears))
    return session, path, b"".join(ears.heard)
