"""The server's half of the protocol, pure: client events and results of components in, effects out.

It reads no clock, opens no socket and runs no model, so that a live connection, a test and a simulation drive
the same code. Everything is in the GA vocabulary; the shell translates.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rt_notebook.core.config import ServerVad
from rt_notebook.core.wire_json import decode_audio
from rt_notebook.server.effects import CancelReply, Detect, Effect, MakeReply, Send, Transcribe
from rt_notebook.server.ids import IdMaker
from rt_notebook.server.input_buffer import InputBuffer
from rt_notebook.server.item_requests import ItemRequests
from rt_notebook.server.items import Conversation, Item
from rt_notebook.server.responses import Response
from rt_notebook.server.settings import (
    BadRequest,
    chosen_temperature,
    new_session,
    response_settings,
    turn_detection_of,
    updated_session,
)
from rt_notebook.server.usage import response_usage, transcription_usage

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from rt_notebook.core.turn_detection import Transition

__all__ = ["Engine"]

Json = dict[str, Any]

_MIN_COMMIT_MS = 100
_MAX_APPEND_BYTES = 15 * 1024 * 1024


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
    can_speak
        Whether there is a voice; without one every reply is text.
    """

    def __init__(
        self,
        *,
        model: str,
        chance: random.Random,
        expires_at_s: int,
        components: Json,
        preview: bool = False,
        can_speak: bool = True,
    ) -> None:
        self._new_id = IdMaker(chance)
        self._can_speak = can_speak
        self.session = new_session(self._new_id("sess"), model, expires_at_s, components, preview=preview)
        self._conversation_id = self._new_id("conv")
        self._conversation = Conversation()
        self._items = ItemRequests(self._conversation, self._new_id, self._send)
        self._buffer = InputBuffer()
        self._turn_item_id: str | None = None
        self._response: Response | None = None
        self._out: list[Effect] = []
        self._handlers: dict[str, Callable[[Json], None]] = {
            "session.update": self._session_update,
            "input_audio_buffer.append": self._append,
            "input_audio_buffer.commit": self._commit,
            "input_audio_buffer.clear": self._clear,
            "conversation.item.create": self._items.create,
            "conversation.item.retrieve": self._items.retrieve,
            "conversation.item.delete": self._items.delete,
            "conversation.item.truncate": self._items.truncate,
            "response.create": self._response_create,
            "response.cancel": self._response_cancel,
        }

    # -- inputs ---------------------------------------------------------------------------------------

    def start(self) -> list[Effect]:
        """Begin: the first event of every session."""
        self._send({"type": "session.created", "session": self.session})
        return self._effects()

    def receive(self, event: Json) -> list[Effect]:
        """Take one client event, in GA form."""
        try:
            handler = self._handlers.get(event["type"])
            if handler is None:
                raise BadRequest("invalid_value", f"Invalid value: '{event['type']}'.", "type")
            handler(event)
        except BadRequest as refusal:
            self._refuse(refusal, event.get("event_id"))
        return self._effects()

    def refuse(self, code: str, message: str) -> list[Effect]:
        """Answer a frame that is no event; the session goes on."""
        self._refuse(BadRequest(code, message))
        return self._effects()

    def _refuse(self, refusal: BadRequest, event_id: object = None) -> None:
        error = {
            "type": "invalid_request_error",
            "code": refusal.code,
            "message": str(refusal),
            "param": refusal.param,
            "event_id": event_id if isinstance(event_id, str) else None,
        }
        self._send({"type": "error", "error": error})

    def detected(self, probabilities: list[float]) -> list[Effect]:
        """Take the probabilities of the frames of the oldest unanswered `Detect`."""
        for probability in probabilities:
            vad = turn_detection_of(self.session)
            if not isinstance(vad, ServerVad):
                self._buffer.detector.skip()
                continue
            transition = self._buffer.judge(vad, probability)
            if transition is not None:
                self._turn(vad, transition)
        return self._effects()

    def transcribed(self, item_id: str, text: str | None, problem: str | None = None) -> list[Effect]:
        """Take what the user said in an item; None and a `problem` when it could not be written down."""
        item = self._conversation.find(item_id)
        if item is not None:
            item.untranscribed = False
            item.heard_text = text or ""
            item.wire["content"][0]["transcript"] = text
        if self.session["audio"]["input"]["transcription"] is not None:
            self._send_transcription(item_id, text, problem, 0 if item is None else item.audio_ms)
        response = self._response
        if response is not None and item_id in response.waiting_for:
            response.waiting_for.discard(item_id)
            if problem is not None:
                self._end_response("failed", _failure(problem))
            else:
                self._request_reply(response)
        return self._effects()

    def replied(self, response_id: str, text: str) -> list[Effect]:
        """Take some more text of a reply."""
        response = self._current(response_id)
        if response is not None and text:
            self._open_item(response)
            self._send(response.write(text))
        return self._effects()

    def spoke(self, response_id: str, pcm: bytes, text_end: int) -> list[Effect]:
        """Take some speech of a reply, which says its text up to character `text_end`."""
        response = self._current(response_id)
        if response is not None and pcm:
            self._open_item(response)
            for event in response.speak(pcm, text_end):
                self._send(event)
        return self._effects()

    def finished(self, response_id: str, problem: str | None = None) -> list[Effect]:
        """Take the end of a reply; with a `problem`, the response has failed."""
        if self._current(response_id) is not None:
            if problem is None:
                self._end_response("completed", None)
            else:
                self._end_response("failed", _failure(problem))
        return self._effects()

    # -- turns ----------------------------------------------------------------------------------------

    def _turn(self, vad: ServerVad, transition: Transition) -> None:
        if transition.kind == "started":
            self._turn_item_id = self._new_id("item")
            self._send(
                {
                    "type": "input_audio_buffer.speech_started",
                    "audio_start_ms": transition.at_ms,
                    "item_id": self._turn_item_id,
                }
            )
            if vad.interrupt_response and self._response is not None:
                self._end_response("cancelled", {"type": "cancelled", "reason": "turn_detected"})
            return
        item_id = self._turn_item_id or self._new_id("item")
        self._turn_item_id = None
        self._send(
            {
                "type": "input_audio_buffer.speech_stopped",
                "audio_end_ms": transition.at_ms,
                "item_id": item_id,
            }
        )
        self._commit_audio(item_id, self._buffer.take_turn(transition.at_ms))
        if vad.create_response:
            if self._response is None:
                self._begin_response({})
            else:
                self._refuse(_already_active(self._response))

    def _commit_audio(self, item_id: str, pcm: bytes) -> None:
        content = [{"type": "input_audio", "transcript": None}]
        wire = {"id": item_id, "type": "message", "status": "completed", "role": "user", "content": content}
        item = Item(wire, untranscribed=True, audio_ms=len(pcm) // 48)
        previous = self._conversation.add(item)
        self._send({"type": "input_audio_buffer.committed", "previous_item_id": previous, "item_id": item_id})
        self._items.announce(item, previous)
        self._out.append(Transcribe(item_id, pcm))

    def _send_transcription(self, item_id: str, text: str | None, problem: str | None, audio_ms: int) -> None:
        base = "conversation.item.input_audio_transcription"
        where = {"item_id": item_id, "content_index": 0}
        if problem is not None:
            error = {
                "type": "server_error",
                "code": "transcription_failed",
                "message": problem,
                "param": None,
            }
            self._send({"type": f"{base}.failed"} | where | {"error": error})
            return
        if text:
            self._send({"type": f"{base}.delta"} | where | {"delta": text})
        usage = transcription_usage(audio_ms)
        self._send({"type": f"{base}.completed"} | where | {"transcript": text or "", "usage": usage})

    # -- responses ------------------------------------------------------------------------------------

    def _current(self, response_id: str) -> Response | None:
        response = self._response
        return response if response is not None and response.id == response_id else None

    def _begin_response(self, overrides: object) -> None:
        chosen = response_settings(self.session, overrides)
        output = chosen["audio"]["output"]
        settings = {
            "conversation_id": self._conversation_id,
            "output_modalities": chosen["output_modalities"],
            "max_output_tokens": chosen["max_output_tokens"],
            "audio": {"output": {"format": output["format"], "voice": output["voice"]}},
            "metadata": overrides.get("metadata") if isinstance(overrides, dict) else None,
        }
        if "temperature" in chosen:
            settings["temperature"] = chosen["temperature"]
        aloud = "audio" in chosen["output_modalities"] and self._can_speak
        instructions = chosen["instructions"]
        response = Response(self._new_id("resp"), self._new_id("item"), settings, instructions, aloud=aloud)
        response.waiting_for = self._conversation.untranscribed()
        self._response = response
        self._send({"type": "response.created", "response": response.object("in_progress")})
        self._request_reply(response)

    def _request_reply(self, response: Response) -> None:
        if response.waiting_for or response.reply_requested:
            return
        response.reply_requested = True
        limit = response.settings["max_output_tokens"]
        self._out.append(
            MakeReply(
                response_id=response.id,
                messages=self._conversation.messages(response.instructions),
                aloud=response.aloud,
                temperature=chosen_temperature(response.settings),
                max_tokens=limit if isinstance(limit, int) else None,
            )
        )

    def _open_item(self, response: Response) -> None:
        if not response.item_open:
            previous = self._conversation.add(response.item)
            for event in response.open_item(previous):
                self._send(event)

    def _end_response(self, status: str, details: Json | None) -> None:
        response = self._response
        if response is None:
            return
        self._response = None
        if status == "completed":
            self._open_item(response)
        elif response.reply_requested:
            self._out.append(CancelReply(response.id))
        if response.item_open:
            at = self._conversation.items.index(response.item)
            previous = self._conversation.items[at - 1].id if at else None
            for event in response.close_item(
                "completed" if status == "completed" else "incomplete", previous
            ):
                self._send(event)
        context = [item for item in self._conversation.items if item is not response.item]
        usage = response_usage(context, response.instructions or "", response.text, response.audio_ms)
        self._send({"type": "response.done", "response": response.object(status, details, usage)})

    # -- the client's events --------------------------------------------------------------------------

    def _session_update(self, event: Json) -> None:
        has_spoken = any(item.spoken for item in self._conversation.items)
        self.session = updated_session(self.session, event.get("session"), has_spoken=has_spoken)
        self._send({"type": "session.updated", "session": self.session})

    def _append(self, event: Json) -> None:
        if "audio" not in event:
            raise BadRequest("missing_required_parameter", "Missing required parameter: 'audio'.", "audio")
        try:
            pcm = decode_audio(event["audio"])
        except ValueError as error:
            raise BadRequest("invalid_value", f"Invalid 'audio': {error}.", "audio") from None
        if len(pcm) > _MAX_APPEND_BYTES:
            raise BadRequest("invalid_value", "Audio of one event is limited to 15 MiB.", "audio")
        detecting = isinstance(turn_detection_of(self.session), ServerVad)
        frames = self._buffer.append(pcm[: len(pcm) // 2 * 2], detecting=detecting)
        if frames:
            self._out.append(Detect(frames))

    def _commit(self, event: Json) -> None:
        if self._buffer.buffered_ms < _MIN_COMMIT_MS:
            raise BadRequest(
                "input_audio_buffer_commit_empty",
                "Error committing input audio buffer: buffer too small. Expected at least "
                f"{_MIN_COMMIT_MS}ms of audio, but buffer only has {self._buffer.buffered_ms}.00ms of audio.",
            )
        item_id = self._turn_item_id or self._new_id("item")
        self._turn_item_id = None
        self._commit_audio(item_id, self._buffer.take_all())

    def _clear(self, event: Json) -> None:
        self._buffer.take_all()
        self._turn_item_id = None
        self._send({"type": "input_audio_buffer.cleared"})

    def _response_create(self, event: Json) -> None:
        if self._response is not None:
            raise _already_active(self._response)
        self._begin_response(event.get("response") or {})

    def _response_cancel(self, event: Json) -> None:
        wanted = event.get("response_id")
        if self._response is None or (wanted is not None and wanted != self._response.id):
            raise BadRequest(
                "response_cancel_not_active", "Cancellation failed: no active response found", "response_id"
            )
        self._end_response("cancelled", {"type": "cancelled", "reason": "client_cancelled"})

    # -- output ---------------------------------------------------------------------------------------

    def _send(self, event: Json) -> None:
        self._out.append(Send({"type": event["type"], "event_id": self._new_id("event")} | event))

    def _effects(self) -> list[Effect]:
        effects, self._out = self._out, []
        return effects


def _failure(problem: str) -> Json:
    error = {"type": "server_error", "code": "component_failed", "message": problem}
    return {"type": "failed", "error": error}


def _already_active(response: Response) -> BadRequest:
    return BadRequest(
        "conversation_already_has_active_response",
        f"Conversation already has an active response in progress: {response.id}. Wait until the response is "
        "finished before creating a new one.",
    )
