"""Settings: refused where they are written, complete on the wire, and updates that name only what changed."""

from __future__ import annotations

import numpy as np
import pytest

from rt_notebook.core.config import SemanticVad, ServerVad, SessionConfig, changed_part
from rt_notebook.errors import ConfigError


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: ServerVad(threshold=1.5), "0 to 1"),
        (lambda: ServerVad(threshold="0.5"), "0 to 1"),
        (lambda: ServerVad(silence_duration_ms=-1), "whole number"),
        (lambda: ServerVad(silence_duration_ms=0.5), "whole number"),
        (lambda: ServerVad(silence_duration_ms=float("nan")), "whole number"),
        (lambda: ServerVad(silence_duration_ms=True), "whole number"),
        (lambda: ServerVad(silence_duration_ms=np.bool_(1)), "whole number"),
        (lambda: ServerVad(silence_duration_ms="100"), "whole number"),
        (lambda: ServerVad(threshold=np.bool_(1)), "0 to 1"),
        (lambda: ServerVad(threshold=np.float64("nan")), "0 to 1"),
        (lambda: ServerVad(idle_timeout_ms=100), "5000"),
        (lambda: SemanticVad(eagerness="very"), "low, medium, high"),
        (lambda: SessionConfig(temperature=2.0), "0.6 to 1.2"),
        (lambda: SessionConfig(voice=""), "name"),
        (lambda: SessionConfig(turn_detection={"type": "server_vad"}), "ServerVad"),
        (lambda: SessionConfig().replace(volume=3), "instructions"),
        (lambda: SessionConfig(turn_detection=None).replace(threshold=0.3), "turn_detection=ServerVad"),
        (lambda: SessionConfig(turn_detection=SemanticVad()).replace(threshold=0.3), "eagerness"),
        (lambda: SessionConfig(turn_detection=SemanticVad()).replace(threshold=0.3), "instructions"),
        (lambda: SessionConfig(turn_detection=SemanticVad()).replace(threshold=0.3), "=ServerVad(...) first"),
        (lambda: SessionConfig().replace(silence_ms=300), "threshold, prefix_padding_ms, silence"),
        (lambda: SessionConfig().replace(eagerness="low"), "turn_detection=SemanticVad(...) first"),
        (lambda: SessionConfig().replace(turn_detection=None, threshold=0.3), "turn_detection=ServerVad"),
        (lambda: SessionConfig().replace(threshold=2), "0 to 1"),
    ],
)
def test_a_wrong_setting_is_refused_with_a_remedy(make, words):
    with pytest.raises(ConfigError) as caught:
        make()
    assert words in caught.value.remedy


def test_settings_of_the_turn_detection_in_use_may_be_given_directly():
    config = SessionConfig().replace(threshold=0.7, voice="verse")
    assert (config.turn_detection, config.voice) == (ServerVad(threshold=0.7), "verse")
    config = config.replace(turn_detection=SemanticVad(), eagerness="low")
    assert config.turn_detection == SemanticVad(eagerness="low")
    assert config.replace(eagerness="high", create_response=False).turn_detection == SemanticVad(
        eagerness="high", create_response=False
    )


@pytest.mark.parametrize(
    ("name", "given", "kept"),
    [
        ("silence_duration_ms", np.int64(100), 100),
        ("silence_duration_ms", np.float64(100.0), 100),
        ("prefix_padding_ms", 100.0, 100),
        ("idle_timeout_ms", np.int32(5000), 5000),
        ("threshold", np.float32(0.25), 0.25),
        ("threshold", np.float64(0.3), 0.3),
        ("threshold", np.int64(1), 1.0),
    ],
)
def test_a_number_of_numpys_is_kept_as_a_plain_one(name, given, kept):
    found = getattr(ServerVad().replace(**{name: given}), name)
    assert (found, type(found)) == (kept, type(kept))


def test_a_temperature_of_numpys_is_kept_as_a_plain_one():
    config = SessionConfig(temperature=np.float32(1.2)).replace(voice="verse")
    assert (config.temperature, type(config.temperature)) == (1.2, float)


def test_every_vad_field_is_sent():
    wire = SessionConfig().to_wire()["audio"]["input"]["turn_detection"]
    assert wire == {
        "type": "server_vad",
        "threshold": 0.5,
        "prefix_padding_ms": 300,
        "silence_duration_ms": 500,
        "create_response": True,
        "interrupt_response": True,
        "idle_timeout_ms": None,
    }


def test_the_numbers_are_what_turns_follow_from():
    vad = ServerVad(threshold=0.7, prefix_padding_ms=0, idle_timeout_ms=6000)
    assert vad.numbers() == {"threshold": 0.7, "prefix_padding_ms": 0, "silence_duration_ms": 500}
    assert ServerVad(**vad.numbers()) == vad.replace(idle_timeout_ms=None)


def test_an_update_names_what_changed_and_a_turn_detection_as_a_whole():
    before = SessionConfig(instructions="a")
    part = changed_part(before.to_wire(), before.replace(threshold=0.7).to_wire())
    assert set(part) == {"type", "audio"}
    assert set(part["audio"]) == {"input"}
    assert set(part["audio"]["input"]) == {"turn_detection"}
    assert part["audio"]["input"]["turn_detection"]["silence_duration_ms"] == 500


def test_an_update_leaves_an_unchanged_voice_out():
    before = SessionConfig(voice="verse")
    assert "audio" not in changed_part(before.to_wire(), before.replace(instructions="b").to_wire())
