"""The connection is dropped at every event of three turns: the log stays whole, and the session goes on."""

from __future__ import annotations

from chaos_proxy import Strike, chaos
from hosting import hosting
from survival import QUICK, TEXT, asked, check_whole, endpoint_of, events, lives

from rt_notebook.io.session.session import Session

QUESTIONS = ("What is 1 plus 2?", "Thank you.", "What is 3 times 3?")
ANSWERS = ["That makes 3.", "You are welcome.", "That makes 9."]


async def conversation(server, strike):
    async with chaos(server.port, strike) as proxy:
        session = Session(endpoint_of(server, proxy.port), TEXT, reconnect=QUICK)
        try:
            await session.connect()
            turns = [await asked(session, question) for question in QUESTIONS]
            assert session.state == "open"
        finally:
            await session.close()
        return session, proxy, turns


async def every_drop(direction, how, step=1):
    async with hosting(reply="rules") as server:
        _, proxy, _ = await conversation(server, Strike())
        frames = getattr(proxy, f"frames_{direction}")
        assert frames > {"down": 30, "up": 6}[direction]
        # The last frames are the goodbye, or come when nobody waits for them.
        for number in range(1, frames - {"down": 2, "up": 0}[direction], step):
            strike = Strike(how, **{direction: number}, byte=number % 2)
            session, proxy, turns = await conversation(server, strike)
            assert proxy.connections == 2, number
            assert [turn.assistant for turn in turns] == ANSWERS, number
            assert {turn.status for turn in turns} == {"completed"}, number
            check_whole(session)
            check_restored(session)


def check_restored(session):
    """What was said before the drop was told again, in its order and under its ids."""
    first, second = lives(session.log)[-2:] if len(lives(session.log)) > 1 else (None, None)
    if first is None or not events(session, "local.gap"):
        return  # the first connection was not open yet
    (gap,) = events(session, "local.gap")
    known = [e.item_id for e in first if e.type == "conversation.item.added"]
    again = [e.data["item"].get("id") for e in second if e.type == "conversation.item.create"]
    again = again[: len(gap.data["restored_items"])]
    assert gap.data["restored_items"] == again
    assert [item_id for item_id in known if item_id in again] == again
    users = {
        e.item_id for e in first if e.type == "conversation.item.added" and e.data["item"]["role"] == "user"
    }
    assert users <= set(again), "no question of the user is forgotten"


async def test_at_every_event_from_the_server():
    await every_drop("down", "reset")


async def test_without_a_reset_at_some():
    await every_drop("down", "cut", step=7)


async def test_at_every_event_from_the_client():
    await every_drop("up", "reset")
