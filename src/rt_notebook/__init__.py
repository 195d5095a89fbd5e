"""rt_notebook: talk with realtime speech models in Jupyter.

Everything public stands here by its flat name and is loaded when it is first used, so that
``import rt_notebook`` costs next to nothing::

    from rt_notebook import Session

    session = await Session().connect()
    turn = await session.ask("What is the capital of France?")
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rt_notebook import errors, plot, vad
    from rt_notebook.core.config import SemanticVad, ServerVad, SessionConfig
    from rt_notebook.core.events import Event
    from rt_notebook.core.limits import SessionLimits
    from rt_notebook.core.reconnect import ReconnectPolicy
    from rt_notebook.core.tool_call import PendingCall
    from rt_notebook.core.tools import Tool, tool
    from rt_notebook.errors import (
        AudioFileError,
        AuthenticationError,
        BundleError,
        ComponentMissingError,
        ConfigError,
        ConnectError,
        EndpointNotFoundError,
        LogFileError,
        NoReplyError,
        PortInUseError,
        RefusedError,
        RtNotebookError,
        ServerError,
        SessionClosedError,
    )
    from rt_notebook.io.audio.item_audio import export_audio
    from rt_notebook.io.audio.sources import load_audio
    from rt_notebook.io.audio.speakers import SilentSpeaker, Speaker
    from rt_notebook.io.audio.voice import voice
    from rt_notebook.io.bundle.recording import Recording, load
    from rt_notebook.io.endpoints.endpoint import Endpoint
    from rt_notebook.io.session.session import Session
    from rt_notebook.log.event_log import EventLog
    from rt_notebook.log.turns import Turn
    from rt_notebook.plot._report import report
    from rt_notebook.widgets.playground.playground import Playground
    from rt_notebook.widgets.port.audio_port import AudioPort
    from rt_notebook.widgets.room.room import RoomTest
    from rt_notebook.widgets.tuner.vad_tuner import VadTuner

__version__ = "0.1.0"

__all__ = [
    "AudioFileError",
    "AudioPort",
    "AuthenticationError",
    "BundleError",
    "ComponentMissingError",
    "ConfigError",
    "ConnectError",
    "Endpoint",
    "EndpointNotFoundError",
    "Event",
    "EventLog",
    "LogFileError",
    "NoReplyError",
    "PendingCall",
    "Playground",
    "PortInUseError",
    "ReconnectPolicy",
    "Recording",
    "RefusedError",
    "RoomTest",
    "RtNotebookError",
    "SemanticVad",
    "ServerError",
    "ServerVad",
    "Session",
    "SessionClosedError",
    "SessionConfig",
    "SessionLimits",
    "SilentSpeaker",
    "Speaker",
    "Tool",
    "Turn",
    "VadTuner",
    "__version__",
    "errors",
    "export_audio",
    "load",
    "load_audio",
    "plot",
    "report",
    "tool",
    "vad",
    "voice",
]

_MODULES = {"errors", "plot", "vad"}
_HOMES = {
    "rt_notebook.core.config": ("SemanticVad", "ServerVad", "SessionConfig"),
    "rt_notebook.core.events": ("Event",),
    "rt_notebook.core.tool_call": ("PendingCall",),
    "rt_notebook.core.tools": ("Tool", "tool"),
    "rt_notebook.core.limits": ("SessionLimits",),
    "rt_notebook.core.reconnect": ("ReconnectPolicy",),
    "rt_notebook.io.bundle.recording": ("Recording", "load"),
    "rt_notebook.io.endpoints.endpoint": ("Endpoint",),
    "rt_notebook.io.audio.item_audio": ("export_audio",),
    "rt_notebook.io.session.session": ("Session",),
    "rt_notebook.io.audio.sources": ("load_audio",),
    "rt_notebook.io.audio.speakers": ("SilentSpeaker", "Speaker"),
    "rt_notebook.log.event_log": ("EventLog",),
    "rt_notebook.log.turns": ("Turn",),
    "rt_notebook.plot._report": ("report",),
    "rt_notebook.io.audio.voice": ("voice",),
    "rt_notebook.widgets.port.audio_port": ("AudioPort",),
    "rt_notebook.widgets.playground.playground": ("Playground",),
    "rt_notebook.widgets.room.room": ("RoomTest",),
    "rt_notebook.widgets.tuner.vad_tuner": ("VadTuner",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Load a public name when it is first asked for."""
    if name in _MODULES:
        return import_module(f"rt_notebook.{name}")
    if name in __all__:
        value = getattr(import_module(_HOME_OF.get(name, "rt_notebook.errors")), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'rt_notebook' has no attribute {name!r}")


def __dir__() -> list[str]:
    """Return the public names, loaded or not."""
    return sorted({*globals(), *__all__})
