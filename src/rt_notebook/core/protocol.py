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
from rt_notebook.core.envelope import level_and_envelope
from rt_notebook.core.events import Event
from rt_notebook.core.recorded import RecordedPcm

if TYPE_CHECKING:
    from rt_notebook.core.dialects import Dialect

__all__ = ["ClientProtocol"]

_HEAD_CHARS = 200
_APPEND = "input_audio_buffer.append"
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
            plain = wire_json.decode_audio_delta(frame)
            if plain is not None:
                data, audio = self._dialect.server_from_wire(plain[0]), plain[1]
                if audio and data["type"] == _AUDIO_DELTA:
                    return self._event(t_s, "received", data, audio), audio
            wire_event = wire_json.decode(frame)
            data = self._dialect.server_from_wire(wire_event)
            audio = wire_json.decode_audio(data["delta"]) if data["type"] == _AUDIO_DELTA else b""
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            head = frame[:_HEAD_CHARS]
            text = head if isinstance(head, str) else head.decode("utf-8", "replace")
            return Event(t_s, "local", "local.invalid_frame", {"head": text, "message": str(error)}), b""
        for key in _NOISE:
            data.pop(key, None)
        if audio:
            data = {key: value for key, value in data.items() if key != "delta"}
        self._follow(data)
        return self._event(t_s, "received", data, audio), audio

    def send(self, event: dict[str, Any], t_s: float) -> tuple[str, Event]:
        """Take one GA client event; return the frame to write and the event to log."""
        return wire_json.encode(self._dialect.client_to_wire(event)), Event(t_s, "sent", event["type"], event)

    def send_audio(self, pcm: bytes, t_s: float) -> tuple[str, Event]:
        """Take microphone audio (PCM16, 24 kHz); like `send`, with the audio kept out of the log.

        The logged event has what the wire has not: the audio's ``envelope`` (`core.envelope`), and, of audio
        from a page, ``page_recorded_s``, ``page_sent_s`` (on its clock) and ``arrived_s``.
        """
        # Written by hand: this is the one frame that goes out 25 times a second, and it has one shape.
        frame = f'{{"type":"{_APPEND}","audio":"{wire_json.encode_audio(pcm)}"}}'
        level, envelope = level_and_envelope(pcm)
        data: dict[str, Any] = {"type": _APPEND, "envelope": envelope}
        if isinstance(pcm, RecordedPcm):
            data |= pcm.times()
        return frame, Event(t_s, "sent", _APPEND, data, pcm_samples(pcm), level)

    @staticmethod
    def _event(t_s: float, direction: Any, data: dict[str, Any], audio: bytes) -> Event:
        if not audio:
            return Event(t_s, direction, data["type"], data)
        return Event(t_s, direction, data["type"], data, pcm_samples(audio), level_dbfs(audio))

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
