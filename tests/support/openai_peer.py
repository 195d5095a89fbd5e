"""openai-python as a client of our server, in GA and in preview, behind one face.

What the scenarios need is written once, in words that both dialects share; `Peer` knows the forms. The frames
are taken where the client reads its socket, since its own models hide what is wrong with them.
"""

from __future__ import annotations

import asyncio
import base64
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from strict_models import problems
from wire_client import GA_TO_PREVIEW

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

__all__ = ["PATIENCE_S", "Peer", "Talk"]

Json = dict[str, Any]

PATIENCE_S = 90
"""How long to wait for an event before the test has failed; a loaded machine may be slow."""

_CHUNK_BYTES = 4800


class Talk:
    """One connection: the client's own object, and beside it every frame that came."""

    def __init__(self, connection: Any, peer: Peer) -> None:
        self.connection = connection
        self.peer = peer
        self.frames: list[Json] = []
        self._seen = 0
        read = connection._connection.recv

        async def recv(*args: Any, **kwargs: Any) -> Any:
            frame = await read(*args, **kwargs)
            self.frames.append(json.loads(frame))
            return frame

        connection._connection.recv = recv

    def types(self) -> list[str]:
        """Return the types of all that came, named in GA."""
        return [self.peer.ga_name(frame["type"]) for frame in self.frames]

    def all(self, type_: str) -> list[Json]:
        """Return what came of a type, named in GA."""
        return [frame for frame in self.frames if self.peer.ga_name(frame["type"]) == type_]

    async def until(self, type_: str, fits: Callable[[Json], bool] = lambda _: True) -> Json:
        """Read on until an event of a type comes, named in GA; errors are failures."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                await self.connection.recv()
                frame = self.frames[-1]
                name = self.peer.ga_name(frame["type"])
                assert name != "error" or type_ == "error", frame
                if name == type_ and fits(frame):
                    return frame

    async def until_done(self, response_id: str) -> Json:
        """Read on until a response is done."""
        return await self.until("response.done", lambda frame: frame["response"]["id"] == response_id)

    async def say(self, pcm: bytes, pause_s: float = 0.0) -> None:
        """Append audio in chunks of 100 ms."""
        for start in range(0, len(pcm), _CHUNK_BYTES):
            chunk = base64.b64encode(pcm[start : start + _CHUNK_BYTES]).decode()
            await self.connection.input_audio_buffer.append(audio=chunk)
            await asyncio.sleep(pause_s)

    async def write(self, text: str) -> None:
        """Put a typed message into the conversation."""
        part = {"type": "input_text", "text": text}
        item = {"type": "message", "role": "user", "content": [part]}
        await self.connection.conversation.item.create(item=item)

    async def update(self, **settings: Any) -> Json:
        """Update the session; see `Peer.session`."""
        await self.connection.session.update(session=self.peer.session(**settings))
        return await self.until("session.updated")

    def said(self, response: Json) -> str:
        """Return the words of a response that is done."""
        parts = [part for item in response["output"] for part in item.get("content", [])]
        return " ".join(part.get("transcript") or part.get("text") or "" for part in parts)

    def problems(self) -> list[str]:
        """Return what of all that came is wrong for the models."""
        return [found for frame in self.frames for found in problems(frame, self.peer.dialect)]


class Peer:
    """openai-python in one dialect: ``"ga"`` on OpenAI's path, ``"preview"`` on Azure's."""

    def __init__(self, dialect: str) -> None:
        self.dialect = dialect
        self._ga = {preview: ga for ga, preview in GA_TO_PREVIEW.items()} if dialect == "preview" else {}

    def ga_name(self, type_: str) -> str:
        """Return the GA name of a server event."""
        return self._ga.get(type_, type_)

    def session(self, *, text: bool = False, transcription: bool = True, **settings: Any) -> Json:
        """Return the session of an update.

        Parameters
        ----------
        text
            Whether replies are text.
        transcription
            Whether transcripts are wanted.
        settings
            ``turn_detection``, and what both dialects name alike: instructions, tools, tool_choice.
        """
        given = {}
        if "turn_detection" in settings:
            given["turn_detection"] = settings.pop("turn_detection")
        words = {"model": "whisper-1"} if transcription else None
        if self.dialect == "preview":
            modalities = ["text"] if text else ["text", "audio"]
            return {"modalities": modalities, "input_audio_transcription": words} | given | settings
        audio = {"input": {"transcription": words} | given}
        modalities = ["text"] if text else ["audio"]
        return {"type": "realtime", "output_modalities": modalities, "audio": audio} | settings

    def named_tool(self, name: str) -> Json:
        """Return the tool choice that asks for one function."""
        return {"type": "function", "name": name}

    @asynccontextmanager
    async def connect(self, served: Json) -> AsyncIterator[Talk]:
        """Connect to a server; `served` is the ready line of ``rt-notebook serve``."""
        from openai import AsyncAzureOpenAI, AsyncOpenAI

        if self.dialect == "ga":
            base_url = served["realtime_url"].removesuffix("/realtime")
            client = AsyncOpenAI(api_key=served["api_key"], websocket_base_url=base_url)
            manager = client.realtime.connect(model="local")
        else:
            azure = AsyncAzureOpenAI(
                azure_endpoint=served["azure_endpoint"],
                websocket_base_url=served["azure_endpoint"].replace("http", "ws") + "/openai",
                api_version="2024-10-01-preview",
                api_key=served["api_key"],
            )
            manager = azure.beta.realtime.connect(model="deployment")
        async with manager as connection:
            talk = Talk(connection, self)
            await talk.until("session.created")
            yield talk
