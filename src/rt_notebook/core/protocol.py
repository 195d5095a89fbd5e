"""The client's half of the wire, without any I/O.

Contract: bytes in, events out, and the other way round.

- `ClientProtocol.receive` takes one frame as it came off the socket and returns the event in the GA
  vocabulary with its audio beside it. It never raises: a frame that is no event becomes
  ``local.invalid_frame``.
- `ClientProtocol.send` takes one GA client event and returns the frame to write and the event to log.
- Time is an argument; no state here depends on anything but what was passed in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rt_notebook.core import wire_json
from rt_notebook.core.audio import level_dbfs, pcm_samples
from rt_notebook.core.envelope import levels_and_envelopes
from rt_notebook.core.events import Event
from rt_notebook.core.recorded_pcm import RecordedPcm

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rt_notebook.core.dialects import Dialect

__all__ = ["ClientProtocol"]

_HEAD_CHARS = 200
_APPEND = "input_audio_buffer.append"
_APPEND_HEAD, _APPEND_TAIL = f'{{"type":"{_APPEND}","audio":"'.encode(), b'"}'
_AUDIO_DELTA = "response.output_audio.delta"
# Random padding that endpoints put into deltas against traffic analysis; it means nothing.
_NOISE = ("obfuscation",)


class ClientProtocol:
    """Translate between frames and events, and remember what the endpoint last said of the session.

    Attributes
    ----------
    session
        The endpoint's last session object, in GA form; empty before ``session.created``.
    active_response_id
        The response that is being made in the default conversation, or None.
    """

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self.session: dict[str, Any] = {}
        self.active_response_id: str | None = None
        self._done_response_ids: set[str] = set()

    @property
    def audio_input(self) -> dict[str, Any]:
        """What the endpoint last said of its ``audio.input``: transcription, turn detection; may be empty."""
        found: Any = self.session
        for key in ("audio", "input"):
            found = found.get(key) if isinstance(found, dict) else None
        return found if isinstance(found, dict) else {}

    def receive(self, frame: str | bytes, t_s: float) -> tuple[Event, bytes]:
        """Take one frame; return its event and the audio that it carried (empty for none)."""
        try:
            data = self._dialect.server_from_wire(wire_json.decode(frame))
            audio = wire_json.decode_audio(data["delta"]) if data["type"] == _AUDIO_DELTA else b""
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            head = frame[:_HEAD_CHARS]
            text = head if isinstance(head, str) else head.decode("utf-8", "replace")
            return Event(t_s, "local", "local.invalid_frame", {"head": text, "message": str(error)}), b""
        for key in _NOISE:
            data.pop(key, None)
        if audio:
            del data["delta"]
            return Event(t_s, "received", _AUDIO_DELTA, data, pcm_samples(audio), level_dbfs(audio)), audio
        self._follow(data)
        return Event(t_s, "received", data["type"], data), b""

    def send(self, event: dict[str, Any], t_s: float) -> tuple[bytes, Event]:
        """Take one GA client event; return the frame to write and the event to log."""
        frame = wire_json.encode_bytes(self._dialect.client_to_wire(event))
        return frame, Event(t_s, "sent", event["type"], event)

    def send_audio(self, chunks: Sequence[bytes], t_s: float) -> list[tuple[bytes, Event]]:
        """Take chunks of microphone audio (PCM16, 24 kHz); like `send`, with the audio kept out of the log.

        The logged event has what the wire has not: the audio's ``envelope`` (`core.envelope`), and, of audio
        from a page, ``page_recorded_s``, ``page_sent_s`` (on its clock) and ``arrived_s``.
        """
        told: list[tuple[bytes, Event]] = []
        for pcm, (level, envelope) in zip(chunks, levels_and_envelopes(chunks), strict=True):
            # Written by hand: this is the one frame that goes out 25 times a second, and it has one shape.
            frame = b"%b%b%b" % (_APPEND_HEAD, wire_json.encode_audio_bytes(pcm), _APPEND_TAIL)
            data: dict[str, Any] = {"type": _APPEND, "envelope": envelope}
            if isinstance(pcm, RecordedPcm):
                data |= pcm.times()
            told.append((frame, Event(t_s, "sent", _APPEND, data, pcm_samples(pcm), level)))
        return told

    def _follow(self, data: dict[str, Any]) -> None:
        kind = data["type"]
        if kind in {"session.created", "session.updated"} and isinstance(data.get("session"), dict):
            self.session = data["session"]
        elif kind in {"response.created", "response.done"} and isinstance(data.get("response"), dict):
            response = data["response"]
            response_id = response.get("id")
            if kind == "response.done":
                if isinstance(response_id, str):
                    self._done_response_ids.add(response_id)
                if response_id == self.active_response_id:
                    self.active_response_id = None
            elif response.get("conversation_id", "") is not None and (
                isinstance(response_id, str) and response_id not in self._done_response_ids
            ):
                self.active_response_id = response_id
