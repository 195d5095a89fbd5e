"""Tell a new connection what the session is: its whole configuration first, then what was said before."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rt_notebook.errors import ServerError
from rt_notebook.log.history import History, fold_history

if TYPE_CHECKING:
    from rt_notebook.io.connection.connection import Connection
    from rt_notebook.io.connection.owner import Owner

__all__ = ["Restored", "restore"]


@dataclass(frozen=True, slots=True)
class Restored:
    """What the endpoint was told, and what it was not or did not take."""

    told: list[str]
    item_ids: list[str]
    left_out: list[str]


async def restore(owner: Owner, connection: Connection, *, first: bool) -> Restored:
    """Begin to read and write on a connection that has just been opened, and restore the session on it.

    `first` says that nothing was said before.

    Raises
    ------
    ServerError
        The endpoint refuses the configuration.
    SessionClosedError
        The connection ended meanwhile.
    ConnectError
        The endpoint does not answer.
    """
    history = History([], []) if first else await asyncio.to_thread(fold_history, list(owner.log))
    created = owner.answers.next(lambda event: event.type == "session.created")
    connection.start()
    await owner.answer(created, "session.created")
    update = {"type": "session.update", "session": owner.config.to_wire()}
    await owner.exchange(update, "session.updated")
    if first:
        return Restored(["the configuration"], [], [])
    # All are sent at once: over a long way, one answer at a time would take a second for a dozen.
    taken = await asyncio.gather(
        *(
            owner.exchange({"type": "conversation.item.create", "item": item}, "conversation.item.added")
            for item in history.items
        ),
        return_exceptions=True,
    )
    item_ids, refused = [], 0
    for outcome in taken:
        if isinstance(outcome, ServerError):
            refused += 1
        elif isinstance(outcome, BaseException):
            raise outcome
        else:
            item_ids.append(outcome.item_id or "")
    told = ["the configuration"] + (
        [f"{len(item_ids)} items of the conversation, as text"] if item_ids else []
    )
    left_out = history.left_out + ([f"items that the endpoint refused ({refused})"] if refused else [])
    return Restored(told, item_ids, left_out)
