"""``rt-notebook doctor``: find out why it does not connect."""

from __future__ import annotations

import dataclasses
import json
import os
import platform
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from rt_notebook import __version__
from rt_notebook.commands.endpoint import add_endpoint_arguments, endpoint_named
from rt_notebook.commands.setup import COMPONENTS, version_of
from rt_notebook.errors import RtNotebookError
from rt_notebook.io.doctor.doctor import examine_network, examine_talk
from rt_notebook.io.doctor.finding import Finding, problem
from rt_notebook.io.doctor.settings import azure_findings, key_findings, url_findings
from rt_notebook.io.endpoints.address import hidden_in
from rt_notebook.io.secrets.scrub import Scrubber
from rt_notebook.io.secrets.secret import Secret

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

__all__ = ["add_arguments", "run"]

_BROWSERS = ("chromium", "google-chrome", "firefox", "microsoft-edge")
_JUPYTER = ("jupyterlab", "notebook", "ipykernel", "anywidget", "ipywidgets")
_KEYS = {"azure": "AZURE_OPENAI_API_KEY", "openai": "OPENAI_API_KEY"}
_PROXIES = ("https_proxy", "http_proxy", "all_proxy", "wss_proxy", "ws_proxy")
_MARKS = {"ok": "ok     ", "note": "note   ", "problem": "PROBLEM"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add_endpoint_arguments(
        parser,
        default=_default_endpoint(),
        note=" (default: what the environment variables are set for, else local; now %(default)s)",
    )
    parser.add_argument("--no-turn", action="store_true", help="do not ask the endpoint anything")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Look at everything in the order in which it is needed; the first problem in a row ends that row.

    The report holds no key: it can be given away. The exit status is 1 if there is a problem.
    """
    scrubber = Scrubber(_secrets(args.endpoint, args.api_key))
    findings = []
    for raw in _examine(args):
        finding = Finding(raw.check, raw.state, scrubber.text(raw.said), scrubber.text(raw.remedy))
        findings.append(finding)
        if not args.json:
            print(f"{_MARKS[finding.state]}  {finding.check:<12}  {finding.said}", flush=True)
            if finding.remedy and finding.state != "ok":
                print(f"{'':23}{finding.remedy}", flush=True)
    well = all(finding.state != "problem" for finding in findings)
    if args.json:
        told = [dataclasses.asdict(finding) for finding in findings]
        print(json.dumps({"ok": well, "endpoint": scrubber.text(args.endpoint), "findings": told}))
    status = 0 if well else 1
    if args.endpoint == "local":
        # A model that reads ahead after its answer cannot be interrupted, and nobody waits for it.
        sys.stdout.flush()
        os._exit(status)
    return status


def _default_endpoint() -> str:
    if os.environ.get("AZURE_OPENAI_ENDPOINT"):
        return "azure"
    return "openai" if os.environ.get("OPENAI_API_KEY") else "local"


def _secrets(name: str, api_key: str | None) -> list[Secret]:
    keys = [api_key, *(os.environ.get(variable) for variable in _KEYS.values())]
    addresses = [name, os.environ.get("AZURE_OPENAI_ENDPOINT", "")]
    addresses += [v for k, v in os.environ.items() if k.lower() in _PROXIES]
    return [Secret(key) for key in keys if key] + [s for address in addresses for s in hidden_in(address)]


def _examine(args: argparse.Namespace) -> Iterator[Finding]:
    yield from _machine()
    yield _components(local=args.endpoint == "local")
    settings = list(_settings(args.endpoint, args.api_key))
    yield from settings
    if any(finding.state == "problem" for finding in settings):
        return
    try:
        endpoint = endpoint_named(args)
    except RtNotebookError as error:
        yield problem("address", error)
        return
    yield Finding("dialect", "ok", f"{endpoint.label}, spoken to in the {endpoint.dialect} dialect.")
    if endpoint.websocket_url is not None:
        for finding in examine_network(endpoint.websocket_url, endpoint.ca_file):
            yield finding
            if finding.state == "problem" and finding.check != "clock":
                return
    yield from examine_talk(endpoint, turn=not args.no_turn)


def _settings(name: str, api_key: str | None) -> Iterator[Finding]:
    if name == "local":
        return
    key = api_key or os.environ.get(_KEYS.get(name, ""))
    yield from key_findings(key, _KEYS.get(name, "--api-key"), needed=name == "openai", entra=name == "azure")
    if name == "azure":
        yield from azure_findings(os.environ)
    elif name != "openai":
        yield from url_findings(name)


def _machine() -> Iterator[Finding]:
    yield Finding("program", "ok", f"rt-notebook {__version__}, Python {platform.python_version()}.")
    there = {name: found for name in _JUPYTER if (found := version_of(name)) is not None}
    said = ", ".join(f"{name} {found}" for name, found in there.items()) or "nothing of Jupyter"
    if {"jupyterlab", "notebook"} & set(there):
        yield Finding("jupyter", "ok", f"{said}.")
    else:
        remedy = 'pip install "rt-notebook[lab]" where the browser\'s server runs, if that is here.'
        yield Finding("jupyter", "note", f"No Jupyter server in this environment ({said}).", remedy)
    browsers = [told for name in _BROWSERS if (told := _browser(name)) is not None]
    found = ", ".join(browsers) or "none is installed on this machine"
    yield Finding("browser", "ok", f"{found}. The one that shows the notebook counts, wherever it is.")


def _browser(name: str) -> str | None:
    path = shutil.which(name)
    if path is None:
        return None
    try:
        told = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=5, check=False)  # noqa: S603 - a browser of this machine
    except (OSError, subprocess.SubprocessError):
        return name
    return told.stdout.strip() or name


def _components(*, local: bool) -> Finding:
    missing = [part for part in COMPONENTS if version_of(part.distribution) is None]
    missing = [part for part in missing if part.distribution not in {"azure-identity", "jupyterlab"}]
    if not missing:
        return Finding("components", "ok", "Every speech component of the local server is installed.")
    names = ", ".join(part.distribution for part in missing)
    said = f"Without {names} something stands in, or speech is not understood."
    return Finding("components", "note" if local else "ok", said, f"Run {missing[0].remedy}.")
