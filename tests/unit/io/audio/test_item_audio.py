from __future__ import annotations

import stat

import numpy as np
import pytest
import soundfile
from scripted_log import Script

from rt_notebook import export_audio
from rt_notebook.core.audio import to_float, to_pcm
from rt_notebook.errors import ConfigError
from rt_notebook.io.audio.reply_audio import ReplyAudio

TONE = (0.5 * np.sin(np.arange(4800) / 7)).astype(np.float32)


class Held:
    """What a session holds: its log, and the assistant's voice."""

    def __init__(self, item_id: str | None = None) -> None:
        script = Script()
        script.type("Hello.", 1.0)
        own_id = script.answer("Hi.", 1.1, 0.2)
        if item_id is not None:
            for _, _, event in script.events:
                if event.data.get("item_id") == own_id:
                    event.data["item_id"] = item_id
                if event.data.get("item", {}).get("id") == own_id:
                    event.data["item"]["id"] = item_id
        self.log = script.log(microphone=False)
        self._audio = ReplyAudio()
        self._audio.add(item_id or own_id, to_pcm(TONE))

    def reply_audio(self, item_id: str | None = None):
        return to_float(self._audio.get(item_id))


@pytest.mark.parametrize("form", ["wav", "flac"])
def test_each_item_of_which_audio_is_held_becomes_a_file(form, tmp_path) -> None:
    (path,) = export_audio(Held(), tmp_path / "audio", form)
    samples, rate_hz = soundfile.read(path, dtype="int16")
    assert rate_hz == 24_000
    assert samples.tobytes() == to_pcm(TONE)
    assert path.name.startswith("001-assistant-item_answer")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_id_is_no_path(tmp_path) -> None:
    (path,) = export_audio(Held("../../etc/\x00passwd"), tmp_path / "audio")
    assert path.parent == tmp_path / "audio"
    assert path.name == "001-assistant-etcpasswd.wav"


def test_another_form_is_refused(tmp_path) -> None:
    with pytest.raises(ConfigError, match="wav or flac"):
        export_audio(Held(), tmp_path, "mp3")
