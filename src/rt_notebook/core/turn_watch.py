"""Whether a turn is under way on a connection, from its events alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rt_notebook.core.events import Event

__all__ = ["TurnWatch"]


class TurnWatch:
    """Follows one connection; ids make it proof against events that come twice or out of order.

    Attributes
    ----------
    speaking
        The endpoint hears the user speak.
    awaiting
        An answer is due and has not been begun.
    responses
        Ids of the responses that are being made.
    """

    def __init__(self) -> None:
        self.speaking = False
        self.awaiting = False
        self.responses: dict[str, None] = {}
        self._done: set[str] = set()

    @property
    def busy(self) -> bool:
        """Whether a turn is under way."""
        return self.speaking or self.awaiting or bool(self.responses)

    def follow(self, event: Event, *, answers_turns: bool) -> None:
        """Take one event; `answers_turns` says whether the endpoint answers when a turn ends."""
        match event.type:
            case "input_audio_buffer.speech_started":
                self.speaking, self.awaiting = True, False
            case "input_audio_buffer.speech_stopped":
                self.speaking, self.awaiting = False, answers_turns
            case "input_audio_buffer.cleared":
                self.speaking = False
            case "response.create":
                self.awaiting = True
            case "error":
                self.awaiting = False
            case "response.created":
                self.awaiting = False
                if event.response_id is not None and event.response_id not in self._done:
                    self.responses[event.response_id] = None
            case "response.done" if event.response_id is not None:
                self._done.add(event.response_id)
                self.responses.pop(event.response_id, None)
