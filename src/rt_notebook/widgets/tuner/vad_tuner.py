"""`VadTuner`: the settings of a turn detection, tried on one recording while they are turned."""

from __future__ import annotations

import queue
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import traitlets

from rt_notebook.core.audio import SAMPLE_RATE_HZ
from rt_notebook.core.config import ServerVad
from rt_notebook.errors import ConfigError, RtNotebookError
from rt_notebook.vad.labels import as_labels
from rt_notebook.vad.plane.metrics import LABELLED, UNLABELLED
from rt_notebook.widgets.playground.session_facts import applied_settings
from rt_notebook.widgets.port.audio_port import AudioPort
from rt_notebook.widgets.port.worker import Worker
from rt_notebook.widgets.tuner import messages
from rt_notebook.widgets.tuner.dials import SETTINGS, TunerDials
from rt_notebook.widgets.tuner.forms import applied_words, server_vad, update_event
from rt_notebook.widgets.tuner.picture import picture
from rt_notebook.widgets.tuner.session import TunedSession, first_sound
from rt_notebook.widgets.tuner.sound import NO_LABELS, built_in, hear, labels_from, part_of
from rt_notebook.widgets.tuner.tuning import Tuning
from rt_notebook.widgets.tuner.turns import turns_frame

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from rt_notebook.core.dialects import DialectName
    from rt_notebook.io.runtime import Pending
    from rt_notebook.io.session.session import Session
    from rt_notebook.vad.detectors import Detector
    from rt_notebook.vad.plane.sweep import Sweep
    from rt_notebook.vad.traces.trace import Trace
    from rt_notebook.widgets.tuner.sound import Sound

__all__ = ["VadTuner"]

_MIC_SAMPLES = SAMPLE_RATE_HZ * 600
_PLAYED_MS = 60_000


class VadTuner(AudioPort, TunerDials):
    """Turn the settings of a ``server_vad`` and see at once what they would have decided.

    Parameters
    ----------
    source
        What to try them on: an ``.rtlog`` recording (its path, or loaded), a sound file, an array, PCM16
        bytes, a `rt_notebook.vad.Trace`, or a take of `rt_notebook.vad.rooms`. ``"voice"``: the built-in
        voice in a noise. None: what was recorded of `session`; without one, ``"voice"``.
    session
        A `Session`, or a `Playground`, that *Apply to session* acts on. What its microphone has heard is held
        only if it is recorded; the widget offers to record from now on.
    labels
        When somebody really speaks: an array of shape (m, 2) in seconds, or the path of an RTTM or CSV file.
        Marks in the widget set them too. With labels there are more metrics, and wrong turns are shown.
    detector
        Judges audio: a name (`rt_notebook.vad.detector_names`), or a detector of your own.
    rate_hz
        Sample rate of an array or of bytes.

    Attributes
    ----------
    threshold, prefix_padding_ms, silence_duration_ms
        Settings as in `ServerVad`. May be set, observed and linked.
    exit_threshold : float or None
        Below it a frame is silent; None: 0.15 below the threshold. The API cannot be told it.
    value : dict
        The settings as the API's ``turn_detection`` object names them. May be set.
    metric : str
        Which metric the plane shows, one of ``tuner.sweep.metrics``.
    turns : pandas.DataFrame
        What these settings decide, as `rt_notebook.vad.simulate` returns it. Read only.
    score : dict
        All metrics at these settings, some tenths of a second behind a slider. Read only.
    applied : dict
        What the endpoint acknowledged after *Apply to session*. Read only.

    Raises
    ------
    AudioFileError, BundleError
        The source cannot be read.
    ConfigError
        The source is no audio, or a setting is out of range.
    ComponentMissingError
        The detector is not installed.

    Examples
    --------
    >>> tuner = VadTuner("me.wav", labels="me.csv")
    >>> tuner.turns
    """

    kind = traitlets.Unicode("vad-tuner", read_only=True).tag(sync=True)
    metric = traitlets.Unicode("turns_per_min").tag(sync=True)
    session_state = traitlets.Unicode("", read_only=True).tag(sync=True)
    recorded = traitlets.Bool(False, read_only=True).tag(sync=True)
    applied = traitlets.Dict(read_only=True).tag(sync=True)
    note = traitlets.Unicode("", read_only=True).tag(sync=True)
    busy = traitlets.Unicode("", read_only=True).tag(sync=True)

    turns = traitlets.Instance(pd.DataFrame, read_only=True)
    score = traitlets.Dict(read_only=True)

    _SUMMARY = "Tries settings of the turn detection on a recording. Run this cell in JupyterLab to use it."

    def __init__(
        self,
        source: Any = None,
        session: Any = None,
        labels: Any = None,
        detector: str | Detector = "silero",
        *,
        rate_hz: int = SAMPLE_RATE_HZ,
    ) -> None:
        self._detector = detector
        self._tuned = TunedSession(session)
        self._mic_parts: list[bytes] = []
        self._asked: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._answer = ("", 0)
        self._unsent = self._unplanned = True
        sound, problem = first_sound(source, self._tuned, detector, rate_hz)
        marks = labels_from(labels, sound)
        self._tuning = Tuning(sound, marks, self._tuned.vad)
        self._rows = self._tuning.heard.before
        super().__init__()
        # For what takes long, so that no slider waits for it: judging a recording, the plane.
        self._desk = Worker("rt_notebook-tuner-desk", self._plan)
        with self.hold_sync():
            self.metric = "cost" if len(marks) else "turns_per_min"
            self.problem = problem
            self._set(self._tuned.vad.numbers())

    # -- what it knows -----------------------------------------------------------------------------------

    @property
    def session(self) -> Session | None:
        """The session that *Apply to session* acts on; of a `Playground` the one that runs now."""
        return self._tuned.session

    @property
    def vad(self) -> ServerVad:
        """The settings as a `ServerVad`; what is not tuned here is as in the session."""
        return server_vad(self._tuned.vad, self.dials)

    @property
    def trace(self) -> Trace:
        """The speech probability of what is listened to."""
        return self._tuning.heard.sound.trace

    @property
    def labels(self) -> npt.NDArray[np.float64]:
        """When somebody speaks: start and end in seconds, shape (m, 2). May be set."""
        return self._tuning.heard.labels

    @labels.setter
    def labels(self, labels: npt.ArrayLike) -> None:
        had = len(self.labels)
        self._tuning.label(as_labels(labels))
        self._choose_metric(had)
        self._decide()
        self.send(*messages.labels_message(self._tuning.heard))

    @property
    def sweep(self) -> Sweep:
        """Every threshold with every silence duration over this recording, as `rt_notebook.vad.sweep`."""
        return self._tuning.sweep(self.prefix_padding_ms, self.exit_threshold)

    def listen(self, source: Any, labels: Any = None, *, rate_hz: int = SAMPLE_RATE_HZ) -> None:
        """Try the settings on something else; the arguments are those of the class."""
        sound = hear(source, self._detector, rate_hz, progress=True)
        self._take(sound, labels_from(labels, sound))

    def update_event(self, dialect: DialectName = "ga") -> dict[str, Any]:
        """Return the ``session.update`` with these settings, as ``"ga"`` or ``"preview"`` has it."""
        return update_event(self.vad, dialect)

    def apply(self) -> Pending[None] | None:
        """Tell the session these settings; what it acknowledges stands in `applied` afterwards.

        Returns
        -------
        Pending or None
            The change under way; None where the session is not open yet and begins with them.

        Raises
        ------
        ConfigError
            There is no session, or it has ended.
        """
        pending = self._tuned.apply(self.vad)
        if pending is None:
            self.set_trait("note", "The session is not open yet: it will begin with these settings.")
            return None
        self.set_trait("note", "Waiting for the endpoint to acknowledge …")
        refused = "The change was refused; the session keeps its settings."
        self._watch(pending, self._acknowledged, partial(self.set_trait, "note", refused))
        return pending

    def close(self) -> None:
        """Close the widget; a recording that it has begun ends and is deleted. The session goes on."""
        if self._alive:
            self._desk.stop()
            self._tuned.close()
        super().close()

    # -- deciding ----------------------------------------------------------------------------------------

    @traitlets.validate("metric")
    def _validate_metric(self, proposal: Any) -> Any:
        usable = (*UNLABELLED, *(LABELLED if len(self.labels) else ()))
        if proposal["value"] not in usable:
            raise ConfigError(
                f"metric={proposal['value']!r} is not usable.", f"Use one of: {', '.join(usable)}."
            )
        return proposal["value"]

    @traitlets.observe("metric")
    def _metric_changed(self, _change: Any) -> None:
        self._unplanned = True

    def _decide(self) -> None:
        decided = None
        # Until nothing was changed meanwhile by another thread.
        while decided != (decided := (self._tuning.heard, self.dials, self.exit_threshold)):
            heard, dials, leave = decided
            self._rows = self._tuning.decide(ServerVad(**dials), leave)
            self._unsent = self._unplanned = True
            self.set_trait("turns", turns_frame(self._rows, heard.sound.parts))

    def _take(self, sound: Sound, labels: npt.NDArray[np.float64] = NO_LABELS) -> None:
        had = len(self.labels)
        self._tuning.take(sound, labels, self._tuned.vad)
        self._choose_metric(had)
        self._decide()
        self._send_all()

    def _choose_metric(self, had_labels: int) -> None:
        """Show what labels tell once there are some, and nothing that needs them once there are none."""
        if bool(had_labels) != bool(len(self.labels)):
            self.metric = "cost" if len(self.labels) else "turns_per_min"

    # -- what the page asks for --------------------------------------------------------------------------

    def _handlers(self) -> dict[str, Callable[[dict[str, Any], bytes], None]]:
        return super()._handlers() | {"tuner.set": self._on_set}

    def _on_set(self, message: dict[str, Any], _pcm: bytes) -> None:
        """Take note of what a slider wants. While it is dragged, only the newest place counts."""
        self._asked.put(message)
        self._observers.submit(self._set_wanted)

    def _set_wanted(self) -> None:
        wanted: dict[str, Any] = {}
        while not self._asked.empty():
            message = self._asked.get()
            wanted |= message["changes"]
            self._answer = (message["client"], message["n"])
        settings = {name: value for name, value in wanted.items() if name in SETTINGS}
        try:
            if settings:
                self._set(settings)
            if "metric" in wanted:
                self.metric = wanted["metric"]
        except (RtNotebookError, traitlets.TraitError) as error:
            self.problem = str(error)
        if wanted:
            self._send_turns()

    def _on_hello(self, message: dict[str, Any], pcm: bytes) -> None:
        super()._on_hello(message, pcm)
        self._observers.submit(self._send_all)

    def _on_mic_open(self, message: dict[str, Any], pcm: bytes) -> None:
        super()._on_mic_open(message, pcm)
        self._mic_parts = []

    def _on_chunk(self, pcm: bytes) -> None:
        super()._on_chunk(pcm)
        self._mic_parts.append(bytes(pcm))
        if self._mic.samples > _MIC_SAMPLES:
            self._mic.revoke("Ten minutes are recorded, which is as much as the tuner takes.")

    def _tick(self) -> None:
        super()._tick()
        if self._mic_parts and self._mic.client is None:
            pcm, self._mic_parts = b"".join(self._mic_parts), []
            self._at_the_desk(lambda: hear(pcm, self._detector, name="your microphone"))

    def _on_action(self, message: dict[str, Any], pcm: bytes) -> None:
        super()._on_action(message, pcm)
        self._observers.submit(partial(self._act, message))

    def _act(self, message: dict[str, Any]) -> None:
        self.problem = ""
        try:
            match message["name"]:
                case "apply":
                    self.apply()
                case "record":
                    note = "Recording from now on: speak, then take it in."
                    self._watch(self._tuned.record(), partial(self.set_trait, "note", note))
                case "refresh":
                    self._at_the_desk(lambda: self._tuned.hear(self._detector))
                case "voice":
                    noise, snr_db = str(message["noise"]), float(message["snr_db"])
                    self._at_the_desk(lambda: built_in(noise, snr_db, self._detector))
                case "marks":
                    self.labels = np.array(message["rows"], np.float64).reshape(-1, 2) / 1000
                case "play":
                    self.flush()
                    start_ms = int(message["start_ms"])
                    end_ms = min(int(message["end_ms"]), start_ms + _PLAYED_MS)
                    self.play_audio(part_of(self._tuning.heard.sound, start_ms, end_ms))
        except RtNotebookError as error:
            self.problem = str(error)

    def _at_the_desk(self, make: Callable[[], Sound]) -> None:
        """Listen to what takes a while to make, and say so meanwhile."""

        def work() -> None:
            self._observers.submit(partial(self.set_trait, "busy", "Listening to it …"))
            try:
                sound = make()
                self._observers.submit(partial(self._take, sound, sound.labels))
            except RtNotebookError as error:
                self._observers.submit(partial(self.set_trait, "problem", str(error)))
            finally:
                self._observers.submit(partial(self.set_trait, "busy", ""))

        self._desk.submit(work)

    def _acknowledged(self) -> None:
        found = {} if self.session is None else applied_settings(self.session.info)
        applied = {name: found[name] for name in ServerVad.NUMBERS if name in found}
        self.set_trait("note", applied_words(applied))
        self.set_trait("applied", applied)

    # -- what the page is told ---------------------------------------------------------------------------

    def _publish(self) -> None:
        super()._publish()
        self.set_trait("session_state", self._tuned.state)
        self.set_trait("recorded", self._tuned.recording is not None)
        if self._unsent:
            self._send_turns()

    def _plan(self) -> None:
        """Send the plane and the score where they are no longer true."""
        if self._unplanned and len(self.trace):
            self._unplanned = False
            heard, metric = self._tuning.heard, self.metric
            score = self._tuning.score(ServerVad(**self.dials), self.exit_threshold)
            self._observers.submit(partial(self.set_trait, "score", score))
            self.send(*messages.plane_message(heard.number, self.sweep, metric, score))

    def _send_turns(self) -> None:
        self._unsent = False
        vad, leave = self.vad, self.exit_threshold
        self.send(*messages.turns_message(self._tuning.heard, self._rows, vad, leave, self._answer))

    def _send_all(self) -> None:
        self.send(*messages.sound_message(self._tuning.heard))
        self.send(*messages.labels_message(self._tuning.heard))
        self._send_turns()
        self._unplanned = True

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is not None:
            # A picture instead of the words: what a saved notebook shows where no kernel runs.
            del bundle[0]["text/html"]
            bundle[0]["image/png"] = picture(self._tuning.heard, self.vad, self.exit_threshold)
        return bundle
