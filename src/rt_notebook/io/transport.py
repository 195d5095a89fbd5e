"""The WebSocket below a session, with every way in which opening it fails told in one sentence."""

from __future__ import annotations

import logging
import ssl
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI

from rt_notebook.errors import AuthenticationError, ConnectError, EndpointNotFoundError
from rt_notebook.io.socket_logger import socket_logger

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from rt_notebook.io.address import Address

__all__ = ["ClosedBy", "Transport", "WebSocketTransport", "open_websocket"]

MAX_FRAME_BYTES = 32 * 1024 * 1024
"""Larger than any event of the API (15 MiB of audio is the largest that may be sent)."""

OPEN_TIMEOUT_S = 15.0

_logger = socket_logger("rt_notebook.wire", logging.INFO)


class ClosedBy:
    """How a connection ended."""

    def __init__(self, code: int | None, reason: str) -> None:
        self.code = code
        self.reason = reason


class Transport(Protocol):
    """What a session needs of a connection; a saved log or a simulation can be one as well."""

    async def send(self, frame: str) -> None:
        """Write one frame. Raises ConnectionError when the connection is closed."""

    def frames(self) -> AsyncIterator[str | bytes]:
        """Yield every frame that arrives, until the connection is closed."""

    async def close(self) -> None:
        """Close the connection; a second call does nothing."""

    @property
    def closed_by(self) -> ClosedBy:
        """How the connection ended."""


class WebSocketTransport:
    """A `Transport` over a real socket."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    async def send(self, frame: str) -> None:
        """Write one frame."""
        try:
            await self._connection.send(frame)
        except ConnectionClosed as error:
            raise ConnectionError(str(error)) from None

    async def frames(self) -> AsyncIterator[str | bytes]:
        """Yield every frame until the connection is closed, by either side or by a fault."""
        try:
            async for frame in self._connection:
                yield frame
        except ConnectionClosed:
            return

    async def close(self) -> None:
        """Say goodbye and close."""
        await self._connection.close()

    @property
    def closed_by(self) -> ClosedBy:
        """The close code and reason; 1006 means that the connection broke without a goodbye."""
        return ClosedBy(self._connection.close_code, self._connection.close_reason or "")


async def open_websocket(address: Address) -> WebSocketTransport:
    """Open a WebSocket.

    Raises
    ------
    AuthenticationError
        The endpoint answered 401 or 403.
    EndpointNotFoundError
        The endpoint answered 404.
    ConnectError
        Anything else: nothing listens there, the name is unknown, the certificate is wrong, a time-out.
    """
    host = urlsplit(address.url).netloc
    headers = {name: value.reveal() for name, value in address.headers.items()}
    try:
        connection = await connect(
            address.url,
            additional_headers=headers,
            max_size=MAX_FRAME_BYTES,
            compression=None,
            open_timeout=OPEN_TIMEOUT_S,
            logger=_logger,
        )
    except InvalidStatus as error:
        raise _refusal(host, error.response.status_code, error.response.body) from None
    except TimeoutError:
        raise ConnectError(
            f"{host} did not answer within {OPEN_TIMEOUT_S:.0f} s.", "Check the address and the network."
        ) from None
    except ssl.SSLError as error:
        raise ConnectError(
            f"The certificate of {host} is not trusted ({error.reason}).",
            "Check the address; behind an inspecting proxy, set SSL_CERT_FILE to its certificate.",
        ) from None
    except (InvalidHandshake, InvalidURI) as error:
        raise ConnectError(
            f"{host} does not speak WebSocket there ({type(error).__name__}).",
            "Check the address and its path.",
        ) from None
    except OSError as error:
        raise ConnectError(
            f"{host} cannot be reached ({error.strerror or error}).",
            "Check the address and the network, or start the server there.",
        ) from None
    finally:
        headers.clear()
    return WebSocketTransport(connection)


def _refusal(host: str, status: int, body: bytes | bytearray | None) -> ConnectError:
    said = _said(body or b"")[:200]
    detail = f" It said: {said}" if said else ""
    if status in {401, 403}:
        return AuthenticationError(
            f"{host} refused the key (HTTP {status}).{detail}",
            "Check the key and that it belongs to this endpoint; Azure's GA path takes no api-version.",
        )
    if status == 404:
        return EndpointNotFoundError(
            f"{host} knows no such deployment or path (HTTP 404).{detail}",
            "Check the deployment's name, the path and the api-version.",
        )
    if status == 429:
        return ConnectError(f"{host} is at its limit (HTTP 429).{detail}", "Wait a moment and connect again.")
    return ConnectError(
        f"{host} refused the connection (HTTP {status}).{detail}", "Check the address and the model."
    )


def _said(body: bytes | bytearray) -> str:
    """Return the message of a refusal: the vendors send it as JSON, whoever stands between them as text."""
    try:
        said = msgspec.json.decode(body)["error"]["message"]
    except (msgspec.DecodeError, LookupError, TypeError):
        said = body.decode("utf-8", "replace")
    return str(said).strip()
