"""What the parts of one session's engine share: its settings, its conversation, and what goes out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rt_notebook.core.audio_format import AudioFormat
from rt_notebook.server.engine.effects import Effect, Send
from rt_notebook.server.engine.items import Conversation

if TYPE_CHECKING:
    from rt_notebook.server.engine.abilities import Abilities
    from rt_notebook.server.engine.ids import IdMaker
    from rt_notebook.server.engine.refusal import BadRequest

__all__ = ["SessionState"]

Json = dict[str, Any]


class SessionState:
    """One session.

    Attributes
    ----------
    session
        The session object, in GA form.
    azure
        Whether the client came by one of Azure's paths: the two vendors' events differ in details.
    preview
        Whether the client speaks the preview dialect.
    """

    def __init__(
        self, session: Json, new_id: IdMaker, abilities: Abilities, *, azure: bool, preview: bool
    ) -> None:
        self.session = session
        self.new_id = new_id
        self.abilities = abilities
        self.azure = azure
        self.preview = preview
        self.conversation = Conversation()
        self.conversation_id = new_id("conv")
        self._out: list[Effect] = []

    @property
    def input_format(self) -> AudioFormat:
        """Format of the user's audio."""
        return AudioFormat.from_wire(self.session["audio"]["input"]["format"])

    def send(self, event: Json) -> None:
        """Send an event to the client."""
        self._out.append(Send({"type": event["type"], "event_id": self.new_id("event")} | event))

    def refuse(self, refusal: BadRequest, event_id: object = None) -> None:
        """Send the error that a refusal is; `event_id` is the client's own, where it gave one."""
        error = {
            "type": "invalid_request_error",
            "code": refusal.code,
            "message": str(refusal),
            "param": refusal.param,
            "event_id": event_id if isinstance(event_id, str) else None,
        }
        self.send({"type": "error", "error": error})

    def ask(self, effect: Effect) -> None:
        """Ask the world for something else."""
        self._out.append(effect)

    def take_effects(self) -> list[Effect]:
        """Return what was sent and asked for since the last call."""
        effects, self._out = self._out, []
        return effects
