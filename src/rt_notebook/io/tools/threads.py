"""Where the functions of tools run: never on the session thread, whatever they do."""

from __future__ import annotations

import asyncio
import inspect
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from rt_notebook.io.runtime import Runtime

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from rt_notebook.io.runtime import Pending

__all__ = ["Failure", "ToolThreads", "output_text"]


@dataclass(frozen=True, slots=True)
class Failure:
    """A function raised this."""

    error: BaseException


class ToolThreads:
    """Runs functions: each synchronous one in a thread of its own, asynchronous ones in one loop.

    What a synchronous one returns is awaited in that loop where it can be: a decorator may hide a coroutine.

    All threads are daemons: a function that never returns keeps no interpreter from ending. A synchronous
    function cannot be stopped; it is left alone, and what it returns is not asked for any more.
    """

    def __init__(self) -> None:
        self._runtime: Runtime | None = None
        self._making = threading.Lock()
        self._running: dict[str, Pending[None]] = {}

    def start(
        self,
        key: str,
        function: Callable[..., Any],
        arguments: dict[str, Any],
        report: Callable[[object], object],
    ) -> None:
        """Run a function; `report` is called, on another thread, with what it returns, or a `Failure`."""
        if inspect.iscoroutinefunction(function):
            self._await(key, function(**arguments), report)
            return

        def run() -> None:
            try:
                result = function(**arguments)
            except BaseException as error:  # a thread that ends by itself would leave the call open
                report(Failure(error))
            else:
                if inspect.isawaitable(result):
                    self._await(key, result, report)
                else:
                    report(result)

        threading.Thread(target=run, name="rt_notebook tool", daemon=True).start()

    def _await(self, key: str, work: Awaitable[Any], report: Callable[[object], object]) -> None:
        async def run() -> None:
            try:
                result = await work
            except asyncio.CancelledError:
                report(Failure(asyncio.CancelledError("it was cancelled")))
                raise
            except BaseException as error:  # SystemExit would end the loop, and all other tools with it
                report(Failure(error))
            else:
                report(result)

        with self._making:
            if self._runtime is None:
                self._runtime = Runtime("rt_notebook tools")
            self._running[key] = self._runtime.submit(run())

    def stop(self, key: str) -> None:
        """Cancel a function, if it is asynchronous and still runs."""
        running = self._running.pop(key, None)
        if running is not None:
            running.cancel()

    def close(self) -> None:
        """End the loop, without waiting for it."""
        if self._runtime is not None:
            self._runtime.call_soon(self._runtime.loop.stop)
            self._runtime = None


def output_text(result: object) -> str:
    """Return a function's result as the model is told it: a text as it is, all else as JSON.

    Raises
    ------
    TypeError, ValueError
        It cannot be said in JSON.
    """
    return result if isinstance(result, str) else msgspec.json.encode(result, enc_hook=_simpler).decode()


def _simpler(value: Any) -> object:
    """Return arrays as lists, and everything else that JSON does not know as its text."""
    to_list = getattr(value, "tolist", None)
    return str(value) if to_list is None else to_list()
