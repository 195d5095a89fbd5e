"""One response in the making: what it was asked for, the items that it writes, and how it ends.

A message and the calls beside it may be open at the same time, as on the wire: each event names its item.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rt_notebook.server.engine.output_items import OutputCall, OutputMessage
from rt_notebook.server.engine.usage import response_usage

if TYPE_CHECKING:
    from rt_notebook.server.engine.response_plan import ResponsePlan
    from rt_notebook.server.engine.state import SessionState

__all__ = ["Response"]

Json = dict[str, Any]


class Response:
    """A response.

    Attributes
    ----------
    waiting_for
        Ids of the items whose words it has to wait for.
    job_id
        The work of the reply component for it, once that was asked for.
    """

    def __init__(self, state: SessionState, response_id: str, plan: ResponsePlan) -> None:
        self._state = state
        self.id = response_id
        self.plan = plan
        context = plan.context(state)
        self.waiting_for = {item.id for item in context if item.untranscribed}
        self.job_id: str | None = None
        self._outputs: list[OutputMessage | OutputCall] = []
        self._message: OutputMessage | None = None
        self._call: OutputCall | None = None
        state.send({"type": "response.created", "response": self._object("in_progress", None, None)})

    @property
    def audio_ms(self) -> int:
        """Speech made so far."""
        return 0 if self._message is None else self._message.audio_ms

    def _object(self, status: str, details: Json | None, usage: Json | None) -> Json:
        done = status != "in_progress"
        return {
            "object": "realtime.response",
            "id": self.id,
            "status": status,
            "status_details": details,
            "output": [output.item.snapshot() for output in self._outputs] if done else [],
            "conversation_id": self._state.conversation_id if self.plan.shared else None,
            **self.plan.settings,
            "usage": usage,
        }

    def _opened_message(self) -> OutputMessage:
        if self._message is None:
            self._message = OutputMessage(
                self._state,
                self.id,
                len(self._outputs),
                shared=self.plan.shared,
                aloud=self.plan.aloud,
                audio_format=self.plan.output_format,
            )
            self._outputs.append(self._message)
        return self._message

    def write(self, text: str) -> None:
        """Take some more text of the message."""
        self._opened_message().write(text)

    def speak(self, pcm: bytes, text_end: int) -> None:
        """Take some speech of the message, which says its text up to character `text_end`."""
        self._opened_message().speak(pcm, text_end)

    def call(self, name: str, arguments: str) -> None:
        """Take a piece of a function call; a name begins one."""
        if name:
            self._close_call("completed")
            self._call = OutputCall(self._state, self.id, len(self._outputs), name, shared=self.plan.shared)
            self._outputs.append(self._call)
        if self._call is not None and arguments:
            self._call.write(arguments)

    def _close_call(self, status: str) -> None:
        if self._call is not None:
            self._call.close(status)
            self._call = None

    def end(self, status: str, details: Json | None = None) -> None:
        """End all that is open, and the response with it."""
        context = [
            item for item in self.plan.context(self._state) if item not in [o.item for o in self._outputs]
        ]
        if status == "completed" and not self._outputs:
            self._opened_message()
        item_status = "completed" if status == "completed" else "incomplete"
        if self._message is not None:
            self._message.close(item_status)
        self._close_call(item_status)
        text = "" if self._message is None else self._message.text
        text += "".join(output.arguments for output in self._outputs if isinstance(output, OutputCall))
        usage = response_usage(context, self.plan.instructions or "", text, self.audio_ms)
        self._state.send({"type": "response.done", "response": self._object(status, details, usage)})
