"""Whether a configuration can be used with an endpoint: what cannot be is refused in the cell."""

from __future__ import annotations

from rt_notebook.core import wire_json
from rt_notebook.core.config import SessionConfig
from rt_notebook.errors import ConfigError
from rt_notebook.io.endpoints.endpoint import Endpoint

__all__ = ["usable"]


def usable(config: SessionConfig, endpoint: Endpoint) -> SessionConfig:
    """Return the configuration.

    Raises
    ------
    ConfigError
        One of the two is none, the configuration cannot be sent, or has what the endpoint's dialect has not.
    """
    _check_kind(Endpoint, endpoint, "Give one such as Endpoint.local().")
    _check_kind(SessionConfig, config, 'Give one such as SessionConfig(voice="alloy").')
    try:
        wire_json.encode(config.to_wire())
    except (TypeError, ValueError, RecursionError) as error:
        raise ConfigError(
            f"The configuration cannot be sent as JSON ({error}).",
            "Give texts, numbers, lists and dicts in instructions and tools.",
        ) from None
    if config.temperature is not None and endpoint.dialect == "ga":
        raise ConfigError(
            "The GA dialect has no temperature.",
            'Leave it out, or use a preview endpoint such as Endpoint.local(dialect="preview").',
        )
    return config


def _check_kind(kind: type, given: object, remedy: str) -> None:
    if not isinstance(given, kind):
        # It is not quoted: an address may have a key in it.
        raise ConfigError(f"A {type(given).__name__} is no {kind.__name__}.", remedy)
