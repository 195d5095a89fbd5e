"""Which endpoint a command is meant for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rt_notebook.errors import ConfigError
from rt_notebook.io.endpoints.endpoint import Endpoint

if TYPE_CHECKING:
    import argparse

__all__ = ["add_endpoint_arguments", "endpoint_named"]


def add_endpoint_arguments(
    parser: argparse.ArgumentParser, name: str = "--endpoint", *, default: str | None = None, note: str = ""
) -> None:
    """Declare the endpoint, its key and its certificate authority.

    Parameters
    ----------
    name
        ``"--endpoint"``, or ``"endpoint"`` where it has to be given.
    default
        The endpoint where none is given.
    note
        What the help says behind the choice.
    """
    choice = '"local", "azure", "openai", or the address of a server, ws://… or wss://…'
    parser.add_argument(name, default=default, help=choice + note)
    parser.add_argument(
        "--api-key", help="the endpoint's key (default for azure and openai: what the environment holds)"
    )
    parser.add_argument("--ca-file", help="PEM file of a further certificate authority to trust")


def endpoint_named(args: argparse.Namespace) -> Endpoint:
    """Return the endpoint that the arguments of `add_endpoint_arguments` name.

    Raises
    ------
    ConfigError
        There is no such endpoint, or what it needs is missing or wrong.
    """
    if args.endpoint == "local":
        return Endpoint.local()
    if args.endpoint == "azure":
        return Endpoint.azure(api_key=args.api_key, ca_file=args.ca_file)
    if args.endpoint == "openai":
        return Endpoint.openai(api_key=args.api_key, ca_file=args.ca_file)
    if "://" not in args.endpoint:
        raise ConfigError(
            f"There is no endpoint {args.endpoint!r}.", "Use local, azure, openai or an address ws://…."
        )
    return Endpoint.url(args.endpoint, api_key=args.api_key, ca_file=args.ca_file)
