"""What the error of an attempt means for the next one, and which error tells the user."""

from __future__ import annotations

import logging
import traceback
from typing import TYPE_CHECKING

from rt_notebook.core.reconnect import Ending
from rt_notebook.errors import (
    AuthenticationError,
    ConnectError,
    EndpointNotFoundError,
    RefusedError,
    RtNotebookError,
    SessionClosedError,
)

if TYPE_CHECKING:
    from rt_notebook.core.reconnect import GiveUp

__all__ = ["as_ours", "cause_of", "ending_of_error"]

_logger = logging.getLogger("rt_notebook.session")

_PASSING = {408, 425, 429}
"""Refusals that time may mend; other 4xx are final."""


def as_ours(error: Exception) -> RtNotebookError:
    """Return the error of an attempt as one of ours; one of a plugin or a library is logged.

    Its own words may hold a key, so only its kind and its place are told.
    """
    if isinstance(error, RtNotebookError):
        return error
    kind = type(error).__name__
    _logger.error("opening failed by %s at\n%s", kind, "".join(traceback.format_tb(error.__traceback__)))
    return ConnectError(
        f"The connection could not be opened ({kind}).", "Look into the log of rt_notebook.session."
    )


def ending_of_error(error: Exception) -> Ending:
    """Tell from the error of an attempt whether another may succeed."""
    if not isinstance(error, RtNotebookError):
        return Ending("refused", f"opening failed by {type(error).__name__}", fatal=True)
    if isinstance(error, RefusedError):
        fatal = 400 <= error.status < 500 and error.status not in _PASSING
        return Ending("refused", error.problem, error.status, fatal, error.retry_after_s)
    final = isinstance(error, AuthenticationError | EndpointNotFoundError)
    if isinstance(error, ConnectError) and not final:
        return Ending("loss", error.problem)
    return Ending("refused", error.problem, fatal=True)


def cause_of(label: str, ending: Ending, decision: GiveUp, known: RtNotebookError | None) -> RtNotebookError:
    """Return the error that tells why no more is tried: the endpoint's own where there is one.

    Parameters
    ----------
    known
        The error of the last attempt.
    """
    if known is not None and not isinstance(known, SessionClosedError):
        return known
    code = "" if ending.code is None else f" (code {ending.code})"
    return ConnectError(
        f"{label} ended the connection: {ending.reason.rstrip('.')}{code}. {decision.why}",
        "Look into session.log for what it said before.",
    )
