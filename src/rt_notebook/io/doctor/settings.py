"""The settings of a connection, looked at before anything is opened."""

from __future__ import annotations

import re
from importlib.util import find_spec
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from rt_notebook.io.doctor.finding import Finding
from rt_notebook.io.endpoints.address import hidden_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["azure_findings", "key_findings", "url_findings"]

_AZURE_HOSTS = (".openai.azure.com", ".cognitiveservices.azure.com", ".services.ai.azure.com")
_PORTALS = ("ai.azure.com", "oai.azure.com", "portal.azure.com", "platform.openai.com")
_PLACEHOLDERS = {"your-key", "your_api_key", "your-api-key", "key"}
_FIRST_VERSION = "2024-10-01"


def key_findings(key: str | None, variable: str, *, needed: bool, entra: bool) -> Iterator[Finding]:
    """Look at a key without showing it.

    Parameters
    ----------
    variable
        The environment variable that it is meant to be in.
    needed
        Whether nothing works without it.
    entra
        Whether a sign-in can take its place.
    """
    if not key:
        if entra and find_spec("azure.identity" if find_spec("azure") else "azure") is not None:
            yield Finding("key", "note", f"{variable} is not set; a sign-in by Entra is tried (az login).")
        elif needed or entra:
            remedy = f"Set {variable} to the key of the resource."
            yield Finding("key", "problem", "No key is set.", remedy)
        else:
            yield Finding("key", "note", "No key is given.", "Pass --api-key if the server wants one.")
        return
    wrong = {
        "has blanks or a line end around it": key != key.strip(),
        "stands in quotation marks": key.strip()[:1] in {'"', "'"},
        "begins with 'Bearer', which is added by itself": key.strip().lower().startswith("bearer"),
        "is an address": "://" in key,
        "has blanks in it": len(key.split()) > 1,
        "has letters that no key has": not key.isascii(),
        "is what stands for a key in examples": key.strip("<>").lower() in _PLACEHOLDERS,
    }
    found = next((what for what, so in wrong.items() if so), None)
    if found is None:
        yield Finding("key", "ok", "A key is set (it is not shown).")
    else:
        yield Finding("key", "problem", f"The key {found}.", f"Set {variable} to the key alone.")


def azure_findings(environment: Mapping[str, str]) -> Iterator[Finding]:
    """Look at the address, the deployment and the version of an Azure OpenAI resource."""
    yield _azure_address(environment.get("AZURE_OPENAI_ENDPOINT", ""))
    deployment = environment.get("AZURE_OPENAI_DEPLOYMENT", "")
    if not deployment:
        remedy = "Set AZURE_OPENAI_DEPLOYMENT to the name that the deployment has in the portal."
        yield Finding("deployment", "problem", "No deployment is set.", remedy)
    elif deployment.strip() != deployment or re.search(r"[\s/?#<>]", deployment):
        remedy = "Set AZURE_OPENAI_DEPLOYMENT to the deployment's name alone."
        yield Finding(
            "deployment", "problem", "The deployment's name has characters that no name has.", remedy
        )
    else:
        yield Finding("deployment", "ok", f"The deployment is {deployment!r}.")
    yield _version(environment.get("OPENAI_API_VERSION", ""))


def _azure_address(address: str) -> Finding:
    form = "Set AZURE_OPENAI_ENDPOINT in the form https://NAME.openai.azure.com."
    if not address:
        return Finding("address", "problem", "No address is set.", form)
    try:
        parts = urlsplit(address.strip())
    except ValueError:
        return Finding("address", "problem", "The address cannot be read.", form)
    host = parts.hostname or ""
    if "://" not in address:
        return Finding("address", "problem", "The address lacks its https://.", form)
    if parts.scheme not in {"https", "wss"}:
        return Finding("address", "problem", f"The address begins with {parts.scheme}://.", form)
    if host in _PORTALS or host.endswith(tuple(f".{portal}" for portal in _PORTALS[2:])):
        return Finding("address", "problem", f"{host} is where resources are managed, not a resource.", form)
    if not host or re.search(r"[<>{}]|^(name|your[-_]?resource)\b", host):
        return Finding("address", "problem", "The address has no name of a resource in it.", form)
    if hidden_in(address):
        return Finding("address", "problem", "A key or password stands in the address.", form)
    if parts.path.strip("/") or parts.query:
        said = f"What follows {host} in the address is left out."
        return Finding("address", "note", said, form)
    if not host.endswith(_AZURE_HOSTS):
        said = f"{host} is none of Azure's own names; a gateway may be."
        return Finding("address", "note", said, form)
    return Finding("address", "ok", f"The resource is {host}.")


def _version(version: str) -> Finding:
    remedy = "Unset OPENAI_API_VERSION to use the GA path, which takes none."
    if not version:
        return Finding("api-version", "ok", "None, which is the GA path and dialect.")
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}(-preview)?", version):
        return Finding("api-version", "problem", f"{version!r} is no version.", remedy)
    if version < _FIRST_VERSION:
        return Finding("api-version", "problem", f"{version} is older than realtime sessions.", remedy)
    said = f"{version} is the preview path and dialect, which Azure has deprecated since 2026-04-30."
    return Finding("api-version", "note", said, remedy)


def url_findings(url: str) -> Iterator[Finding]:
    """Look at a server's address."""
    form = "Give the address without it, and the key by --api-key: addresses end in logs."
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        yield Finding(
            "address", "problem", "The address cannot be read.", "Give one such as wss://HOST/PATH."
        )
        return
    if hidden_in(url):
        yield Finding("address", "problem", "A key or password stands in the address.", form)
    elif parts.scheme not in {"ws", "wss"}:
        said = (
            f"The address begins with {parts.scheme}://." if parts.scheme else "The address lacks its wss://."
        )
        better = "wss" if parts.scheme in {"https", ""} else "ws"
        yield Finding("address", "problem", said, f"Write {better}://{host or 'HOST'}/….")
    elif "realtime" not in parts.path:
        said = f"The path {parts.path or '/'} is not one of the vendors' own."
        yield Finding("address", "note", said, "They end in /v1/realtime or /openai/realtime.")
    else:
        yield Finding("address", "ok", f"The server is {host}.")
