"""A session with the local server that is recorded, and replays that are played to their end."""

from __future__ import annotations

import asyncio

from rt_notebook.core.config import ServerVad, SessionConfig
from rt_notebook.io.audio.speakers import SilentSpeaker
from rt_notebook.io.endpoints.endpoint import Endpoint
from rt_notebook.io.session.session import Session

CONFIG = SessionConfig(turn_detection=ServerVad(silence_duration_ms=300))
ECHO = Endpoint.local(reply="echo")


class Ears:
    """A speaker that keeps what it is given, beside counting it."""

    def __init__(self):
        self.speaker = SilentSpeaker()
        self.heard = []

    def play(self, item_id, pcm):
        self.heard.append(pcm)
        self.speaker.play(item_id, pcm)

    def __getattr__(self, name):
        return getattr(self.speaker, name)


async def conversation(path, question, speaker):
    """A spoken turn, cut short by a typed one. Returns the session and the exact audio that was received."""
    session = Session(ECHO, CONFIG, speaker=speaker)
    await session.record(path, purpose="a test", who=["a tester"])
    await session.connect()
    await session.ask(question)
    await session.ask("Stop. What else?")
    await session.close()
    return session


async def play(session):
    """Connect, and wait for the end of the replay."""
    loop, over = asyncio.get_running_loop(), asyncio.Event()
    session.subscribe(lambda event: loop.call_soon_threadsafe(over.set) if event is None else None)
    await session.connect()
    async with asyncio.timeout(60):
        await over.wait()
