"""How much one client, and all of them together, may ask of the server."""

from __future__ import annotations

from dataclasses import dataclass

from rt_notebook.errors import ConfigError

__all__ = ["Limits"]

_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """The caps of a server.

    Parameters
    ----------
    sessions
        Sessions at once; a further one is refused with 429.
    waiting_sockets
        Sockets besides those of the sessions: in their handshake, or asking something over HTTP. A further
        one is refused with 503 before a byte of it is read.
    handshake_s
        Time for a whole request.
    frame_bytes
        Of a client. 15 MiB of audio, the largest that an event may carry, are 20 MiB of base64.
    outbox_bytes
        What waits to be sent before the client is no longer listened to; a minute of speech.
    outbox_full_bytes
        What waits before the client is given up. An item is told twice, so two of the largest frames fit.
    write_s
        How long one frame may wait for the client to read before the client is given up.
    undetected_frames
        Audio that waits for the detector (32 ms each) before the client is no longer listened to.
    ping_s
        Silence after which a client is asked whether it is there; half of that is given to answer.
    goodbye_s
        Time for a client to answer a goodbye.

    Raises
    ------
    ConfigError
        There is no place for any session.
    """

    sessions: int = 32
    waiting_sockets: int = 64
    handshake_s: float = 10.0
    frame_bytes: int = 24 * _MIB
    outbox_bytes: int = 4 * _MIB
    outbox_full_bytes: int = 64 * _MIB
    write_s: float = 30.0
    undetected_frames: int = 20_000
    ping_s: float = 20.0
    goodbye_s: float = 2.0

    def __post_init__(self) -> None:
        if self.sessions < 1:
            raise ConfigError(f"A server of {self.sessions} sessions serves nobody.", "Give 1 or more.")
