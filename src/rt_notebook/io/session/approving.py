"""The part of a `Session` that allows calls of tools, or does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rt_notebook.core.tool_call import PendingCall
    from rt_notebook.io.runtime import Pending
    from rt_notebook.io.session.link import Link

__all__ = ["Approving"]


class Approving:
    """Says yes or no to the calls that wait. Mixed into `Session`."""

    _link: Link

    if TYPE_CHECKING:

        def _submit(self, work: Any, *, ends_with_waiter: bool = False) -> Pending[Any]: ...

    @property
    def pending_calls(self) -> tuple[PendingCall, ...]:
        """The calls of tools that wait for `approve` or `deny`, the oldest first."""
        return self._link.tools.pending

    def approve(self, call: PendingCall | str) -> Pending[bool]:
        """Let a call run, this one and no other.

        Parameters
        ----------
        call
            One of `pending_calls`, or its ``call_id``. An object stands for its arguments, too: were they
            others by now, nothing would run.

        Returns
        -------
        Pending of bool
            Whether it was waiting: after an interruption, a time-out or an answer, nothing happens.

        Examples
        --------
        >>> for call in session.pending_calls:
        ...     print(call.name, call.arguments)
        ...     session.approve(call)
        """
        return self._submit(self._answer(call, yes=True, reason=""))

    def deny(self, call: PendingCall | str, reason: str = "") -> Pending[bool]:
        """Refuse a call, and tell the model so, with the `reason` where there is one."""
        return self._submit(self._answer(call, yes=False, reason=reason))

    async def _answer(self, call: PendingCall | str, *, yes: bool, reason: str) -> bool:
        call_id, digest = (call, None) if isinstance(call, str) else (call.call_id, call.digest)
        tools = self._link.tools
        return tools.approve(call_id, digest) if yes else tools.deny(call_id, digest, reason)
