"""The sweep: every threshold with every silence duration, over all recordings, at once."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rt_notebook.errors import ConfigError
from rt_notebook.vad.detectors import load_detector
from rt_notebook.vad.plane.corpus import GUESS, Entry, run_tasks, tasks_of
from rt_notebook.vad.plane.metrics import LABELLED, PADDED_METRICS, UNLABELLED, metrics_of
from rt_notebook.vad.plane.plane import Counted, Plane, add_up, plane
from rt_notebook.vad.traces.trace import Trace

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Executor

    import numpy.typing as npt
    import pandas as pd

    from rt_notebook.core.config import ServerVad
    from rt_notebook.core.turn_detection import Reset
    from rt_notebook.vad.labels import LabelsLike
    from rt_notebook.vad.plane.corpus import Recording

__all__ = ["PADDINGS_MS", "SILENCES_MS", "THRESHOLDS", "Sweep", "sweep"]

THRESHOLDS = tuple(number / 50 for number in range(1, 50))
SILENCES_MS = (*range(100, 1000, 50), *range(1000, 2001, 100))
PADDINGS_MS = (0, 100, 200, 300, 400, 500)


class Sweep:
    """What every setting does to the recordings; made by `sweep`.

    Attributes
    ----------
    names, parts
        The recordings and what was counted over each; of more than 256, some are counted together.
    failed
        Name and reason of those that could not be read.
    labelled
        Whether there were labels; ``guessed``, whether they are guesses.
    """

    def __init__(
        self,
        settings: Plane,
        names: Sequence[str],
        parts: Sequence[Counted],
        failed: Sequence[tuple[str, str]] = (),
        *,
        labelled: bool = True,
        guessed: bool = False,
    ) -> None:
        self.settings = settings
        self.names = tuple(names)
        self.parts = tuple(parts)
        self.failed = tuple(failed)
        self.labelled = labelled
        self.guessed = guessed

    @property
    def threshold(self) -> npt.NDArray[np.float64]:
        """The thresholds, shape (k,)."""
        return np.array(self.settings.threshold)

    @property
    def silence_duration_ms(self) -> npt.NDArray[np.int64]:
        """The silence durations, shape (s,)."""
        return np.array(self.settings.silence_duration_ms)

    @property
    def prefix_padding_ms(self) -> npt.NDArray[np.int64]:
        """The paddings, shape (p,)."""
        return np.array(self.settings.prefix_padding_ms)

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics there are; what they mean stands in `rt_notebook.vad.plane.metrics`."""
        return (*UNLABELLED, *(LABELLED if self.labelled else ()))

    @cached_property
    def total(self) -> Counted:
        """What was counted over all recordings."""
        return add_up(self.parts)

    def metric(self, name: str, prefix_padding_ms: int | None = None) -> npt.NDArray[np.float64]:
        """Return a metric over the plane of settings, shape (thresholds, silences).

        Parameters
        ----------
        name
            One of `metrics`.
        prefix_padding_ms
            For metrics that the padding changes; None: the first.

        Raises
        ------
        ConfigError
            There is no such metric, perhaps for lack of labels, or this padding was not swept.
        """
        self._check(name)
        values = metrics_of(self.total, name)
        if name not in PADDED_METRICS:
            return values
        paddings = self.settings.prefix_padding_ms
        padding_ms = paddings[0] if prefix_padding_ms is None else prefix_padding_ms
        return values[..., _index("prefix_padding_ms", paddings, padding_ms)]

    def at(self, vad: ServerVad) -> dict[str, float]:
        """Return all metrics at one setting.

        Raises
        ------
        ConfigError
            It was not swept.
        """
        k, s, p = self.place(vad)
        found = {}
        for name in self.metrics:
            values = metrics_of(self.total, name)
            found[name] = float(values[k, s, p] if name in PADDED_METRICS else values[k, s])
        return found

    def place(self, vad: ServerVad) -> tuple[int, int, int]:
        """Return the indices of a setting.

        Raises
        ------
        ConfigError
            It was not swept.
        """
        settings = self.settings
        return (
            _index("threshold", settings.threshold, vad.threshold),
            _index("silence_duration_ms", settings.silence_duration_ms, vad.silence_duration_ms),
            _index("prefix_padding_ms", settings.prefix_padding_ms, vad.prefix_padding_ms),
        )

    def interval(
        self, name: str, vad: ServerVad, *, level: float = 0.9, samples: int = 1000, seed: int = 0
    ) -> tuple[float, float]:
        """Return a confidence interval of a metric at one setting, by bootstrap over the recordings.

        Parameters
        ----------
        level
            Share of the intervals that would hold the true value.
        samples, seed
            How many resamples are drawn; the same seed draws the same.
        """
        self._check(name)
        k, s, p = self.place(vad)
        draw = np.random.default_rng(seed).multinomial(
            len(self.parts), [1 / len(self.parts)] * len(self.parts), samples
        )
        small = Counted(
            _drawn(draw, [part.counts[:, k, s] for part in self.parts]).T[:, :, None],
            _drawn(draw, [part.padded[:, k, s, p] for part in self.parts]).T[:, :, None, None],
            _drawn(draw, [part.latencies[k, s] for part in self.parts]).astype(np.int32)[:, None],
            0,
            0,
        )
        truths = _drawn(draw, [np.array([part.truths, part.duration_ms]) for part in self.parts])
        values = [
            metrics_of(_one(small, sample, int(truths[sample, 0]), int(truths[sample, 1])), name).item()
            for sample in range(samples)
        ]
        known = np.array([value for value in values if not np.isnan(value)])
        if not known.size:
            return float("nan"), float("nan")
        low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
        return float(low), float(high)

    def only(self, which: Sequence[int]) -> Sweep:
        """Return the sweep of some of the recordings, by their places in `names`."""
        names, parts = [self.names[i] for i in which], [self.parts[i] for i in which]
        return Sweep(self.settings, names, parts, labelled=self.labelled, guessed=self.guessed)

    def __add__(self, other: Sweep) -> Sweep:
        """Return both together: the same settings over more recordings.

        Raises
        ------
        ConfigError
            The settings differ.
        """
        if (self.settings, self.labelled) != (other.settings, other.labelled):
            raise ConfigError("These sweeps are of different settings.", "Sweep the same settings with both.")
        return Sweep(
            self.settings,
            self.names + other.names,
            self.parts + other.parts,
            self.failed + other.failed,
            labelled=self.labelled,
            guessed=self.guessed or other.guessed,
        )

    def to_pandas(self) -> pd.DataFrame:
        """Return one row a setting, its metrics in the columns."""
        import pandas as pd

        settings = self.settings
        index = pd.MultiIndex.from_product(
            [settings.threshold, settings.silence_duration_ms, settings.prefix_padding_ms],
            names=["threshold", "silence_duration_ms", "prefix_padding_ms"],
        )
        paddings = len(settings.prefix_padding_ms)
        columns = {}
        for name in self.metrics:
            values = metrics_of(self.total, name)
            spread = values if name in PADDED_METRICS else np.repeat(values[..., None], paddings, axis=-1)
            columns[name] = spread.reshape(-1)
        return pd.DataFrame(columns, index=index).reset_index()

    def __repr__(self) -> str:
        settings, total = self.settings, self.total
        of = len(settings.threshold) * len(settings.silence_duration_ms) * len(settings.prefix_padding_ms)
        turns = f", {total.truths} labelled turns" if self.labelled else ""
        return f"<Sweep of {of} settings over {total.recordings} recordings{turns}>"

    def _check(self, name: str) -> None:
        if name not in self.metrics:
            lacking = " It needs labels." if name in LABELLED else ""
            known = ", ".join(self.metrics)
            raise ConfigError(f"There is no metric {name!r}.{lacking}", f"Use one of: {known}.")


def sweep(
    traces: Recording | Sequence[Recording],
    threshold: npt.ArrayLike = THRESHOLDS,
    silence_duration_ms: npt.ArrayLike = SILENCES_MS,
    prefix_padding_ms: npt.ArrayLike = PADDINGS_MS,
    *,
    labels: Sequence[LabelsLike] | str | Path | pd.DataFrame | None = None,
    exit_threshold: float | None = None,
    reset: Reset = "high",
    detector: str = "silero",
    executor: Executor | None = None,
    progress: bool = False,
) -> Sweep:
    """Try every threshold with every silence duration and padding on recordings.

    Parameters
    ----------
    traces
        Recordings: traces, probabilities in frames of 32 ms, or paths of audio files; one, or several.
    threshold, silence_duration_ms, prefix_padding_ms
        The values to try.
    labels
        For each recording its labels, as `as_labels` takes them: a path (RTTM, or CSV with
        ``start_s,end_s``), a table, or an array of shape (m, 2) in seconds. ``"guess"`` takes the widest gaps
        for the ends of turns. None: no labels.
    exit_threshold, reset
        As for `simulate`.
    detector
        Judges the files.
    executor
        Any executor of `concurrent.futures`: threads, processes, or a cluster's
        (``dask.distributed.Client(...).get_executor()``). Results are equal whichever it is. Give paths to
        processes and clusters: then nothing large travels.
    progress
        Show how far it is.

    Raises
    ------
    ConfigError
        A setting is out of range, there are not labels for each recording, or no recording can be read.
    ComponentMissingError
        The detector is not installed.
    """
    given = [traces] if isinstance(traces, Trace | str | Path | np.ndarray) else list(traces)
    settings = plane(threshold, silence_duration_ms, prefix_padding_ms, exit_threshold, reset)
    if any(isinstance(each, str | Path) for each in given):
        load_detector(detector)  # one that is not there is refused once, and not for every file
    guessed = isinstance(labels, str) and labels == GUESS
    if labels is None or guessed:
        marks: list[Any] = [labels] * len(given)
    else:
        marks = [labels] if isinstance(labels, str | Path) or hasattr(labels, "columns") else list(labels)
        if len(marks) != len(given) or any(each is None for each in marks):
            labelled = sum(each is not None for each in marks)
            raise ConfigError(
                f"There are {len(given)} recordings and labels for {labelled}.", "Give some for each."
            )
    entries = [
        Entry(_name(each, number), each, mark)
        for number, (each, mark) in enumerate(zip(given, marks, strict=True), start=1)
    ]
    found, failed = run_tasks(tasks_of(entries, detector, settings), executor, progress=progress)
    if not found:
        reason = f" {failed[0][0]}: {failed[0][1]}" if failed else ""
        raise ConfigError(f"No recording can be read.{reason}", "Give at least one that can.")
    names, parts = zip(*found, strict=True)
    return Sweep(settings, names, parts, failed, labelled=labels is not None, guessed=guessed)


def _name(recording: Recording, number: int) -> str:
    if isinstance(recording, str | Path):
        return str(recording)
    return (recording.source if isinstance(recording, Trace) else "") or f"recording {number}"


def _index(name: str, values: Sequence[float], value: float) -> int:
    if value not in values:
        raise ConfigError(f"{name}={value!r} was not swept.", f"Use one of: {', '.join(map(str, values))}.")
    return values.index(value)


def _drawn(draw: npt.NDArray[np.int64], parts: Sequence[npt.NDArray[np.integer]]) -> npt.NDArray[np.int64]:
    found: npt.NDArray[np.int64] = draw @ np.stack(parts).astype(np.int64)
    return found


def _one(small: Counted, sample: int, truths: int, duration_ms: int) -> Counted:
    here = slice(sample, sample + 1)
    return Counted(small.counts[:, here], small.padded[:, here], small.latencies[here], truths, duration_ms)
