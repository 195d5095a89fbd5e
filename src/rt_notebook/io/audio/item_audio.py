"""Write the audio of a conversation's items, one file each."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from rt_notebook.core.audio import SAMPLE_RATE_HZ
from rt_notebook.errors import ConfigError
from rt_notebook.log.files import private_file

if TYPE_CHECKING:
    from rt_notebook.log.event_log import EventLog

__all__ = ["export_audio"]

FORMS = ("wav", "flac")


class HasItems(Protocol):
    """A session, or a recording of one."""

    @property
    def log(self) -> EventLog:
        """The events."""


def export_audio(source: HasItems, folder: str | Path, form: str = "wav") -> list[Path]:
    """Write each item's audio as a file: PCM16 mono, 24 kHz.

    Parameters
    ----------
    source
        A session, which holds the assistant's voice of the last minutes, or a `Recording`, which may hold
        both sides.
    folder
        Where to write; it is made when it is not there. Files are named by turn and role, such as
        ``"003-assistant-item_abc.wav"``; nobody else may read them (mode 0600).
    form
        ``"wav"`` or ``"flac"``.

    Returns
    -------
    list of Path
        The files, in the order of the conversation. An item of which no audio is held has none.

    Raises
    ------
    ConfigError
        There is no such form.
    """
    if form not in FORMS:
        raise ConfigError(f"Items cannot be written as {form!r}.", f"Use {' or '.join(FORMS)}.")
    import soundfile

    holder: Any = source
    audio_of = holder.item_audio if hasattr(holder, "item_audio") else holder.reply_audio
    folder = Path(folder)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    written = []
    for turn in source.log.fold_turns():
        for role, item_id in (("user", turn.user_item_id), ("assistant", turn.assistant_item_id)):
            samples = None if item_id is None else audio_of(item_id)
            if item_id is None or samples is None or not len(samples):
                continue
            # An id is whatever the endpoint made of it: only harmless letters become part of a name.
            name = re.sub(r"[^A-Za-z0-9_-]", "", item_id)[:40]
            path = private_file(folder / f"{turn.turn:03d}-{role}-{name}.{form}")
            with path.open("wb") as file:
                # The samples as they came over the wire, bit by bit: `to_float` divided them by this.
                pcm = np.clip(np.rint(samples * 32768.0), -32768, 32767).astype(np.int16)
                soundfile.write(file, pcm, SAMPLE_RATE_HZ, subtype="PCM_16", format=form.upper())
            written.append(path)
    return written
