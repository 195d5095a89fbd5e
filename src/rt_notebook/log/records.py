"""What the log says about one item and one response: filled by the ledger, read by the folds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rt_notebook.core.audio import SAMPLES_PER_MS
from rt_notebook.log.audio_clock import AudioClock

if TYPE_CHECKING:
    from rt_notebook.log.mic_track import SpokenEnd
    from rt_notebook.log.pages import PageStart

__all__ = ["AudioPiece", "Incident", "Item", "Response"]


@dataclass(frozen=True, slots=True)
class AudioPiece:
    """A stretch of audio with one level: a chunk of the microphone or a delta of the answer."""

    start_s: float
    end_s: float
    level_dbfs: float


@dataclass(slots=True)
class Words:
    """One content part: its deltas until the whole text is known."""

    deltas: str = ""
    final: str | None = None


@dataclass(slots=True)
class Item:
    """One conversation item. All times are session seconds; None is "has not happened"."""

    id: str
    seen: int
    """Place in the log at which the item was first named."""

    type: str = "message"
    role: str | None = None
    call_id: str | None = None
    name: str | None = None
    """Of the function that it calls."""
    response_id: str | None = None
    output_index: int = 0
    placed: bool = False
    lost: bool = False
    """It was part of a conversation that ended with its connection, and was not told to the next one."""

    deleted: bool = False
    words: dict[int, Words] = field(default_factory=dict)

    # the user's side
    spoken: bool = False
    typed: bool = False
    timed_out: bool = False
    sent_s: float | None = None
    padding_start_s: float | None = None
    speech_start_s: float | None = None
    speech_started_s: float | None = None
    speech_end_s: float | None = None
    speech_stopped_s: float | None = None
    committed_s: float | None = None
    transcribed_s: float | None = None
    push_to_talk_start_s: float | None = None
    speech_begin: int | None = None
    """Position of the first sample of speech in the audio that was sent, as the endpoint saw it."""
    spoken_end: SpokenEnd | None = None
    silence_s: float | None = None
    """The silence that ended it, as the session was set."""
    transcription_s: float = 0.0
    transcription_tokens: int = 0
    """What the transcription was billed by: seconds or tokens."""

    # the assistant's side
    deltas: list[tuple[int, float | None]] = field(default_factory=list)
    """Samples and level of each piece of audio, in the order of arrival."""

    first_audio_s: float | None = None
    first_text_s: float | None = None
    playback: AudioClock = field(default_factory=AudioClock)
    played_samples: int | None = None
    played: list[tuple[float, float]] = field(default_factory=list)
    """Stretches of session time in which the speaker sounded."""

    page_start: PageStart | None = None
    flushed_s: float | None = None
    truncated_s: float | None = None
    truncated_ms: float | None = None

    @property
    def is_user(self) -> bool:
        """Whether the user said or wrote it."""
        return self.role == "user"

    @property
    def text(self) -> str | None:
        """Its words, or None while there are none."""
        parts = (w.deltas if w.final is None else w.final for _, w in sorted(self.words.items()))
        return " ".join(part.strip() for part in parts if part.strip()) or None

    @property
    def playback_started_s(self) -> float | None:
        """When its first sample left the speaker."""
        return self.played[0][0] if self.played else None

    @property
    def audio_samples(self) -> int:
        """Length of the audio received."""
        return sum(samples for samples, _ in self.deltas)

    @property
    def cut_short(self) -> bool:
        """Whether the speaker was silenced, or the item truncated, before the end of the audio received."""
        flushed = self.flushed_s is not None and (self.played_samples or 0) < self.audio_samples
        truncated = self.truncated_ms is not None and self.truncated_ms * SAMPLES_PER_MS < self.audio_samples
        return flushed or truncated


@dataclass(slots=True)
class Response:
    """One response, with the turn that it belongs to."""

    id: str
    seen: int
    turn_key: str
    """The user item that it answers, or the first response of a turn without one."""

    requested_s: float | None = None
    created_s: float | None = None
    done_s: float | None = None
    status: str = "in_progress"
    reason: str | None = None
    item_ids: list[str] = field(default_factory=list)
    tokens: dict[str, int] = field(default_factory=dict)
    """What it was billed by, by `rt_notebook.core.usage.KINDS`."""

    request_id: str | None = None
    """Event id of the client's request for it."""

    lost: bool = False
    """Its connection is over: whatever is still to come of it, such as the output of a call, does not."""


@dataclass(frozen=True, slots=True)
class Incident:
    """Something that went wrong, as the log has it."""

    t_s: float
    type: str
    """The event's type, or ``"microphone.stall"``."""

    data: dict[str, Any]
    item_id: str | None
    response_id: str | None
