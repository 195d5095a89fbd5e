"""The thread and asyncio loop that sessions live in, away from the kernel's own loop.

A cell that blocks for a minute must not drop a socket or a sample, so nothing of a session runs in the
kernel's thread. Callers get a `Pending`: the work has already begun on the session thread, and the caller may
await it, block for it, or let it go.
"""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    import concurrent.futures
    from collections.abc import Callable, Coroutine, Generator

__all__ = ["Pending", "Runtime"]

T = TypeVar("T")


class Pending(Generic[T]):
    """Work that runs on the session thread. ``await`` it, or call `result` to block.

    Awaiting needs no special loop: it works at the top level of a notebook cell and in any asyncio program.

    Parameters
    ----------
    future
        The work.
    ends_with_waiter
        Whether the work is cancelled when whoever awaits it is, or is interrupted. By default only the
        waiting ends: the session goes on.
    """

    def __init__(self, future: concurrent.futures.Future[T], *, ends_with_waiter: bool = False) -> None:
        self._future = future
        self._ends_with_waiter = ends_with_waiter

    if not TYPE_CHECKING:  # a type checker knows what there is

        def __getattr__(self, name: str) -> Any:
            """Say what is missing: what the work returns has the attribute, perhaps."""
            forgotten = "" if name.startswith("_") else ". Await it first, or call .result()"
            raise AttributeError(
                f"'Pending' object has no attribute {name!r}{forgotten}", name=name, obj=self
            )

    def __await__(self) -> Generator[Any, None, T]:
        waited: asyncio.Future[T] = asyncio.wrap_future(self._future)
        return (waited if self._ends_with_waiter else asyncio.shield(waited)).__await__()

    def result(self, timeout_s: float | None = None) -> T:
        """Block until the work is done and return what it returns.

        Raises
        ------
        TimeoutError
            It took longer than `timeout_s` seconds; the work goes on.
        """
        try:
            return self._future.result(timeout_s)
        except KeyboardInterrupt:
            if self._ends_with_waiter:
                self._future.cancel()
            raise

    def cancel(self) -> None:
        """Stop the work; what it had begun is taken back where that is possible."""
        self._future.cancel()

    def done(self) -> bool:
        """Whether the work has ended."""
        return self._future.done()

    def add_done_callback(self, callback: Callable[[Pending[T]], object]) -> None:
        """Call `callback` with this object when the work ends, on the session thread."""
        self._future.add_done_callback(lambda _: callback(self))


class Runtime:
    """One daemon thread with one asyncio loop. `stop` ends it; a second `stop` does nothing."""

    def __init__(self, name: str) -> None:
        self.loop = asyncio.new_event_loop()
        self._calls: list[tuple[Callable[..., object], tuple[object, ...]]] | None = None
        # Reentrant: the garbage collector may end a forgotten session in the middle of a call.
        self._lock = threading.RLock()
        self._over = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        try:
            self.loop.run_forever()
        finally:
            # What was submitted in the last moment begins: only then can it say that its session is over.
            self.loop.run_until_complete(asyncio.sleep(0))
            tasks = asyncio.all_tasks(self.loop)
            for task in tasks:
                task.cancel()
            if tasks:
                self.loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
            self.loop.run_until_complete(self.loop.shutdown_asyncgens())
            self.loop.close()

    @property
    def alive(self) -> bool:
        """Whether work can be submitted."""
        return self._thread.is_alive() and not (self._over or self.loop.is_closed())

    def inside(self) -> bool:
        """Whether the caller is on this thread."""
        return threading.current_thread() is self._thread

    def submit(self, work: Coroutine[Any, Any, T], *, ends_with_waiter: bool = False) -> Pending[T]:
        """Begin `work` on the session thread; `Pending` says what `ends_with_waiter` is.

        Raises
        ------
        RuntimeError
            The thread has ended, or is told to.
        """
        with self._lock:
            if self._over:
                raise RuntimeError("the thread has ended")
            future = asyncio.run_coroutine_threadsafe(work, self.loop)
        return Pending(future, ends_with_waiter=ends_with_waiter)

    def call_soon(self, callback: Callable[..., object], *args: object) -> None:
        """Run `callback` on the session thread, in the order of the calls; silently not, once stopped.

        Calls that come before the thread has woken up wake it once.
        """
        with self._lock:
            calls = self._calls
            if calls is None:
                calls = []
                try:
                    self.loop.call_soon_threadsafe(self._do, calls)
                except RuntimeError:
                    return
                self._calls = calls
            calls.append((callback, args))

    def _do(self, calls: list[tuple[Callable[..., object], tuple[object, ...]]]) -> None:
        with self._lock:
            if self._calls is calls:
                self._calls = None
        for callback, args in calls:
            try:
                callback(*args)
            except Exception as error:
                self.loop.call_exception_handler(
                    {"message": f"{callback!r} failed on the session thread", "exception": error}
                )

    def stop(self, timeout_s: float = 2.0) -> None:
        """End the loop and its thread, cancelling what still runs."""
        with self._lock:
            if not self._over:
                self.call_soon(self.loop.stop)
            self._over = True
        if not self.inside():
            self._thread.join(timeout_s)
