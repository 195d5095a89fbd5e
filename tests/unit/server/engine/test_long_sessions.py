"""Sessions that go on and on: what the engine keeps of them has an end."""

from __future__ import annotations

import gc
import tracemalloc

import pytest
from engine_driver import Driver

from rt_notebook.server.engine import items
from rt_notebook.server.engine.abilities import Abilities
from rt_notebook.server.engine.items import Conversation, Item

TURNS = 100


@pytest.fixture(autouse=True)
def small_bounds(monkeypatch):
    """A tenth of the bounds, so that a tenth of the talk reaches them."""
    for name in ("_KEPT_AUDIO_BYTES", "_MOST_ITEMS", "_KEPT_CHARS"):
        monkeypatch.setattr(items, name, getattr(items, name) // 10)


def item(number, text="", audio=b"", heard=b""):
    content = [{"type": "input_text", "text": text}]
    wire = {"id": f"item_{number}", "type": "message", "role": "user", "content": content}
    return Item(wire, audio=audio, heard=heard)


def test_audio_that_is_heard_as_it_came_is_counted_once():
    conversation, audio = Conversation(), bytes(items._KEPT_AUDIO_BYTES // 4)
    for number in range(5):
        conversation.add(item(number, audio=audio, heard=audio))
    assert [bool(item.audio) for item in conversation.items] == [False, True, True, True, True]
    other = bytes(len(audio))
    conversation.add(item(5, audio=audio, heard=other))
    assert [bool(item.audio) for item in conversation.items] == [False, False, False, True, True, True]


def test_the_oldest_items_go_when_there_are_too_many_or_too_long_ones():
    conversation = Conversation()
    for number in range(items._MOST_ITEMS + 3):
        conversation.add(item(number))
    assert len(conversation.items) == items._MOST_ITEMS
    assert conversation.items[0].id == "item_3"
    long = "x" * (items._KEPT_CHARS // 2)
    assert conversation.add(item("long", long)) == f"item_{items._MOST_ITEMS + 2}"
    conversation.add(item("longer", long))
    assert [item.id for item in conversation.items] == ["item_longer"]
    assert conversation.add(item("first"), "root") is None
    assert [item.id for item in conversation.items] == ["item_first", "item_longer"]


def test_a_long_talk_stays_within_bounds():
    """Spoken turns of a second, answered with a second: twice the audio that may be kept."""
    driver = Driver(abilities=Abilities(needs_words=False))
    driver.send("session.update", session={"type": "realtime"})
    gc.collect()
    tracemalloc.start()
    try:
        for _ in range(TURNS):
            driver.say_turn()
            driver.reply("Yes.")
            del driver.events[1:]
        gc.collect()
        held = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    conversation = driver.engine._state.conversation
    assert len(conversation.items) == 2 * TURNS
    assert sum(item.audio_ms * 48 for item in conversation.items) > 2 * items._KEPT_AUDIO_BYTES
    assert sum(item.audio_bytes for item in conversation.items) <= items._KEPT_AUDIO_BYTES
    assert held < items._KEPT_AUDIO_BYTES + 4000 * len(conversation.items)
