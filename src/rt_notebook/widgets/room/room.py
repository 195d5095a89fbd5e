"""`RoomTest`: two minutes in the notebook, and settings for this microphone in this room."""

from __future__ import annotations

import html
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import traitlets

from rt_notebook.core.audio import SAMPLE_RATE_HZ
from rt_notebook.errors import ConfigError, RtNotebookError
from rt_notebook.io.audio.voice import voice
from rt_notebook.vad.plane.recommend import FEWEST_TURNS, Recommendation, limits_of, recommend
from rt_notebook.vad.recorded.reading import PROMPTS, QUIET_S, Reading, room_sweep
from rt_notebook.vad.synthetic.reader import read_aloud
from rt_notebook.widgets.port.audio_port import AudioPort
from rt_notebook.widgets.room.steps import RoomSteps
from rt_notebook.widgets.tuner.forms import server_vad
from rt_notebook.widgets.tuner.session import TunedSession

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rt_notebook.io.session.session import Session
    from rt_notebook.vad.plane.sweep import Sweep
    from rt_notebook.widgets.playground.playground import Playground

__all__ = ["RoomTest"]

BUILT_IN_ROOM = ("babble", 20.0)
"""The room in which the built-in voice reads: other people talk, 20 dB below it."""


class RoomTest(AudioPort):
    """Find the settings of the turn detection for this microphone in this room.

    The user is quiet for half a minute, then reads sentences aloud, one after the other. Then every setting
    is tried on what was recorded, and one is recommended, or none. The audio stays in this process.

    Parameters
    ----------
    session
        A `Session`, or a `Playground`, that *Apply to session* gives the recommended settings to. One that is
        not open yet begins with them.
    budget
        As for `rt_notebook.vad.recommend`.
    prompts, quiet_s
        What is read, and how long the room is listened to. At least 20 sentences are needed to judge by.

    Attributes
    ----------
    step : str
        ``"ready"``, ``"quiet"``, ``"pause"``, ``"sentence"``, ``"judging"`` or ``"done"``.
    prompt : str
        The sentence to read now.
    value : dict
        The recommended ``threshold``, ``prefix_padding_ms`` and ``silence_duration_ms``; empty without any.
    verdict : list of str
        The recommendation in words, as sentences.
    reading, sweep, recommendation
        What was recorded, all settings tried on it, and the recommendation; None until then.

    Raises
    ------
    ConfigError
        There are too few prompts; or the budget names a metric that there is not, or no number.

    Examples
    --------
    >>> room = RoomTest(session)
    >>> room
    >>> room.recommendation.vad
    """

    kind = traitlets.Unicode("room-test", read_only=True).tag(sync=True)
    step = traitlets.Unicode("ready").tag(sync=True)
    prompt = traitlets.Unicode("").tag(sync=True)
    progress = traitlets.Float(0.0).tag(sync=True)
    value = traitlets.Dict().tag(sync=True)
    verdict = traitlets.List(traitlets.Unicode()).tag(sync=True)
    has_session = traitlets.Bool(False).tag(sync=True)
    applied = traitlets.Dict().tag(sync=True)

    _SUMMARY = "A test of the microphone and the room. Run this cell in JupyterLab."

    def __init__(
        self,
        session: Session | Playground | None = None,
        budget: Mapping[str, float] | None = None,
        *,
        prompts: Sequence[str] = PROMPTS,
        quiet_s: float = QUIET_S,
    ) -> None:
        if len(prompts) < FEWEST_TURNS:
            raise ConfigError(f"Too few prompts: {len(prompts)}.", f"Give at least {FEWEST_TURNS} sentences.")
        self._tuned, self._budget, self._prompts = TunedSession(session), limits_of(budget), tuple(prompts)
        self._quiet_samples = int(quiet_s * SAMPLE_RATE_HZ)
        self._steps: RoomSteps | None = None
        self._pcm: list[bytes] = []
        self.reading: Reading | None = None
        self.sweep: Sweep | None = None
        self.recommendation: Recommendation | None = None
        super().__init__()
        self.has_session = session is not None

    # -- on the line -----------------------------------------------------------------------------------

    def _on_mic_open(self, message: dict[str, Any], pcm: bytes) -> None:
        super()._on_mic_open(message, pcm)
        self._pcm, self._steps = [], RoomSteps(self._prompts, self._quiet_samples)
        self._observers.submit(self._clear)

    def _on_chunk(self, pcm: bytes) -> None:
        super()._on_chunk(pcm)
        steps = self._steps
        if steps is None:
            return
        self._pcm.append(bytes(pcm))
        steps.heard(len(pcm) // 2)
        if steps.step == "judging":
            self._steps = None
            self._mic.revoke("")
            audio = np.frombuffer(b"".join(self._pcm), "<i2")
            quiet, read = np.split(audio, [self._quiet_samples])
            sentences_s = np.array(steps.sentences) / SAMPLE_RATE_HZ
            self._observers.submit(partial(self._judge, lambda: Reading(quiet, read, sentences_s)))

    def _on_mic_state(self, message: dict[str, Any], pcm: bytes) -> None:
        super()._on_mic_state(message, pcm)
        if message["state"] == "off" and self._steps is not None:
            self._steps, self._pcm = None, []
            self._observers.submit(partial(self.set_trait, "step", "ready"))

    def _on_action(self, message: dict[str, Any], pcm: bytes) -> None:
        super()._on_action(message, pcm)
        match message["name"]:
            case "next":
                if self._steps is not None:
                    self._steps.read()
            case "try_voice":
                self._observers.submit(self._clear)
                self._observers.submit(partial(self._judge, lambda: read_aloud(voice, *BUILT_IN_ROOM)))
            case "apply":
                self._observers.submit(self._apply)

    # -- on the observers' thread ----------------------------------------------------------------------

    def _clear(self) -> None:
        with self.hold_sync():
            self.problem, self.prompt, self.progress = "", "", 0.0
            self.value, self.verdict, self.applied = {}, [], {}

    def _publish(self) -> None:
        super()._publish()
        steps = self._steps
        if steps is not None:
            with self.hold_sync():
                self.step, self.prompt, self.progress = steps.step, steps.prompt, round(steps.progress, 2)

    def _judge(self, make: Any) -> None:
        with self.hold_sync():
            self.step, self.prompt = "judging", ""
        try:
            self.reading = make()
            self.sweep = room_sweep(self.reading)
            self.recommendation = recommend(self.sweep, self._budget)
        except RtNotebookError as error:
            with self.hold_sync():
                self.problem, self.step = str(error), "ready"
            return
        vad = self.recommendation.vad
        with self.hold_sync():
            self.value = {} if vad is None else vad.numbers()
            self.verdict = list(self.recommendation.reasons)
            self.step = "done"

    def _apply(self) -> None:
        """Give the session the recommended settings; what it then has is shown."""
        if not self.has_session or not self.value:
            return
        value = dict(self.value)
        try:
            work = self._tuned.apply(server_vad(self._tuned.vad, value))
        except RtNotebookError as error:
            self._tell(str(error))
            return
        if work is None:
            self.applied = value
        else:
            self._watch(work, partial(self.set_trait, "applied", value))

    # -- in the notebook -------------------------------------------------------------------------------

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is not None and self.verdict:
            reasons = "".join(f"<li>{html.escape(reason)}</li>" for reason in self.verdict)
            bundle[0]["text/html"] = f"<p><em>RoomTest</em></p><ul>{reasons}</ul>"
        return bundle
