"""Ask for an answer. An endpoint makes one at a time, so whoever asks waits for those before."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from rt_notebook.errors import NoReplyError, ServerError

if TYPE_CHECKING:
    from collections.abc import Callable

    from rt_notebook.io.connection.owner import Owner

__all__ = ["REPLY_TIMEOUT_S", "ask_for_answer", "ask_for_next_answer"]

REPLY_TIMEOUT_S = 120.0
ATTEMPTS = 3


async def ask_for_next_answer(owner: Owner, *, unless: Callable[[], bool]) -> None:
    """Ask for an answer when it is this caller's turn, and return when it is begun.

    `unless` is called in the last moment; if it returns True, the answer is not asked for.

    Raises
    ------
    ServerError
        The endpoint refuses.
    """
    async with owner.creating:
        await ask_for_answer(owner, unless)


async def ask_for_answer(owner: Owner, unless: Callable[[], bool] | None = None) -> None:
    """Do as `ask_for_next_answer`, with ``owner.creating`` held."""
    event: dict[str, Any] = {"type": "response.create"}
    for _ in range(ATTEMPTS):
        await _answer_over(owner)
        if unless is not None and unless():
            return
        try:
            await owner.request(event, "response.created")
            return
        except ServerError as error:
            # The endpoint itself had just begun one, because a turn was over.
            if error.code != "conversation_already_has_active_response":
                raise
            refused = error
    raise refused


async def _answer_over(owner: Owner) -> None:
    active = owner.protocol.active_response_id
    if active is not None:
        over = owner.answers.next(lambda event: event.type == "response.done" and event.response_id == active)
        try:
            await asyncio.wait_for(over, REPLY_TIMEOUT_S)
        except TimeoutError:
            raise NoReplyError(
                f"The answer that is being made did not end within {REPLY_TIMEOUT_S:.0f} s.",
                "Call interrupt() first.",
            ) from None
