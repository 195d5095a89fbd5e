"""Endpoints that a package brings along, found by name in the entry-point group ``rt_notebook.endpoints``.

The embedded server is one of them. Thereby the session layer can open it without importing it.
"""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from rt_notebook.errors import ConfigError

if TYPE_CHECKING:
    from rt_notebook.io.endpoints.address import Address

__all__ = ["open_named"]

_GROUP = "rt_notebook.endpoints"


async def open_named(name: str, **options: Any) -> Address:
    """Open the endpoint called `name` and return its address.

    Raises
    ------
    ConfigError
        No installed package brings an endpoint of that name.
    """
    found = entry_points(group=_GROUP, name=name)
    if not found:
        known = ", ".join(sorted({point.name for point in entry_points(group=_GROUP)})) or "none"
        raise ConfigError(
            f"No endpoint called {name!r} is installed (known: {known}).",
            "Install rt-notebook again with pip, so that its entry points are registered.",
        )
    address: Address = await next(iter(found)).load()(**options)
    return address
