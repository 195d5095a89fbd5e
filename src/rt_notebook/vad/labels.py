"""Labels: when somebody speaks, as an array of shape (m, 2) with start and end in seconds."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rt_notebook.errors import ConfigError

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    Labels = npt.NDArray[np.float64]
    LabelsLike = str | Path | pd.DataFrame | npt.ArrayLike

__all__ = ["RTTM_PAUSE_S", "as_labels", "guess_labels", "read_labels"]

RTTM_PAUSE_S = 1.0
"""RTTM marks every stretch of speech; those closer than this are taken for one turn."""

# The record types of NIST's RTTM; those of speech are read, the others are known and left out.
_RTTM_TYPES = frozenset(
    {"SEGMENT", "NOSCORE", "NO_RT_METADATA", "LEXEME", "NON-LEX", "NON-SPEECH", "FILLER", "EDIT"}
    | {"IP", "SU", "CB", "A/P", "SPEAKER", "SPKR-INFO"}
)
_SPEAKER, _COLUMNS = "SPEAKER name 1 start_s duration_s ...", "the columns start_s,end_s"


def read_labels(path: str | Path, pause_s: float | None = None) -> Labels:
    """Read the turns of a recording from RTTM, or from a CSV with the columns ``start_s,end_s``.

    Parameters
    ----------
    path
        The suffix tells which it is: ``.rttm`` or ``.csv``.
    pause_s
        Stretches with a shorter pause between them are one turn. None: 1 s for RTTM, which marks speech, and
        0 for a CSV, which marks turns.

    Returns
    -------
    numpy.ndarray
        Start and end in seconds, shape (m, 2), in order and apart.

    Raises
    ------
    ConfigError
        The file is not there, is neither of the two, holds the labels of several recordings, or a line of it
        cannot be read.
    """
    file = Path(path)
    kind = file.suffix.lower()
    if kind not in {".rttm", ".csv"}:
        raise ConfigError(
            f"{file.name!r} holds no labels.", "Give an .rttm file, or a .csv with start_s,end_s."
        )
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise ConfigError(f"The labels {str(path)!r} cannot be read.", "Check the path.") from None
    read = _rttm if kind == ".rttm" else _csv
    if pause_s is None:
        pause_s = RTTM_PAUSE_S if kind == ".rttm" else 0.0
    return _joined(_pairs(read(file.name, text)), pause_s)


def as_labels(labels: LabelsLike) -> Labels:
    """Return labels in order, those joined that touch or overlap.

    Parameters
    ----------
    labels
        A file that `read_labels` reads, a table with the columns ``start_s`` and ``end_s``, or start and end
        in seconds, shape (m, 2).

    Returns
    -------
    numpy.ndarray
        Start and end in seconds, shape (m, 2), in order and apart.

    Raises
    ------
    ConfigError
        They are not pairs of start and end, in seconds from 0, or the file cannot be read.
    """
    return read_labels(labels) if isinstance(labels, str | Path) else _joined(_pairs(labels))


def _pairs(labels: Any) -> Labels:
    is_table = hasattr(labels, "columns")
    try:
        found = np.asarray(labels[["start_s", "end_s"]] if is_table else labels, np.float64)
    except (KeyError, TypeError, ValueError):
        raise _no_pairs() from None
    if found.shape == (0,):
        return np.empty((0, 2))
    if found.ndim != 2 or found.shape[1] != 2:
        raise _no_pairs()
    return found


def _no_pairs() -> ConfigError:
    return ConfigError(
        "These are no labels.",
        "Give start and end in seconds, shape (m, 2), a table with start_s and end_s, or a file's path.",
    )


def _joined(given: Labels, pause_s: float = 0.0) -> Labels:
    """Return them in order, those joined that touch or have a pause under `pause_s` between them."""
    if not bool(np.all(np.isfinite(given))) or bool(np.any((given[:, 0] < 0) | (given[:, 1] < given[:, 0]))):
        raise ConfigError("A label does not end after its start.", "Give start and end in seconds from 0.")
    joined: list[list[float]] = []
    for start, end in given[np.argsort(given[:, 0], kind="stable")].tolist():
        if joined and (start <= joined[-1][1] or start - joined[-1][1] < pause_s):
            joined[-1][1] = max(joined[-1][1], end)
        elif end > start:
            joined.append([start, end])
    return np.array(joined, np.float64).reshape(-1, 2)


def guess_labels(probabilities: npt.NDArray[np.float32], hop_s: float, pause_s: float = 1.0) -> Labels:
    """Take the widest gaps for the ends of turns: stretches of speech (from 0.5) with this much between them.

    A stand-in where nobody has labelled: it cannot tell a long pause for thought from an end.
    """
    speech = np.flatnonzero(probabilities >= 0.5)
    return _joined(np.stack([speech, speech + 1], axis=1).astype(np.float64) * hop_s, pause_s)


def _rttm(name: str, text: str) -> list[tuple[float, float]]:
    found, recordings = [], set()
    for number, line in enumerate(text.splitlines(), start=1):
        fields = line.split()
        if not fields or fields[0].startswith(";;"):
            continue
        if fields[0] not in _RTTM_TYPES:
            raise _unreadable(name, number, _SPEAKER)
        if fields[0] != "SPEAKER":
            continue
        try:
            start_s = float(fields[3])
            found.append((start_s, start_s + float(fields[4])))
        except (IndexError, ValueError):
            raise _unreadable(name, number, _SPEAKER) from None
        recordings.add(fields[1])
    if len(recordings) > 1:
        raise ConfigError(
            f"{name!r} holds the labels of {len(recordings)} recordings.", "Give one file for each recording."
        )
    return found


def _csv(name: str, text: str) -> list[tuple[float, float]]:
    rows = csv.DictReader(text.splitlines(), skipinitialspace=True)
    if not {"start_s", "end_s"} <= {column.strip() for column in rows.fieldnames or ()}:
        raise _unreadable(name, 1, _COLUMNS)
    rows.fieldnames = [column.strip() for column in rows.fieldnames or ()]
    found = []
    for number, row in enumerate(rows, start=2):
        try:
            found.append((float(row["start_s"]), float(row["end_s"])))
        except (TypeError, ValueError):
            raise _unreadable(name, number, _COLUMNS) from None
    return found


def _unreadable(name: str, number: int, wanted: str) -> ConfigError:
    return ConfigError(f"Line {number} of {name!r} is no label.", f"It has to hold {wanted}.")
