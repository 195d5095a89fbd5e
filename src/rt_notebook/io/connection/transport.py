"""The WebSocket below a session, with every way in which opening it fails told in one sentence."""

from __future__ import annotations

import email.utils
import logging
import ssl
import time
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidProxyStatus,
    InvalidStatus,
    InvalidURI,
    ProxyError,
)

from rt_notebook.errors import AuthenticationError, ConnectError, EndpointNotFoundError, RefusedError
from rt_notebook.io.secrets.socket_logger import socket_logger

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from rt_notebook.io.endpoints.address import Address

__all__ = ["ClosedBy", "Transport", "WebSocketTransport", "open_websocket"]

MAX_FRAME_BYTES = 16 * 1024 * 1024
"""Hundreds of times the largest event that an endpoint sends unasked; what is larger ends the connection."""

TOO_BIG = 1009
"""The close code for a frame that is too large."""

OPEN_TIMEOUT_S = 15.0
GOODBYE_S = 2.0
"""Time for an endpoint to answer a goodbye."""

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

    async def ping(self) -> None:
        """Return when the other side has answered a ping. Raises ConnectionError when it is closed."""

    async def close(self) -> None:
        """Close the connection; a second call does nothing."""

    def abort(self) -> None:
        """Break the connection off without a goodbye: nobody is there to hear it."""

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

    async def ping(self) -> None:
        """Return when the other side has answered."""
        try:
            await (await self._connection.ping())
        except ConnectionClosed as error:
            raise ConnectionError(str(error)) from None

    async def close(self) -> None:
        """Say goodbye and close."""
        await self._connection.close()

    def abort(self) -> None:
        """Break it off."""
        self._connection.transport.abort()

    @property
    def closed_by(self) -> ClosedBy:
        """The close code and reason; 1006 means that the connection broke without a goodbye.

        1009 is this side's own: the frame that came was larger than `MAX_FRAME_BYTES`.
        """
        protocol = self._connection.protocol
        sent = protocol.close_sent
        if sent is not None and sent.code == TOO_BIG and not protocol.close_rcvd_then_sent:
            return ClosedBy(TOO_BIG, f"a frame of more than {MAX_FRAME_BYTES // 1024**2} MiB came")
        code = self._connection.close_code
        return ClosedBy(None if code is None else int(code), self._connection.close_reason or "")


async def open_websocket(address: Address, timeout_s: float = OPEN_TIMEOUT_S) -> WebSocketTransport:
    """Open a WebSocket, by a proxy where ``HTTPS_PROXY`` or the system names one.

    Raises
    ------
    AuthenticationError
        The endpoint answered 401 or 403.
    EndpointNotFoundError
        The endpoint answered 404.
    RefusedError
        The endpoint answered with another status; it knows `RefusedError.retry_after_s`.
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
            open_timeout=timeout_s,
            close_timeout=GOODBYE_S,
            # `Watchdog` asks, and sooner.
            ping_interval=None,
            logger=_logger,
        )
    except InvalidStatus as error:
        retry_after_s = _retry_after_s(error.response.headers.get("Retry-After"))
        raise _refusal(host, error.response.status_code, error.response.body, retry_after_s) from None
    except TimeoutError:
        raise ConnectError(
            f"{host} did not answer within {timeout_s:g} s.", "Check the address and the network."
        ) from None
    except InvalidProxyStatus as error:
        raise ConnectError(
            f"The proxy on the way to {host} refused (HTTP {error.response.status_code}).",
            "Check HTTPS_PROXY and the name and password in it, or name the host in NO_PROXY.",
        ) from None
    except ProxyError:
        raise ConnectError(
            f"The proxy on the way to {host} does not answer as one.",
            "Check HTTPS_PROXY, or name the host in NO_PROXY.",
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


def _refusal(
    host: str, status: int, body: bytes | bytearray | None, retry_after_s: float | None
) -> ConnectError:
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
        wait = "a moment" if retry_after_s is None else f"{retry_after_s:.0f} s"
        problem, remedy = f"{host} is at its limit (HTTP 429).{detail}", f"Wait {wait} and connect again."
    else:
        problem = f"{host} refused the connection (HTTP {status}).{detail}"
        remedy = "Check the address and the model."
    return RefusedError(problem, remedy, status, retry_after_s)


def _retry_after_s(value: str | None) -> float | None:
    """Return the seconds that a Retry-After header asks for: a number or a date; None for neither."""
    if value is None:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return None


def _said(body: bytes | bytearray) -> str:
    """Return the message of a refusal: the vendors send it as JSON, whoever stands between them as text."""
    try:
        said = msgspec.json.decode(body)["error"]["message"]
    except (msgspec.DecodeError, LookupError, TypeError):
        said = body.decode("utf-8", "replace")
    return str(said).strip()
