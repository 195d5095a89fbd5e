"""A session's life over several connections: open, come back after a loss, move on before its time ends."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any, Literal

from rt_notebook.core.audio import pcm_samples
from rt_notebook.core.reconnect import Ending, GiveUp, Reconnects
from rt_notebook.errors import RtNotebookError, SessionClosedError
from rt_notebook.io.connection.connection import Connection
from rt_notebook.io.connection.endings import as_ours, cause_of, ending_of_error
from rt_notebook.io.connection.gap import Gap
from rt_notebook.io.connection.held_audio import HeldAudio
from rt_notebook.io.connection.limit_guard import LimitGuard
from rt_notebook.io.connection.restore import restore
from rt_notebook.io.connection.rollover import Rollover
from rt_notebook.log.fields import as_dict, as_text

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from rt_notebook.core.events import Event
    from rt_notebook.core.limits import SessionLimits, Trip
    from rt_notebook.core.reconnect import ReconnectPolicy
    from rt_notebook.io.connection.owner import Owner

__all__ = ["LifeState", "Lifeline"]

LifeState = Literal["idle", "connecting", "open", "reconnecting", "resting", "switching", "closed"]
"""``"resting"``: the endpoint closed an idle connection, and the next word opens another. ``"switching"``:
a planned change of the connection, between turns."""


class Lifeline:
    """Keeps one connection open for its `Owner`. Lives on the session thread.

    Attributes
    ----------
    state
        Where it stands.
    connection
        The one that serves now, or served last.
    error
        Why the session is over, when nobody closed it.
    """

    def __init__(self, owner: Owner, policy: ReconnectPolicy, limits: SessionLimits) -> None:
        self.state: LifeState = "idle"
        self.connection: Connection | None = None
        self.error: RtNotebookError | None = None
        self._owner = owner
        self._policy = policy
        self._reconnects = Reconnects(policy, random.Random(policy.seed))  # noqa: S311 - for jitter
        self._limits = LimitGuard(limits, owner.clock_s, self._limit_reached)
        self._rollover = Rollover(owner, policy, self._successor)
        self._generation = 0
        self._noted_generation = 0
        self._gap: Gap | None = None
        self._held = HeldAudio()
        self._wake = asyncio.Event()
        self._moved = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing: asyncio.Task[None] | None = None

    def _set(self, state: LifeState) -> None:
        if self.state != "closed":
            self.state = state
        self._moved.set()
        self._moved = asyncio.Event()

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # -- what goes out ------------------------------------------------------------------------------

    async def ready(self) -> None:
        """Return when the session is open; one that rests is woken.

        Raises
        ------
        SessionClosedError
            It is not going to be open.
        """
        while self.state not in {"open", "idle", "closed"}:
            self._wake.set()
            await self._moved.wait()
        if self.state != "open":
            raise self.over()

    async def settled(self) -> None:
        """Do as `ready`, and let one that rests go on resting."""
        while self.state in {"connecting", "reconnecting"}:
            await self._moved.wait()
        if self.state in {"idle", "closed"}:
            raise self.over()

    def over(self) -> RtNotebookError:
        """Return why nothing can be had of the session."""
        if self.error is not None:
            return self.error
        if self.state == "closed":
            return SessionClosedError("The session was closed.", "Make a new Session.")
        return SessionClosedError("The session is not open.", "Call connect() first.")

    def send(self, event: dict[str, Any]) -> None:
        """Queue an event; count it where nobody takes it."""
        if self.state == "open":
            self.write(event)
        elif self._gap is not None:
            self._gap.dropped_events += 1

    def write(self, event: dict[str, Any]) -> None:
        """Queue an event on the connection as it is, also while the session is being restored on it."""
        if self.connection is None or self.connection.ended.done():
            raise self.over()
        self.connection.send(event)

    def send_audio(self, pcm: bytes) -> None:
        """Queue live audio; keep it while the next connection is prepared; count it where it is lost."""
        if self.state == "open" and self.connection is not None:
            self.connection.send(pcm)
        elif self._held.holding:
            if self._held.put(pcm) and self.state == "resting":
                self._held.woken()
                self._wake.set()
        elif self._gap is not None:
            self._gap.lost_samples += pcm_samples(pcm)

    def follow(self, event: Event) -> None:
        """Take every event that the owner logs."""
        self._limits.follow(event)
        if event.type == "response.done":
            status = as_text(as_dict(event.data.get("response")).get("status"))
            if status in {"completed", "cancelled"}:
                self._reconnects.fruitful()
        self._rollover.moved.set()

    # -- opening ------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Open the first connection.

        Raises
        ------
        ConnectError
            The endpoint cannot be reached or refuses.
        ServerError
            The endpoint refuses the configuration.
        SessionClosedError
            The session was closed meanwhile.
        """
        self._set("connecting")
        attempt = 0
        while (ending := await self._attempt()) is not None:
            if ending.by == "local":
                raise self.over()
            attempt += 1
            decision = self._reconnects.ended(ending, self._owner.clock_s())
            if isinstance(decision, GiveUp):
                raise cause_of(self._owner.endpoint.label, ending, decision, self.error)
            await self._wait(attempt, decision.delay_s, ending)
        self._opened()
        self._begin(self._live())
        self._begin(self._limits.watch())

    async def _attempt(self) -> Ending | None:
        """Open a connection and restore the session on it; return how that failed, or None."""
        connection = self._successor()
        try:
            await connection.open()
        except Exception as error:
            return self._failed(error)
        return await self._adopt(connection)

    def _failed(self, error: Exception) -> Ending:
        """Keep why an attempt failed, and tell what it means for the next one."""
        self.error = as_ours(error)
        return ending_of_error(error)

    def _successor(self) -> Connection:
        owner = self._owner
        self._generation += 1
        return Connection(
            self._generation,
            owner.endpoint,
            self._policy,
            owner.clock_s,
            arrived=owner.arrived,
            owed=lambda: len(owner.answers) > 0,
            lost=lambda samples: owner.record("local.mic_gap", lost_samples=samples, where="outbox"),
        )

    async def _adopt(self, connection: Connection) -> Ending | None:
        """Let an open connection serve, and tell it everything; return how that failed, or None."""
        owner = self._owner
        if self.state == "closed":  # while hands were being shaken
            ending = Ending("local", "closed before it was open")
            connection.give_up(ending)
            return ending
        self.connection = connection
        self._reconnects.accepted(owner.clock_s())
        self._held.hold()
        connection.ended.add_done_callback(lambda _: self._note_end(connection))
        told = {"endpoint": owner.endpoint.label, "dialect": owner.endpoint.dialect}
        owner.record("local.connected", **told, generation=connection.generation)
        try:
            restored = await restore(owner, connection, first=self._gap is None)
        except Exception as error:
            ending = self._failed(error)
            if not connection.ended.done():
                connection.give_up(ending)
            self._note_end(connection)
            return connection.ended.result()
        self._reconnects.restored()
        self.error = None
        if self._gap is not None:
            gap, self._gap = self._gap, None
            owner.record("local.gap", **gap.told(restored, connection.generation, owner.clock_s()))
        return None

    def _opened(self) -> None:
        """Say that the session is open, and send what was kept while the connection was prepared."""
        self._wake.clear()
        self._set("open")
        for pcm in self._held.release():
            self.send_audio(pcm)

    # -- living -------------------------------------------------------------------------------------

    async def _live(self) -> None:
        while True:
            ending = await self._served()
            if ending.by == "local" or not await self._come_back(ending):
                return

    async def _served(self) -> Ending:
        """Wait for the end of the connection; before its time is over, move on to another."""
        while True:
            connection = self.connection
            assert connection is not None  # noqa: S101 - it was opened
            moving = asyncio.create_task(self._rollover.prepare(connection))
            try:
                waited: set[asyncio.Future[Any]] = {connection.ended, moving}
                await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            finally:
                moving.cancel()
                prepared, *_ = await asyncio.gather(moving, return_exceptions=True)
            if connection.ended.done():
                if isinstance(prepared, Connection):
                    await prepared.stop()
                return connection.ended.result()
            ending = await self._switch(connection, moving.result())
            if ending is not None:
                return ending

    async def _switch(self, old: Connection, new: Connection) -> Ending | None:
        """Change over to a connection that is open; live audio waits meanwhile and is not lost."""
        self._set("switching")
        self._held.hold()
        self._gap = Gap(self._owner.clock_s(), "planned")
        self._owner.player.conversation_over()
        self._noted_generation = old.generation
        self._tell_closed(old, Ending("local", "before its time was over", 1000), expected=True)
        self.connection = new
        self._begin(old.close())
        ending = await self._adopt(new)
        if ending is None:
            self._opened()
        return ending

    # -- coming back --------------------------------------------------------------------------------

    def _note_end(self, connection: Connection) -> None:
        """Log the end of the connection, and let go of what it took along; a second call does nothing."""
        if connection is not self.connection or self._noted_generation >= connection.generation:
            return
        self._noted_generation = connection.generation
        owner, ending = self._owner, connection.ended.result()
        self._tell_closed(connection, ending, expected=self.state == "closed")
        if self.state != "connecting":
            since_s = connection.last_heard_s if connection.silent else owner.clock_s()
            self._gap = self._gap or Gap(since_s, ending.reason)
            self._gap.take(connection)
            self._set("reconnecting")
        if connection.watch.responses:
            owner.player.silence(None)
        owner.player.conversation_over()
        connection.protocol.active_response_id = None
        owner.lost()
        self._begin(connection.stop())

    def _tell_closed(self, connection: Connection, ending: Ending, *, expected: bool) -> None:
        self._owner.record(
            "local.closed",
            by=ending.by,
            code=ending.code,
            reason=ending.reason,
            expected=expected,
            generation=connection.generation,
            interrupted=list(connection.watch.responses),
        )

    async def _come_back(self, ending: Ending) -> bool:
        """Try until the session is open again; return whether it is."""
        rests = self._may_rest(ending)
        attempt = 0
        while True:
            attempt += 1
            decision = self._reconnects.ended(ending, self._owner.clock_s())
            if isinstance(decision, GiveUp):
                self._give_up(ending, decision)
                return False
            if rests and attempt == 1:
                await self._rest(ending)
            else:
                if self._gap is not None:
                    self._gap.lost_samples += self._held.drop()
                await self._wait(attempt, decision.delay_s, ending)
            again = await self._attempt()
            if again is None:
                self._opened()
                return True
            if again.by == "local":
                return False
            ending = again

    async def _wait(self, attempt: int, delay_s: float, ending: Ending) -> None:
        told = {"cause": ending.reason, "code": ending.code}
        self._owner.record("local.reconnecting", attempt=attempt, delay_s=delay_s, **told)
        await asyncio.sleep(delay_s)

    def _may_rest(self, ending: Ending) -> bool:
        """Whether to wait for a word: the endpoint said goodbye, and nobody was talking."""
        connection = self.connection
        return (
            ending.by == "server"
            and not ending.fatal
            and connection is not None
            and not connection.watch.busy
            and not self._owner.creating.locked()
            and self._owner.clock_s() - connection.opened_s >= self._policy.short_life_s
        )

    async def _rest(self, ending: Ending) -> None:
        self._held.rest()
        self._set("resting")
        self._owner.record("local.resting", cause=ending.reason)
        await self._wake.wait()
        self._set("reconnecting")
        self._held.woken()
        # Silence that was not sent while it rested is not lost.
        self._gap = Gap(self._owner.clock_s(), ending.reason)

    def _give_up(self, ending: Ending, decision: GiveUp) -> None:
        cause = cause_of(self._owner.endpoint.label, ending, decision, self.error)
        self.error = SessionClosedError(
            f"The connection was lost and is not tried again. {cause.problem}",
            f"{cause.remedy} Then open a new Session.",
        )
        told = {"cause": ending.reason, "why": decision.why}
        self._owner.record("local.gave_up", message=str(self.error), **told)
        self._set("closed")
        self._owner.tell(None)

    # -- the end ------------------------------------------------------------------------------------

    def _limit_reached(self, trip: Trip) -> None:
        if self.state == "closed":  # what it ended by stays what is told
            return
        self.error = SessionClosedError(trip.message, "Open a new Session, with a higher limit if you like.")
        self._owner.record("local.limit", limit=trip.limit, value=trip.value, message=str(self.error))
        self._closing = self._closing or asyncio.create_task(self._close(trip.limit))

    async def close(self) -> None:
        """Say goodbye and end; a second call waits for the first."""
        if self._closing is None:
            self._closing = asyncio.create_task(self._close(""))
        # Shielded: whoever stops waiting does not keep the socket open.
        await asyncio.shield(self._closing)

    async def _close(self, reason: str) -> None:
        if self.state == "closed":
            return
        owner, connection = self._owner, self.connection
        if not reason and self.state != "connecting":
            self.error = None  # of an attempt: it was closed on purpose
        self._set("closed")
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if connection is not None and not connection.ended.done():
            owner.player.flush()
            await connection.close(reason)
            self._note_end(connection)
        owner.lost()
        owner.tell(None)
