"""F33: requested, acknowledged, observed. The real server, honest and with settings that it ignores."""

from __future__ import annotations

import asyncio

import pytest
from hosting import hosting
from survival import QUICK, TEXT, endpoint_of, events, happens, surviving

from rt_notebook.core.audio import to_pcm
from rt_notebook.core.config import SemanticVad, ServerVad, SessionConfig
from rt_notebook.io.session.session import Session

QUESTIONS = ("What is the capital of France?", "One two three four.", "Tell me more.")
DETECTION = "audio.input.turn_detection"


async def spoken(speech, detection, faults=()):
    """Speak three questions, much faster than a person would; return the table."""
    voices = await asyncio.to_thread(lambda: [to_pcm(speech(text)) for text in QUESTIONS])
    config = SessionConfig(output="text", turn_detection=detection)
    async with surviving(config=config, faults=faults) as session:
        for count, voice in enumerate(voices, start=1):
            pcm = bytes(48_000) + voice + bytes(96_000)
            for start in range(0, len(pcm), 1920):
                session.append_audio(pcm[start : start + 1920])
            await happens(session, "input_audio_buffer.committed", count=count)
            if detection.create_response or faults:
                await happens(session, "response.done", count=count)
        return session.settings().set_index("setting")


async def test_an_honest_endpoint_has_no_flags(speech):
    table = await spoken(speech, ServerVad(silence_duration_ms=600, prefix_padding_ms=200))
    assert set(table.flag) == {""}
    silence = table.loc[f"{DETECTION}.silence_duration_ms"]
    assert (silence.requested, silence.acknowledged) == (600, 600)
    assert abs(silence.observed - 600) <= 150
    assert abs(table.loc[f"{DETECTION}.prefix_padding_ms"].observed - 200) <= 150
    assert table.loc[f"{DETECTION}.create_response"].observed is True
    assert table.loc["instructions"].acknowledged
    assert table.loc["instructions"].requested is None


async def test_settings_that_are_ignored_are_flagged(speech):
    ignored = ServerVad(silence_duration_ms=900, prefix_padding_ms=800, create_response=False)
    table = await spoken(speech, ignored, faults=["ignore-settings"])
    flags = table.flag[table.flag != ""]
    assert set(flags.index) == {
        f"{DETECTION}.{name}" for name in ("silence_duration_ms", "prefix_padding_ms", "create_response")
    }
    assert "900 was acknowledged, and turns ended" in flags[f"{DETECTION}.silence_duration_ms"]
    assert "answered unasked" in flags[f"{DETECTION}.create_response"]
    assert set(table.acknowledged[flags.index]) == {900, 800, False}


async def test_a_semantic_detection_that_never_fires(speech):
    voice = await asyncio.to_thread(lambda: to_pcm(speech(" ".join(QUESTIONS * 3))))
    config = SessionConfig(output="text", turn_detection=None)
    async with surviving(config=config, faults=["ignore-settings:after=2"]) as session:
        await session.update(turn_detection=SemanticVad())
        for start in range(0, len(voice), 1920):
            session.append_audio(voice[start : start + 1920])
        await happens(session, "input_audio_buffer.append", count=len(voice) // 1920)
        table = session.settings().set_index("setting")
    assert not events(session, "input_audio_buffer.speech_started")
    assert "no turn was found in" in table.loc[f"{DETECTION}.type"].flag


async def test_what_the_endpoint_does_not_take_is_flagged():
    async with surviving(config=TEXT) as session:
        session._link.config = TEXT.replace(voice="verse")
        session._link.send({"type": "session.update", "session": {"type": "realtime", "unheard_of": 1}})
        await happens(session, "error")
        table = session.settings().set_index("setting")
        assert table.loc["unheard_of"].flag == "The endpoint has not answered yet."
    assert list(table.columns) == ["requested", "acknowledged", "observed", "flag"]


@pytest.mark.parametrize("dialect", ["ga", "preview"])
async def test_both_dialects_have_one_vocabulary(dialect):
    async with hosting(reply="rules") as server:
        config = TEXT if dialect == "ga" else TEXT.replace(temperature=0.7)
        async with Session(endpoint_of(server, dialect=dialect), config, reconnect=QUICK) as session:
            table = session.settings().set_index("setting")
    assert table.loc[f"{DETECTION}.silence_duration_ms"].acknowledged == 500
    told = table.flag[table.flag != ""]
    assert set(told.index) <= {f"{DETECTION}.idle_timeout_ms"}
