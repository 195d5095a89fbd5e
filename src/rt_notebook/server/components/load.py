"""Load the components, once for the whole process, and say what is running."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rt_notebook.errors import ComponentMissingError, ConfigError
from rt_notebook.io.audio.voice import shared_voice
from rt_notebook.server.components.chat_endpoint import ChatEndpointReplier
from rt_notebook.server.components.echo import EchoReplier
from rt_notebook.server.components.end_of_turn import SmartTurnJudge
from rt_notebook.server.components.reply import SmolLM2Replier
from rt_notebook.server.components.rules import RulesReplier
from rt_notebook.server.components.transcribe import MoonshineTranscriber
from rt_notebook.server.engine.abilities import REPLIES, Abilities
from rt_notebook.vad.detectors.energy import EnergyDetector
from rt_notebook.vad.detectors.silero import SileroDetector

if TYPE_CHECKING:
    from collections.abc import Callable

    from rt_notebook.server.components.end_of_turn import EndOfTurnJudge
    from rt_notebook.server.components.reply import Replier
    from rt_notebook.server.components.speak import Voice
    from rt_notebook.server.components.transcribe import Transcriber
    from rt_notebook.vad.detectors import StreamDetector

__all__ = ["Components", "load_components"]


@dataclass(frozen=True, slots=True)
class Components:
    """What runs behind a server.

    Attributes
    ----------
    judge
        Judges the end of a turn for semantic turn detection; None where nothing does.
    running
        For each of detect, end_of_turn, transcribe, reply and speak: ``name``, ``fallback`` (whether
        something better is missing) and ``note`` (what is missing and how to get it).
    """

    detector: StreamDetector
    transcriber: Transcriber | None
    replier: Replier
    voice: Voice | None
    running: dict[str, dict[str, object]]
    judge: EndOfTurnJudge | None = None

    @property
    def abilities(self) -> Abilities:
        """What a session has to know of them."""
        return Abilities(
            hears=self.transcriber is not None,
            # Without words to read, it is the user's own speech that is said.
            speaks=self.voice is not None or not self.replier.needs_words,
            needs_words=self.replier.needs_words,
            judges=self.judge is not None,
        )


_loaded: dict[tuple[str, str], object] = {}
_lock = threading.Lock()


def load_components(
    chat_url: str | None = None, chat_model: str | None = None, reply: str = "auto"
) -> Components:
    """Load what is installed. Takes a few seconds the first time; run it off the event loop.

    Parameters
    ----------
    chat_url, chat_model
        An OpenAI-compatible chat endpoint that writes the replies instead of the small model.
    reply
        One of `REPLIES`.

    Raises
    ------
    ConfigError
        `reply` is none of them, or contradicts the chat endpoint.
    """
    if reply not in REPLIES:
        raise ConfigError(f"reply={reply!r} is unknown.", f"Use one of: {', '.join(REPLIES)}.")
    if chat_url is not None and reply != "auto":
        raise ConfigError(
            f"A chat endpoint and reply={reply!r} exclude each other.", "Leave one of the two out."
        )
    running: dict[str, dict[str, object]] = {}

    def choose(role: str, make: Callable[[], object], fallback: object) -> Any:
        part, problem = _once(role, make)
        chosen = fallback if problem else part
        running[role] = {
            "name": getattr(chosen, "name", "none"),
            "fallback": bool(problem),
            "note": problem or "",
        }
        return chosen

    with _lock:
        detector: StreamDetector = choose("detect", SileroDetector, EnergyDetector())
        judge: EndOfTurnJudge | None = choose("end_of_turn", SmartTurnJudge, None)
        transcriber: Transcriber | None = choose("transcribe", MoonshineTranscriber, None)
        replier: Replier
        if chat_url is not None:
            replier = ChatEndpointReplier(chat_url, chat_model)
        elif reply in {"rules", "echo"}:
            replier = EchoReplier() if reply == "echo" else RulesReplier()
        else:
            replier = choose("reply", SmolLM2Replier, RulesReplier())
        running.setdefault("reply", {"name": replier.name, "fallback": False, "note": ""})
        voice: Voice | None = choose("speak", shared_voice, None)
    return Components(detector, transcriber, replier, voice, running, judge)


def _once(role: str, make: Callable[[], object]) -> tuple[object, str]:
    key = (role, make.__name__)
    if key not in _loaded:
        try:
            _loaded[key] = make()
        except ComponentMissingError as error:
            return None, str(error)
        except Exception as error:
            # A component that is there but does not run must not take the server down; it is said aloud.
            return None, f"{make.__name__} does not run here ({error}). Run: rt-notebook setup"
    return _loaded[key], ""
