"""The user's audio: the client's events about its buffer, and the turns that are found in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rt_notebook.core.config import SemanticVad, ServerVad
from rt_notebook.core.semantic_turns import Question, SemanticTurns
from rt_notebook.core.turn_detection import FRAME_MS, TurnDetector
from rt_notebook.core.wire_json import decode_audio
from rt_notebook.server.engine.draft import Draft
from rt_notebook.server.engine.effects import Detect, JudgeEnd, Prepare
from rt_notebook.server.engine.input_buffer import InputBuffer
from rt_notebook.server.engine.items import Item
from rt_notebook.server.engine.refusal import BadRequest, required
from rt_notebook.server.engine.settings import turn_detection_of
from rt_notebook.server.engine.transcriptions import at_wire_rate

if TYPE_CHECKING:
    from collections.abc import Callable

    from rt_notebook.core.turn_detection import Transition
    from rt_notebook.server.engine.responses import Responses
    from rt_notebook.server.engine.state import SessionState
    from rt_notebook.server.engine.transcriptions import Transcriptions

__all__ = ["InputAudio"]

Json = dict[str, Any]

_LEAST_COMMIT_MS = 100
_MOST_APPEND_BYTES = 15 * 1024 * 1024
_MOST_BUFFERED_MS = 15 * 60 * 1000
_DRAFT_AFTER_MS = 64
"""Silence after which the answer is begun: pauses inside words are shorter, and cost nothing then."""

_REACH_MS = 1000
"""What is kept beyond the prefix padding, for frames that are still being judged."""

_SILENT = "(The user says nothing.)"


class InputAudio:
    """The input audio of one session.

    Parameters
    ----------
    state, responses, transcriptions
        The session's other parts.
    announce
        Tells the client of a new item.
    """

    def __init__(
        self,
        state: SessionState,
        responses: Responses,
        transcriptions: Transcriptions,
        announce: Callable[[Item, str | None], None],
    ) -> None:
        self._state = state
        self._responses = responses
        self._transcriptions = transcriptions
        self._announce = announce
        self._buffer = InputBuffer()
        self._detector = TurnDetector(ServerVad())
        self._semantic = SemanticTurns(SemanticVad(), judging=state.abilities.judges, detector=self._detector)
        self._question: tuple[str, Question] | None = None
        self._rest = b""
        self._turn_item_id: str | None = None
        self._turn_start_ms = 0
        self._draft: Draft | None = None
        self._playback_ends_ms: int | None = None

    # -- the client's events --------------------------------------------------------------------------

    def append(self, event: Json) -> None:
        """Take audio."""
        try:
            data = decode_audio(required(event, "audio", "audio"))
        except ValueError as error:
            raise BadRequest("invalid_value", f"Invalid 'audio': {error}.", "audio") from None
        if len(data) > _MOST_APPEND_BYTES:
            raise BadRequest("invalid_value", "Audio of one event is limited to 15 MiB.", "audio")
        if self._buffer.kept_bytes + len(data) > _MOST_BUFFERED_MS * self._buffer.format.bytes_per_ms:
            message = f"The input audio buffer is full: it holds {_MOST_BUFFERED_MS // 60_000} minutes."
            raise BadRequest("invalid_value", message, "audio")
        # A sample may be split between two events.
        data = self._rest + data
        whole = len(data) // self._buffer.format.bytes_per_sample * self._buffer.format.bytes_per_sample
        self._rest = data[whole:]
        frames = self._buffer.append(data[:whole])
        if frames:
            # Also while nobody listens for turns: results then come in the order of the audio, whenever
            # detection is switched, and a frame costs the detector 0.2 ms.
            self._state.ask(Detect(frames, self._buffer.format.rate_hz))

    def commit(self, _event: Json) -> None:
        """Make an item of what is buffered."""
        buffered_ms = self._buffer.buffered_ms
        if buffered_ms < _LEAST_COMMIT_MS:
            raise BadRequest(
                "input_audio_buffer_commit_empty",
                "Error committing input audio buffer: buffer too small. Expected at least "
                f"{_LEAST_COMMIT_MS}ms of audio, but buffer only has {buffered_ms:.2f}ms of audio.",
            )
        item = self._committed(self._turn_item_id or self._state.new_id("item"), self._take_all())
        self._transcriptions.begin(item)

    def clear(self, _event: Json) -> None:
        """Forget what is buffered."""
        self._take_all()
        self._state.send({"type": "input_audio_buffer.cleared"})

    def _take_all(self) -> bytes:
        self._semantic.stop(self._buffer.end_ms)
        self._turn_item_id = None
        self._drop_draft()
        return self._buffer.take_all()

    def settings_changed(self) -> None:
        """Follow a change of the session's settings."""
        audio_format = self._state.input_format
        if audio_format != self._buffer.format:
            self._take_all()
            self._rest = b""
            self._buffer.change_format(audio_format)

    # -- results of the components --------------------------------------------------------------------

    def detected(self, probabilities: list[float]) -> None:
        """Take the probabilities of the next frames."""
        for probability in probabilities:
            vad = turn_detection_of(self._state.session)
            if isinstance(vad, SemanticVad):
                self._semantic.vad = vad
                self._take(vad, self._semantic.push(probability))
                continue
            if vad is None:
                self._question = None
                self._semantic.skip()
                continue
            while self._question is not None:  # asked by the detection that was on before
                self._answer(vad, None)
            self._detector.vad = vad
            self._take(vad, self._detector.push(probability))

    def judged(self, job_id: str, probability: float | None) -> None:
        """Take how likely the turn is over that was asked about."""
        vad = turn_detection_of(self._state.session)
        if vad is not None and self._question is not None and self._question[0] == job_id:
            self._answer(vad, probability)

    def _answer(self, vad: ServerVad | SemanticVad, probability: float | None) -> None:
        assert self._question is not None  # noqa: S101 - whoever answers has looked
        _, question = self._question
        self._question = None
        words = "" if self._draft is None else (self._draft.text or "")
        for outcome in self._semantic.judged(question, probability, words):
            self._take(vad, outcome)

    def written_down(self, job_id: str, text: str | None, problem: str | None) -> None:
        """Take the words of a job of the transcriber."""
        draft = self._draft
        if draft is not None and draft.words_job_id == job_id:
            draft.take_words(text, problem)
            self._draft_reply(draft)
            return
        item = self._transcriptions.item_of(job_id)
        if item is not None:
            self._transcriptions.take(item, text, problem)
            self._responses.written_down(item, problem)

    def draft_of_job(self, job_id: str) -> Draft | None:
        """Return the draft that a job of the reply component works for."""
        return self._draft if self._draft is not None and self._draft.job_id == job_id else None

    # -- turns ----------------------------------------------------------------------------------------

    def _take(self, vad: ServerVad | SemanticVad, outcome: Transition | Question | None) -> None:
        """Act on what a frame brought."""
        match outcome:
            case None:
                self._between(vad)
            case Question(start_ms, end_ms):
                self._between(vad)
                job_id = self._state.new_id("job")
                self._question = (job_id, outcome)
                audio_format = self._buffer.format
                pcm = audio_format.to_pcm(self._buffer.turn(start_ms, end_ms))
                self._state.ask(JudgeEnd(job_id, pcm, audio_format.rate_hz))
            case _ if outcome.kind == "started":
                self._started(vad, outcome)
            case _:
                self._stopped(vad, outcome)

    def _started(self, vad: ServerVad | SemanticVad, transition: Transition) -> None:
        self._playback_ends_ms = None
        self._turn_start_ms = transition.at_ms
        self._turn_item_id = self._state.new_id("item")
        self._state.send(
            {
                "type": "input_audio_buffer.speech_started",
                "audio_start_ms": transition.at_ms,
                "item_id": self._turn_item_id,
            }
        )
        if self._state.session["type"] != "realtime":
            return
        if vad.interrupt_response:
            self._responses.interrupt()
        if vad.create_response and self._state.abilities.needs_words:
            work = self._responses.plan_of_turn()
            self._state.ask(Prepare(work.messages, work.tools))

    def _between(self, vad: ServerVad | SemanticVad) -> None:
        """Look at a frame on which nothing was decided."""
        position_ms = self._detector.position_ms
        if not self._detector.speaking:
            self._buffer.forget_before(position_ms - vad_padding_ms(vad) - _REACH_MS)
            self._watch_silence(vad, position_ms)
            return
        speech_end_ms = position_ms - self._detector.silence_ms
        if self._draft is not None and self._draft.speech_end_ms != speech_end_ms:
            self._drop_draft()  # the user went on
        if self._detector.silence_ms >= _DRAFT_AFTER_MS and self._draft is None:
            self._begin_draft(position_ms, speech_end_ms)

    def _stopped(self, vad: ServerVad | SemanticVad, transition: Transition) -> None:
        item_id = self._turn_item_id or self._state.new_id("item")
        self._turn_item_id = None
        self._state.send(
            {
                "type": "input_audio_buffer.speech_stopped",
                "audio_end_ms": transition.at_ms,
                "item_id": item_id,
            }
        )
        if self._draft is not None and self._draft.speech_end_ms != transition.speech_end_ms:
            self._drop_draft()
        draft, self._draft = self._draft, None
        item = self._committed(item_id, self._buffer.turn(self._turn_start_ms, transition.at_ms))
        self._buffer.forget_before(transition.at_ms)
        if draft is None:
            self._transcriptions.begin(item)
        else:
            self._transcriptions.expect(item, draft.words_job_id)
        if vad.create_response and self._state.session["type"] == "realtime":
            self._responses.answer_turn()
        if draft is not None and draft.written:
            self._transcriptions.take(item, draft.text, draft.problem)
            self._responses.written_down(item, draft.problem, draft)
            draft.drop()

    def _committed(self, item_id: str, data: bytes) -> Item:
        audio_format = self._buffer.format
        content = [{"type": "input_audio", "transcript": None}]
        wire = {"id": item_id, "type": "message", "status": "completed", "role": "user", "content": content}
        item = Item(
            wire,
            audio=data,
            bytes_per_ms=audio_format.bytes_per_ms,
            audio_ms=len(data) // audio_format.bytes_per_ms,
        )
        if not self._state.abilities.needs_words:
            item.heard = at_wire_rate(audio_format.to_pcm(data), audio_format.rate_hz)
        previous = self._state.conversation.add(item)
        self._state.send(
            {"type": "input_audio_buffer.committed", "previous_item_id": previous, "item_id": item_id}
        )
        self._announce(item, previous)
        return item

    # -- drafts ---------------------------------------------------------------------------------------

    def _begin_draft(self, position_ms: int, speech_end_ms: int) -> None:
        if self._state.abilities.needs_words and self._state.abilities.hears:
            data = self._buffer.turn(self._turn_start_ms, position_ms)
            audio_format = self._buffer.format
            self._draft = Draft(self._state, speech_end_ms, audio_format.to_pcm(data), audio_format.rate_hz)

    def _draft_reply(self, draft: Draft) -> None:
        vad = turn_detection_of(self._state.session)
        answers = vad is not None and vad.create_response and self._responses.active is None
        if answers and draft.problem is None and self._state.session["type"] == "realtime":
            wire = {"id": "", "type": "message", "role": "user", "content": []}
            draft.begin_reply(self._responses.plan_of_turn(Item(wire, heard_text=draft.text or "")))

    def _drop_draft(self) -> None:
        if self._draft is not None:
            self._draft.drop()
            self._draft = None

    # -- silence --------------------------------------------------------------------------------------

    def response_ended(self, audio_ms: int) -> None:
        """Note when the speech of a response will have been played, on the clock of the audio."""
        self._playback_ends_ms = self._detector.position_ms + audio_ms

    def _watch_silence(self, vad: ServerVad | SemanticVad, position_ms: int) -> None:
        """Prompt a user who has been silent for long since the assistant's speech was played.

        The time is that of the audio, which a client sends without a pause; where none comes, none passes.
        """
        timeout_ms = vad.idle_timeout_ms if isinstance(vad, ServerVad) else None
        since_ms = self._playback_ends_ms
        if timeout_ms is None or since_ms is None or self._responses.active is not None:
            return
        if position_ms < since_ms + timeout_ms:
            return
        self._playback_ends_ms = None
        item_id = self._state.new_id("item")
        self._state.send(
            {
                "type": "input_audio_buffer.timeout_triggered",
                "audio_start_ms": -(-since_ms // FRAME_MS) * FRAME_MS,
                "audio_end_ms": position_ms,
                "item_id": item_id,
            }
        )
        item = self._committed(item_id, b"")
        self._buffer.forget_before(position_ms)
        self._transcriptions.take(item, "", None)
        item.heard_text = _SILENT
        if vad.create_response:
            self._responses.answer_turn()


def vad_padding_ms(vad: ServerVad | SemanticVad) -> int:
    """Return the prefix padding of a turn detection."""
    return vad.prefix_padding_ms if isinstance(vad, ServerVad) else ServerVad().prefix_padding_ms
