"""Ask an endpoint what it does, not what it says: the settings that it really applies.

An endpoint may acknowledge a setting and go on with another. A probe plays sounds whose edges and levels are
known, and looks at where turns begin and end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from rt_notebook.core.audio import SAMPLE_RATE_HZ
from rt_notebook.core.config import ServerVad, SessionConfig
from rt_notebook.errors import ConfigError, ServerError
from rt_notebook.io.endpoints.endpoint import Endpoint
from rt_notebook.io.runtime import Pending, Runtime
from rt_notebook.vad.detectors import load_detector
from rt_notebook.vad.probing.line import CapReached, Line, LostAudioError
from rt_notebook.vad.probing.measure import Switches, audio_ms, measure, measure_idle, measure_switches
from rt_notebook.vad.probing.report import Probe, judged
from rt_notebook.vad.probing.stimuli import sound_of

if TYPE_CHECKING:
    from rt_notebook.core.audio import Float32
    from rt_notebook.io.audio.sources import AudioSource
    from rt_notebook.vad.detectors import StreamDetector
    from rt_notebook.vad.probing.measure import Measured

__all__ = ["probe", "probe_audio_s", "probe_blocking"]

Pace = Literal["auto", "fast", "real"]

_LEAST_S = 10.0
_SWAYS_MS = 200.0
_INSTRUCTIONS = "Answer in about forty words."


@dataclass(frozen=True, slots=True)
class _Plan:
    endpoint: Endpoint
    vad: ServerVad
    sound: Float32
    detector: StreamDetector
    cap_ms: int
    responses: bool
    contrast: bool


def probe_audio_s(vad: ServerVad | None = None) -> float:
    """Return how many seconds of audio `probe` sends for these settings, about: fewer as a rule."""
    asked = vad or ServerVad()
    return (audio_ms(asked) + audio_ms(contrast_of(asked))) / 1000


def probe(
    endpoint: Endpoint | None = None,
    vad: ServerVad | None = None,
    *,
    speech: AudioSource | None = None,
    rate_hz: int = SAMPLE_RATE_HZ,
    responses: bool = False,
    pace: Pace = "auto",
    max_audio_s: float = 180.0,
    contrast: bool = True,
    detector: str = "silero",
) -> Pending[Probe]:
    """Find out which settings of the turn detection an endpoint really applies.

    It opens a session of its own and asks for the settings with ``create_response`` off, so that nothing is
    answered. Then it plays pauses and levels near what was asked for, and the same again under a second
    request that differs in everything: what stays the same under both is ignored. `probe_audio_s` says how
    much audio that is; 25 to 60 s at usual settings.

    Parameters
    ----------
    endpoint
        Where to connect. None: the embedded server.
    vad
        The settings to ask for. None: the API's defaults.
    speech
        Speech to play, its clearest half second; `rate_hz` is the rate of an array. None: the built-in voice.
    responses
        Also let one or two answers be made, and cancelled, to see whether turns are answered and answers
        interrupted; one more, with its whole length in silence, where an idle time-out is asked for.
    pace
        ``"fast"``: as fast as the endpoint reads, since it counts audio and not time. ``"real"``: as a
        microphone would. ``"auto"``: fast, and once more in real time if the endpoint loses audio.
    max_audio_s
        No more is sent at either pace; what is known by then is told, and `Probe.cut_short` says so.
    contrast
        Make the second request. Without it, a setting that is ignored and that happens to be as asked for is
        not found out, and half of the audio is saved.
    detector
        Our own detector, by whose probabilities a threshold is told. It has to hear live audio: ``"silero"``
        or ``"energy"``.

    Returns
    -------
    Pending of Probe
        To be awaited, or waited for with ``.result()``.

    Raises
    ------
    ConfigError
        An argument is out of range, or `speech` holds none.
    ComponentMissingError
        The detector is not installed.
    ConnectError
        The endpoint cannot be reached, or does not take the audio.
    ServerError
        The endpoint refuses the settings.
    """
    if pace not in {"auto", "fast", "real"}:
        raise ConfigError(f"pace={pace!r} is unknown.", 'Use "auto", "fast" or "real".')
    if not max_audio_s >= _LEAST_S:
        raise ConfigError(f"max_audio_s={max_audio_s!r} is too little.", f"Allow {_LEAST_S:g} or more.")
    judge: Any = load_detector(detector)
    if not hasattr(judge, "stream"):
        raise ConfigError(f"{detector!r} hears no live audio.", 'Use "silero" or "energy".')
    sound = sound_of(speech, rate_hz, detector)
    asked = ServerVad() if vad is None else vad
    plan = _Plan(
        Endpoint.local() if endpoint is None else endpoint,
        asked,
        sound,
        judge,
        int(max_audio_s * 1000),
        responses,
        contrast,
    )
    runtime = Runtime("rt_notebook probe")
    pending = runtime.submit(_run(plan, pace), ends_with_waiter=True)
    pending.add_done_callback(lambda _: runtime.stop())
    return pending


def probe_blocking(endpoint: Endpoint | None = None, vad: ServerVad | None = None, **options: Any) -> Probe:
    """Find out which settings are applied; the blocking twin of `probe`, with the same options."""
    return probe(endpoint, vad, **options).result()


def contrast_of(vad: ServerVad) -> ServerVad:
    """Return settings that differ from these by more than the probe can be wrong."""
    return vad.replace(
        threshold=round(vad.threshold + (0.25 if vad.threshold <= 0.55 else -0.25), 3),
        prefix_padding_ms=vad.prefix_padding_ms + (160 if vad.prefix_padding_ms < 400 else -200),
        silence_duration_ms=vad.silence_duration_ms + (320 if vad.silence_duration_ms < 500 else -300),
    )


async def _run(plan: _Plan, pace: Pace) -> Probe:
    sent_ms = 0
    if pace != "real":
        try:
            found, sound, sent_ms = await _attempt(plan, real_time=False)
        except LostAudioError:
            if pace == "fast":
                raise
        else:
            if pace == "fast" or sound:
                return found
    found, _, _ = await _attempt(plan, real_time=True, sent_ms=sent_ms)
    return found


def _sound(first: Measured) -> bool:
    """Whether no audio was lost, it seems: what was heard lies where it was sent."""
    padding = first.settings.get("prefix_padding_ms")
    sways = padding is not None and padding.high - padding.low > _SWAYS_MS
    return not (first.deaf or first.lost or sways)


async def _attempt(plan: _Plan, *, real_time: bool, sent_ms: int = 0) -> tuple[Probe, bool, int]:
    """Return what was found, whether the audio arrived soundly, and how much was sent in all."""
    quiet = plan.vad.replace(create_response=False, idle_timeout_ms=None)
    config = SessionConfig(turn_detection=quiet, transcription=None, instructions=_INSTRUCTIONS)
    stream = plan.detector.stream()
    switches = Switches()
    second: Measured | None = None
    idle = None
    line = Line(plan.endpoint, config, stream, real_time=real_time, cap_ms=plan.cap_ms)
    async with line:
        first = await measure(line, quiet, plan.sound, thorough=True)
        if plan.contrast and not line.capped and _sound(first):
            other = contrast_of(quiet)
            try:
                await line.update(other)
                second = await measure(line, other, plan.sound, thorough=False)
            except (ServerError, CapReached):
                # Nothing to compare with: the first request stands alone.
                second = None
        if line.capped:
            second = None
        if first.settings and _sound(first):
            switches.answers_when_off = bool(line.responses)
        if plan.responses and not line.capped and _sound(first):
            try:
                await measure_switches(line, plan.vad, plan.sound, switches)
                if plan.vad.idle_timeout_ms is not None:
                    idle = await measure_idle(line, plan.vad, plan.sound)
            except (ServerError, CapReached):
                pass
        told = line.acknowledged
        total_ms = sent_ms + line.sent_ms
    found = judged(
        plan.endpoint.label,
        plan.vad,
        first,
        second,
        switches,
        idle,
        told=told,
        audio_s=total_ms / 1000,
        pace="real" if real_time else "fast",
        cut_short=line.capped,
    )
    return found, _sound(first), total_ms
