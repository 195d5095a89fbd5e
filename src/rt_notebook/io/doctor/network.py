"""The way to an endpoint: proxy, name, certificate, clock. No key goes along."""

from __future__ import annotations

import email.utils
import http.client
import ipaddress
import socket
import ssl
import time
import urllib.request
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from rt_notebook.io.doctor.finding import Finding
from rt_notebook.io.endpoints.trust import trusting, why_untrusted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from rt_notebook.io.doctor.finding import State

__all__ = ["name_finding", "proxy_finding", "proxy_for", "server_findings"]

TIMEOUT_S = 8.0
SKEW_S = 30.0
REFUSED_SKEW_S = 300.0
"""Tokens are valid for a time; with a clock this wrong it is another."""

_INSPECTORS = (
    *("avast", "barracuda", "bitdefender", "blue coat", "burp", "charles proxy", "check point", "eset"),
    *("cisco umbrella", "fiddler", "forcepoint", "fortinet", "kaspersky", "mcafee", "mitmproxy", "netskope"),
    *("palo alto", "sophos", "symantec web", "zscaler"),
)


def proxy_for(host: str, *, secure: bool) -> str | None:
    """Return the proxy that connections to a host go by: the environment's or the system's; None for none."""
    if urllib.request.proxy_bypass(host):
        return None
    proxies = urllib.request.getproxies()
    return proxies.get("https" if secure else "http") or proxies.get("all")


def proxy_finding(proxy: str | None) -> Finding:
    """Say what the proxy is; its name and password are not shown."""
    if proxy is None:
        return Finding("proxy", "ok", "None is set for this address.")
    try:
        where = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        host, port = where.hostname, where.port or 80
    except ValueError:  # a port that is no number
        host = None
    if not host:
        return Finding(
            "proxy",
            "problem",
            "The proxy that is set has no usable address.",
            "Correct or unset HTTPS_PROXY.",
        )
    return Finding(
        "proxy",
        "note",
        f"Connections go by {host}:{port}.",
        "If that is not meant, unset HTTPS_PROXY, or name the host in NO_PROXY.",
    )


def name_finding(host: str, port: int) -> Finding:
    """Look up a host's name."""
    try:
        found = {str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or "it is no name"
        return Finding(
            "name",
            "problem",
            f"{host} has no address ({why}).",
            "Check the resource's name; a resource that was just made, or lies in a private network, may be "
            "known elsewhere only: check the VPN.",
        )
    private = [a for a in found if (ip := ipaddress.ip_address(a)).is_private and not ip.is_loopback]
    if private:
        return Finding("name", "note", f"{host} has an address in a private network.", "That may be meant.")
    return Finding("name", "ok", f"{host} has {len(found)} address{'' if len(found) == 1 else 'es'}.")


def server_findings(
    host: str, port: int, proxy: str | None, *, secure: bool, ca_file: str | None = None
) -> Iterator[Finding]:
    """Connect, look at the certificate, and compare clocks by the ``Date`` of an answer."""
    check = "certificate" if secure else "connection"
    try:
        connection = _connection(host, port, proxy, trusting(ca_file) if secure else None)
        connection.connect()
    except ssl.SSLCertVerificationError as error:
        why, remedy = why_untrusted(error)
        yield Finding(check, "problem", f"The certificate of {host} is not trusted: {why}.", remedy)
        return
    except ssl.SSLError as error:
        said = f"{host} does not speak TLS there ({error.reason})."
        yield Finding(check, "problem", said, "Check the address and its port.")
        return
    except (OSError, http.client.HTTPException) as error:
        why = getattr(error, "strerror", None) or str(error) or type(error).__name__
        way = "by the proxy " if proxy else ""
        yield Finding(
            check,
            "problem",
            f"{host}:{port} cannot be reached {way}({why}).",
            "Check the port, the firewall and the proxy.",
        )
        return
    try:
        if secure:
            yield _certificate(host, connection.sock)
        yield _clock(connection)
    finally:
        connection.close()


def _connection(
    host: str, port: int, proxy: str | None, context: ssl.SSLContext | None
) -> http.client.HTTPConnection:
    where, at = host, port
    if proxy:
        parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        where, at = parts.hostname or "", parts.port or 80
    if context is not None:
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            where, at, timeout=TIMEOUT_S, context=context
        )
    else:
        connection = http.client.HTTPConnection(where, at, timeout=TIMEOUT_S)
    if proxy:
        connection.set_tunnel(host, port)
    return connection


def _certificate(host: str, socket_: Any) -> Finding:
    groups: Any = (socket_.getpeercert() or {}).get("issuer", ())
    fields = {str(name): str(value) for group in groups for name, value in group}
    issuer = fields.get("organizationName") or fields.get("commonName") or "somebody"
    if any(name in str(fields).lower() for name in _INSPECTORS):
        return Finding(
            "certificate",
            "note",
            f"What {host} says is read on the way: its certificate is signed by {issuer}.",
            "If sessions break off, ask for an exception for WebSockets to this host.",
        )
    return Finding("certificate", "ok", f"It is valid and signed by {issuer}.")


def _clock(connection: http.client.HTTPConnection) -> Finding:
    try:
        connection.request("HEAD", "/")
        told = connection.getresponse().getheader("Date")
        theirs_s = email.utils.parsedate_to_datetime(told or "").timestamp()
    except (OSError, http.client.HTTPException, ValueError, TypeError):
        return Finding("clock", "note", "The endpoint does not tell its time, so clocks were not compared.")
    behind_s = theirs_s - time.time()
    said = f"This machine's clock is {abs(behind_s):.0f} s {'behind' if behind_s > 0 else 'ahead of'} theirs."
    if abs(behind_s) < SKEW_S:
        return Finding("clock", "ok", f"It agrees with the endpoint's within {SKEW_S:.0f} s.")
    state: State = "problem" if abs(behind_s) >= REFUSED_SKEW_S else "note"
    return Finding("clock", state, said, "Set the clock by the network: tokens and certificates go by it.")
