"""The server's half of the protocol, pure: client events and results of components in, effects out.

It reads no clock, opens no socket and runs no model, so that a live connection, a test and a simulation drive
the same code. Everything is in the GA vocabulary; the shell translates. The work is done by the session's
parts: `ItemRequests`, `InputAudio`, `Transcriptions` and `Responses`, which share one `SessionState`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rt_notebook.server.engine.abilities import Abilities
from rt_notebook.server.engine.effects import Close, Effect
from rt_notebook.server.engine.ids import IdMaker
from rt_notebook.server.engine.input_audio import InputAudio
from rt_notebook.server.engine.item_requests import ItemRequests
from rt_notebook.server.engine.refusal import BadRequest
from rt_notebook.server.engine.responses import Responses
from rt_notebook.server.engine.settings import new_session, shown_session, updated_session
from rt_notebook.server.engine.state import SessionState
from rt_notebook.server.engine.transcriptions import Transcriptions

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from rt_notebook.server.engine.response import Response

__all__ = ["Engine"]

Json = dict[str, Any]

_EXPIRED = 1001


class Engine:
    """One session.

    Parameters
    ----------
    model
        What the client called the model; echoed.
    chance
        Source of the ids.
    expires_at_s
        Unix time at which the session will end; told to the client.
    components
        What runs behind this session, for ``session.created``.
    preview
        Whether the client speaks the preview dialect, whose session has a temperature.
    azure
        Whether it came by one of Azure's paths.
    abilities
        What the components can do.
    initial
        Settings that the session begins with, as a ``session.update`` would name them: those that an
        ephemeral key was made with. Its ``type`` is ``"realtime"`` for a conversation (the default), or
        ``"transcription"`` for words only.

    Raises
    ------
    BadRequest
        The initial settings are none that the API takes.
    """

    def __init__(
        self,
        *,
        model: str,
        chance: random.Random,
        expires_at_s: int,
        components: Json,
        preview: bool = False,
        azure: bool = False,
        abilities: Abilities | None = None,
        initial: Json | None = None,
    ) -> None:
        new_id = IdMaker(chance)
        initial = {"type": "realtime"} | (initial or {})
        session = new_session(
            new_id("sess"),
            initial.get("model", model),
            expires_at_s,
            components,
            preview=preview,
            kind=initial["type"],
        )
        session = updated_session(session, initial, has_spoken=False)
        state = SessionState(session, new_id, abilities or Abilities(), azure=azure, preview=preview)
        self._state = state
        self._transcriptions = Transcriptions(state)
        self._items = ItemRequests(state, self._transcriptions.begin)
        self._responses = Responses(state, self._transcriptions.begin)
        self._audio = InputAudio(state, self._responses, self._transcriptions, self._items.announce)
        self._responses.on_end(self._audio.response_ended)
        self._audio.settings_changed()
        self._handlers: dict[str, Callable[[Json], None]] = {
            "session.update": self._session_update,
            "input_audio_buffer.append": self._audio.append,
            "input_audio_buffer.commit": self._audio.commit,
            "input_audio_buffer.clear": self._audio.clear,
            "conversation.item.create": self._items.create,
            "conversation.item.retrieve": self._items.retrieve,
            "conversation.item.delete": self._items.delete,
            "conversation.item.truncate": self._items.truncate,
            "response.create": self._responses.create,
            "response.cancel": self._responses.cancel,
        }

    @property
    def session(self) -> Json:
        """The session object, whole."""
        return self._state.session

    # -- the client -----------------------------------------------------------------------------------

    def start(self) -> list[Effect]:
        """Begin: the first event of every session."""
        self._send_session("session.created")
        return self._state.take_effects()

    def receive(self, event: Json) -> list[Effect]:
        """Take one client event, in GA form."""
        try:
            handler = self._handlers.get(event["type"])
            if handler is None:
                names = [f"'{name}'" for name in self._handlers]
                supported = f"{', '.join(names[:-1])}, and {names[-1]}"
                message = f"Invalid value: '{event['type']}'. Supported values are: {supported}."
                raise BadRequest("invalid_value", message, "type")
            handler(event)
        except BadRequest as refusal:
            self._state.refuse(refusal, event.get("event_id"))
        return self._state.take_effects()

    def refuse(
        self, code: str, message: str, param: str | None = None, event_id: object = None
    ) -> list[Effect]:
        """Answer a frame that is no event of the dialect; the session goes on."""
        self._state.refuse(BadRequest(code, message, param), event_id)
        return self._state.take_effects()

    def expire(self, message: str) -> list[Effect]:
        """End the session because its time is over."""
        error = {"type": "invalid_request_error", "code": "session_expired", "message": message}
        self._state.send({"type": "error", "error": error | {"param": None, "event_id": None}})
        self._state.ask(Close(_EXPIRED, message))
        return self._state.take_effects()

    def _session_update(self, event: Json) -> None:
        has_spoken = any(item.spoken for item in self._state.conversation.items)
        self._state.session = updated_session(
            self._state.session, event.get("session"), has_spoken=has_spoken
        )
        self._audio.settings_changed()
        self._send_session("session.updated")

    def _send_session(self, kind: str) -> None:
        self._state.send({"type": kind, "session": shown_session(self._state.session)})

    # -- results of the components --------------------------------------------------------------------

    def detected(self, probabilities: list[float]) -> list[Effect]:
        """Take the probabilities of the frames of the oldest unanswered `Detect`."""
        self._audio.detected(probabilities)
        return self._state.take_effects()

    def judged(self, job_id: str, probability: float | None) -> list[Effect]:
        """Take how likely a turn is over; None where that cannot be judged."""
        self._audio.judged(job_id, probability)
        return self._state.take_effects()

    def transcribed(self, job_id: str, text: str | None, problem: str | None = None) -> list[Effect]:
        """Take what the user said; None and a `problem` when it could not be written down."""
        self._audio.written_down(job_id, text, problem)
        return self._state.take_effects()

    def replied(self, job_id: str, text: str) -> list[Effect]:
        """Take some more text of a reply."""
        if text:
            self._to_response(job_id, lambda response: response.write(text))
        return self._state.take_effects()

    def called(self, job_id: str, name: str, arguments: str) -> list[Effect]:
        """Take a piece of a function call of a reply; a name begins a call, and further pieces have none."""
        self._to_response(job_id, lambda response: response.call(name, arguments))
        return self._state.take_effects()

    def spoke(self, job_id: str, pcm: bytes, text_end: int) -> list[Effect]:
        """Take some speech of a reply (PCM16, 24 kHz), which says its text up to character `text_end`."""
        if pcm:
            self._to_response(job_id, lambda response: response.speak(pcm, text_end))
        return self._state.take_effects()

    def finished(self, job_id: str, problem: str | None = None, *, cut: bool = False) -> list[Effect]:
        """Take the end of a reply: all is said, a limit has `cut` it, or a `problem` ended it."""
        self._to_response(job_id, lambda response: self._responses.finished(response, problem, cut=cut))
        return self._state.take_effects()

    def fail(self, response_id: str, problem: str) -> list[Effect]:
        """End a response as failed: the shell does so on purpose, as a lesson."""
        self._responses.fail(response_id, problem)
        return self._state.take_effects()

    def _to_response(self, job_id: str, result: Callable[[Response], None]) -> None:
        """Hand a result to the response that it is for; results of work that was broken off are dropped."""
        draft = self._audio.draft_of_job(job_id)
        if draft is not None:
            draft.keep(lambda: self._to_response(job_id, result))
            return
        response = self._responses.of_job(job_id)
        if response is not None:
            result(response)
