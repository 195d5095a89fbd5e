"""Why a connection could not be opened: every way in which it fails, told in one sentence without a key."""

from __future__ import annotations

import email.utils
import ssl
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec
from websockets.exceptions import (
    InvalidProxy,
    InvalidProxyStatus,
    InvalidStatus,
    ProxyError,
    WebSocketException,
)

from rt_notebook.errors import (
    AuthenticationError,
    ComponentMissingError,
    ConnectError,
    EndpointNotFoundError,
    RefusedError,
    RtNotebookError,
)
from rt_notebook.io.endpoints.trust import why_untrusted

if TYPE_CHECKING:
    from rt_notebook.io.endpoints.address import Address

__all__ = ["failure"]

LONGEST_SAID_CHARS = 200


def failure(
    error: OSError | ValueError | ImportError | WebSocketException, address: Address, timeout_s: float
) -> RtNotebookError:
    """Return what to raise instead of the error with which a handshake failed.

    Where the endpoint says the key again, it is masked.
    """
    host = urlsplit(address.url).netloc
    match error:
        case InvalidStatus(response=response):
            said = address.masked(_said(response.body or b""))[:LONGEST_SAID_CHARS]
            return _refusal(
                host, response.status_code, said, _retry_after_s(response.headers.get("Retry-After"))
            )
        case TimeoutError():
            problem = f"{host} did not answer within {timeout_s:g} s."
            return ConnectError(problem, "Check the address and the network.")
        case InvalidProxyStatus(response=response):
            return ConnectError(
                f"The proxy on the way to {host} refused (HTTP {response.status_code}).",
                "Check HTTPS_PROXY and the name and password in it, or name the host in NO_PROXY.",
            )
        case ImportError():
            return ComponentMissingError(
                f"The proxy on the way to {host} is one for SOCKS, and python-socks is not installed.",
                "Run pip install 'python-socks[asyncio]', or name the host in NO_PROXY.",
            )
        case ProxyError():
            return ConnectError(
                f"The proxy on the way to {host} does not answer as one.",
                "Check HTTPS_PROXY, or name the host in NO_PROXY.",
            )
        case ssl.SSLCertVerificationError():
            why, remedy = why_untrusted(error)
            return ConnectError(f"The certificate of {host} is not trusted: {why}.", remedy)
        case ssl.SSLError():
            return ConnectError(
                f"{host} does not speak TLS there ({error.reason}).", "Check the address and its port."
            )
        case InvalidProxy() | ValueError():  # of its name or port; one of TLS is a ValueError, too
            return ConnectError(
                "The proxy that is set has no usable address.", "Correct or unset HTTPS_PROXY."
            )
        case OSError():
            return ConnectError(
                f"{host} cannot be reached ({error.strerror or error}).",
                "Check the address and the network, or start the server there.",
            )
    return ConnectError(
        f"{host} does not speak WebSocket there ({type(error).__name__}).", "Check the address and its path."
    )


def _refusal(host: str, status: int, said: str, retry_after_s: float | None) -> ConnectError:
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
