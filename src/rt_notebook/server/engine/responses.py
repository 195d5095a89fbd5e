"""The responses of a session: the one that writes into the conversation, and any number out of band."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from rt_notebook.server.engine.effects import CancelReply
from rt_notebook.server.engine.refusal import BadRequest
from rt_notebook.server.engine.response import Response
from rt_notebook.server.engine.response_plan import ResponsePlan, planned
from rt_notebook.server.engine.usage import rate_limits

if TYPE_CHECKING:
    from collections.abc import Callable

    from rt_notebook.server.engine.draft import Draft
    from rt_notebook.server.engine.effects import MakeReply
    from rt_notebook.server.engine.items import Item
    from rt_notebook.server.engine.state import SessionState

__all__ = ["Responses", "failure"]

Json = dict[str, Any]


def failure(code: str, message: str) -> Json:
    """Return the status details of a response that failed."""
    return {"type": "failed", "error": {"type": "server_error", "code": code, "message": message}}


class Responses:
    """Begin responses, route the components' results to them, and end them.

    Parameters
    ----------
    state
        The session.
    write_down
        Asks for the words of an item that holds speech.
    """

    def __init__(self, state: SessionState, write_down: Callable[[Item], None]) -> None:
        self._state = state
        self._write_down = write_down
        self._tell_end: Callable[[int], None] | None = None
        self._open: list[Response] = []

    def on_end(self, tell: Callable[[int], None]) -> None:
        """Tell of each response in the conversation that ends of itself, with its audio's length in ms."""
        self._tell_end = tell

    @property
    def active(self) -> Response | None:
        """The response that writes into the conversation."""
        return next((response for response in self._open if response.plan.shared), None)

    # -- the client's events --------------------------------------------------------------------------

    def create(self, event: Json) -> None:
        """Begin a response that the client asks for."""
        self._check_type()
        plan = planned(self._state, event.get("response", {}))
        if plan.shared and self.active is not None:
            raise already_active(self.active)
        for item in plan.given or ():
            if item.untranscribed and item.audio and item not in self._state.conversation.items:
                self._write_down(item)
        self._request_reply(self._begun(plan))

    def cancel(self, event: Json) -> None:
        """Break off the response that is named, or the conversation's."""
        wanted = event.get("response_id")
        named = (response for response in self._open if response.id == wanted)
        response = self.active if wanted is None else next(named, None)
        if response is None:
            raise BadRequest(
                "response_cancel_not_active", "Cancellation failed: no active response found", "response_id"
            )
        self.end(response, "cancelled", {"type": "cancelled", "reason": "client_cancelled"})

    def _check_type(self) -> None:
        if self._state.session["type"] != "realtime":
            message = "A transcription session makes no responses."
            raise BadRequest("invalid_value", message, "type")

    # -- turns ----------------------------------------------------------------------------------------

    def plan_of_turn(self, heard: Item | None = None) -> MakeReply:
        """Return the work that an answer to the conversation would be, with one more item at its end."""
        plan = planned(self._state, {})
        return plan.work("", plan.context(self._state) + ([] if heard is None else [heard]))

    def answer_turn(self) -> None:
        """Answer the turn that has just ended, as soon as its words are there."""
        if self.active is not None:
            self._state.refuse(already_active(self.active))
            return
        self._request_reply(self._begun(planned(self._state, {})))

    def interrupt(self) -> None:
        """Break off the conversation's response: the user has begun to speak."""
        if self.active is not None:
            self.end(self.active, "cancelled", {"type": "cancelled", "reason": "turn_detected"})

    def _begun(self, plan: ResponsePlan) -> Response:
        response = Response(self._state, self._state.new_id("resp"), plan)
        self._open.append(response)
        return response

    # -- results of the components --------------------------------------------------------------------

    def written_down(self, item: Item, problem: str | None, draft: Draft | None = None) -> None:
        """Go on with the responses that waited for the words of an item; a `problem` fails them."""
        for response in list(self._open):
            if item.id in response.waiting_for:
                response.waiting_for.discard(item.id)
                if problem is not None and not self._state.abilities.hears:
                    self.end(response, "failed", failure("component_missing", problem))
                else:
                    self._request_reply(response, draft)

    def of_job(self, job_id: str) -> Response | None:
        """Return the response that a job of the reply component works for."""
        return next((response for response in self._open if response.job_id == job_id), None)

    def _request_reply(self, response: Response, draft: Draft | None = None) -> None:
        if response.waiting_for or response.job_id is not None:
            return
        work = response.plan.work("", response.plan.context(self._state))
        if draft is not None and draft.answers(work):
            response.job_id = draft.job_id
            draft.release()
            return
        response.job_id = self._state.new_id("job")
        self._state.ask(dataclasses.replace(work, response_id=response.job_id))

    def finished(self, response: Response, problem: str | None, *, cut: bool) -> None:
        """Take the end of a reply: all is said, a limit cut it, or a problem ended it."""
        response.job_id = None
        if problem is not None:
            self.end(response, "failed", failure("component_failed", problem))
        elif cut:
            self.end(response, "incomplete", {"type": "incomplete", "reason": "max_output_tokens"})
        else:
            self.end(response, "completed")

    def fail(self, response_id: str, problem: str) -> None:
        """End a response as failed, whatever the work for it has come to; nothing if it has ended already."""
        for response in [response for response in self._open if response.id == response_id]:
            self.end(response, "failed", failure("component_failed", problem))

    def end(self, response: Response, status: str, details: Json | None = None) -> None:
        """End a response and stop the work for it."""
        self._open.remove(response)
        if response.job_id is not None:
            self._state.ask(CancelReply(response.job_id))
        response.end(status, details)
        if not self._state.azure:
            self._state.send(rate_limits(preview=self._state.preview))
        if self._tell_end is not None and response.plan.shared and status != "cancelled":
            self._tell_end(response.audio_ms)


def already_active(response: Response) -> BadRequest:
    """Return the refusal of a second response in the conversation."""
    return BadRequest(
        "conversation_already_has_active_response",
        f"Conversation already has an active response in progress: {response.id}. Wait until the response is "
        "finished before creating a new one.",
    )
